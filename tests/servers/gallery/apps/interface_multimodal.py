"""Spaces of vision models: `gr.ChatInterface(multimodal=True)` with a textbox for files."""

import gradio as gr
from model import MAJOR, MESSAGES, reply


def chat(message, history):
    if not message["text"] and not message["files"]:
        raise gr.Error("Please write something.")
    yield from reply(message["text"], history, files=message["files"])


demo = gr.ChatInterface(
    chat,
    multimodal=True,
    textbox=gr.MultimodalTextbox(file_types=["image"], placeholder="Type, or upload an image"),
    title="See and say",
    **(MESSAGES if MAJOR > 4 else {}),
)

if __name__ == "__main__":
    demo.launch()
