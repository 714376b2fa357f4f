"""A box that is emptied with None, and an app that calls `strip` on what it gets."""

import gradio as gr
from model import pairs, reply, shown


def clear_and_save(message):
    return None, message


def respond(saved, style, chat):
    question, style = saved.strip(), style.strip()
    chat = pairs(chat)
    for text in reply(f"{style}: {question}" if style else question, chat):
        yield shown([*chat, [question, text]])


with gr.Blocks() as demo:
    saved = gr.State("")
    chatbot = gr.Chatbot()
    message = gr.Textbox(lines=3, label="Message", value=None)
    style = gr.Textbox(lines=1, label="Style", placeholder="formal, short, ...")
    message.submit(clear_and_save, message, [message, saved]).then(
        respond, [saved, style, chatbot], chatbot
    )

if __name__ == "__main__":
    demo.launch()
