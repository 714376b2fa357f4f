"""A real Gradio server on loopback, running a small app with a scripted model."""
