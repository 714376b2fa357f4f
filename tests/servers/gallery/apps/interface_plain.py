"""The first chat of Gradio's own guide: `gr.ChatInterface` around one function."""

import gradio as gr
from model import reply


def respond(message, history):
    yield from reply(message, history)


demo = gr.ChatInterface(respond, title="Echo", examples=["hello", "hola", "merhaba"])

if __name__ == "__main__":
    demo.launch()
