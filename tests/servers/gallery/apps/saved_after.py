"""Apps that do something after the answer: a function saves what the next turn reads."""

import gradio as gr
from model import pairs, reply, shown


def add(message, chat):
    return "", shown([*pairs(chat), [message, None]])


def respond(chat, saved):
    chat = pairs(chat)
    for text in reply(chat[-1][0], saved):
        chat[-1][1] = text
        yield shown(chat)


def save(chat, saved):
    return [*saved, pairs(chat)[-1]]


with gr.Blocks() as demo:
    saved = gr.State([])
    chatbot = gr.Chatbot(label="Chat")
    message = gr.Textbox(label="Message")
    message.submit(add, [message, chatbot], [message, chatbot]).then(
        respond, [chatbot, saved], chatbot
    ).then(save, [chatbot, saved], saved)

if __name__ == "__main__":
    demo.launch()
