"""The wire of huggingface/chat-ui, written from docs/protocols/huggingchat.md alone."""
