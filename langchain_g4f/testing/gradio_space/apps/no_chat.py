"""An app that is no chat: a text becomes a picture."""

from typing import Any

from .launch import Model, serve


def build(_model: Model) -> Any:
    """Return the app."""
    import gradio as gr
    from PIL import Image

    def paint(prompt: str) -> Any:
        return Image.new("RGB", (8, 8), (len(prompt) % 256, 64, 128))

    return gr.Interface(paint, gr.Textbox(label="Prompt"), gr.Image(label="Picture"))


if __name__ == "__main__":
    serve(build)
