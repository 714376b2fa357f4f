"""Captioning demos that chat: one image component beside the box."""

import gradio as gr
from model import pairs, reply, shown


def ask(image, question, chat):
    chat = pairs(chat)
    for text in reply(question, chat, files=[image] if image else []):
        yield "", shown([*chat, [question, text]])


with gr.Blocks() as demo, gr.Row():
    image = gr.Image(type="filepath", label="Picture")
    with gr.Column():
        chatbot = gr.Chatbot()
        question = gr.Textbox(label="Question")
        question.submit(ask, [image, question, chatbot], [question, chatbot])

if __name__ == "__main__":
    demo.launch()
