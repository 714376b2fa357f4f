"""A page with two chats in tabs: the caller has to say which one."""

import gradio as gr
from model import pairs, reply, shown


def respond(message, chat):
    chat = pairs(chat)
    for text in reply(message, chat):
        yield "", shown([*chat, [message, text]])


with gr.Blocks() as demo:
    for name in ("poet", "coder"):
        with gr.Tab(name.title()):
            chatbot = gr.Chatbot(label=name)
            box = gr.Textbox(label=f"Ask the {name}")
            box.submit(respond, [box, chatbot], [box, chatbot], api_name=name)

if __name__ == "__main__":
    demo.launch()
