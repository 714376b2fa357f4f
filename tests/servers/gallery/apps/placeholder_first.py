"""Apps that show "Thinking..." until the model says its first word."""

import time

import gradio as gr
from model import reply


def respond(message, history):
    yield "Thinking..."
    time.sleep(0.05)
    yield from reply(message, history)


demo = gr.ChatInterface(respond)

if __name__ == "__main__":
    demo.launch()
