"""`gr.Interface` from a box and a slider to Markdown."""

import gradio as gr
from model import answer


def generate(prompt, temperature):
    return answer(prompt, temperature=temperature)


demo = gr.Interface(
    generate,
    [gr.Textbox(label="Prompt"), gr.Slider(0, 1, value=0.5, label="Temperature")],
    gr.Markdown(),
    examples=[["Tell me a story", 0.7]],
    cache_examples=False,
)

if __name__ == "__main__":
    demo.launch()
