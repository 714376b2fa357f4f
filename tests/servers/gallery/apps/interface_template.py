"""The chatbot template of the Hub: a system prompt and sliders as additional inputs."""

import gradio as gr
from model import reply


def respond(message, history, system_message, max_tokens, temperature, top_p):
    for text in reply(message, history, system=system_message, temperature=temperature):
        yield text


demo = gr.ChatInterface(
    respond,
    additional_inputs=[
        gr.Textbox(value="You are a friendly Chatbot.", label="System message"),
        gr.Slider(minimum=1, maximum=2048, value=512, step=1, label="Max new tokens"),
        gr.Slider(minimum=0.1, maximum=4.0, value=0.7, step=0.1, label="Temperature"),
        gr.Slider(0.1, 1.0, value=0.95, step=0.05, label="Top-p (nucleus sampling)"),
    ],
)

if __name__ == "__main__":
    demo.launch()
