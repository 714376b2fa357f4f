"""The demos of text-generation-inference: sliders in an accordion, and no system prompt."""

import gradio as gr
from model import reply


def generate(prompt, history, temperature=0.9, max_new_tokens=256, top_p=0.95, penalty=1.0):
    temperature = max(float(temperature), 1e-2)
    output = ""
    for output in reply(prompt, history, temperature=temperature):
        yield output
    return output


additional_inputs = [
    gr.Slider(label="Temperature", value=0.9, minimum=0.0, maximum=1.0, step=0.05),
    gr.Slider(label="Max new tokens", value=256, minimum=0, maximum=1048, step=64),
    gr.Slider(label="Top-p (nucleus sampling)", value=0.90, minimum=0.0, maximum=1, step=0.05),
    gr.Slider(label="Repetition penalty", value=1.2, minimum=1.0, maximum=2.0, step=0.05),
]

with gr.Blocks() as demo:
    gr.HTML("<center><h1>Instruct 7B</h1></center>")
    gr.ChatInterface(
        generate, additional_inputs=additional_inputs, examples=[["What is a generator?"]]
    )

demo.queue(max_size=100)

if __name__ == "__main__":
    demo.launch()
