"""HuggingChat, and any other huggingface/chat-ui server: its wire as plans and decoders.

Follows docs/protocols/huggingchat.md; sections are named where they matter.
"""
