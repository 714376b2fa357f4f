"""Chat with any Gradio Space: docs/protocols/gradio-space.md as a plan and decoders."""
