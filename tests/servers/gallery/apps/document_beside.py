"""Chats with a document: a file component beside the box, read with every question."""

import gradio as gr
from model import pairs, reply, shown


def respond(document, message, chat):
    chat = pairs(chat)
    for text in reply(message, chat, files=[document] if document else []):
        yield "", shown([*chat, [message, text]])


with gr.Blocks() as demo:
    document = gr.File(label="Document", file_types=["text", ".pdf"])
    chatbot = gr.Chatbot()
    message = gr.Textbox(label="Ask about the document")
    message.submit(respond, [document, message, chatbot], [message, chatbot])

if __name__ == "__main__":
    demo.launch()
