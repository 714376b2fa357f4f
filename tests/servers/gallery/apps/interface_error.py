"""A model that runs out of memory: the function raises `gr.Error` in the middle of its answer."""

import gradio as gr
from model import reply


def respond(message, history):
    for count, text in enumerate(reply(message, history)):
        if "please fail" in message and count == 0:
            raise gr.Error("The model is out of memory.")
        yield text


demo = gr.ChatInterface(respond)

if __name__ == "__main__":
    demo.launch()
