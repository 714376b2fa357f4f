"""A busy Space on one small GPU: one call at a time, and a queue in which two may wait."""

import gradio as gr
from model import reply


def respond(message, history):
    yield from reply(message, history)


demo = gr.ChatInterface(respond)
demo.queue(max_size=2, default_concurrency_limit=1)

if __name__ == "__main__":
    demo.launch()
