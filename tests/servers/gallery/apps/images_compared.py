"""Demos that compare: two image components beside the box, so a picture alone is ambiguous."""

import gradio as gr
from model import pairs, reply, shown


def compare(first, second, question, chat):
    chat = pairs(chat)
    for text in reply(question, chat, files=[each for each in (first, second) if each]):
        yield "", shown([*chat, [question, text]])


with gr.Blocks() as demo:
    with gr.Row():
        first = gr.Image(type="filepath", label="First picture")
        second = gr.Image(type="filepath", label="Second picture")
    chatbot = gr.Chatbot()
    question = gr.Textbox(label="Question")
    button = gr.Button("Compare")
    button.click(compare, [first, second, question, chatbot], [question, chatbot])

if __name__ == "__main__":
    demo.launch()
