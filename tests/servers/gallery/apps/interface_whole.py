"""A `gr.ChatInterface` around a pipeline that does not stream: the answer comes at once."""

import gradio as gr
from model import answer


def ask(message, history):
    return answer(message, history)


demo = gr.ChatInterface(fn=ask, description="The pipeline answers when it is done.")

if __name__ == "__main__":
    demo.launch()
