"""`gr.Interface` around a generator: the text grows in its output."""

import gradio as gr
from model import reply


def generate(prompt):
    yield from reply(prompt)


demo = gr.Interface(generate, gr.Textbox(label="Prompt"), gr.Textbox(label="Completion"))

if __name__ == "__main__":
    demo.launch()
