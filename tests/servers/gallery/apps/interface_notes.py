"""A `gr.ChatInterface` with an empty textbox among its inputs, on which the app calls `strip`."""

import gradio as gr
from model import reply


def respond(message, history, notes, temperature):
    context = notes.strip()
    question = f"{context}\n\n{message.strip()}" if context else message.strip()
    yield from reply(question, history, temperature=temperature)


demo = gr.ChatInterface(
    respond,
    additional_inputs=[
        gr.Textbox(label="Notes", lines=3, value=None),
        gr.Slider(0, 1, value=0.5, label="Temperature"),
    ],
)

if __name__ == "__main__":
    demo.launch()
