"""Gradio's chatbot guide: a textbox and a Send button, a function to show and one to answer."""

import gradio as gr
from model import pairs, reply, shown


def user(message, history):
    return "", shown([*pairs(history), [message, None]])


def bot(history):
    history = pairs(history)
    for text in reply(history[-1][0], history[:-1]):
        history[-1][1] = text
        yield shown(history)


with gr.Blocks() as demo:
    chatbot = gr.Chatbot()
    with gr.Row():
        msg = gr.Textbox(show_label=False, placeholder="Your message")
        send = gr.Button("Send")
    clear = gr.Button("Clear")
    msg.submit(user, [msg, chatbot], [msg, chatbot], queue=False).then(bot, chatbot, chatbot)
    send.click(user, [msg, chatbot], [msg, chatbot], queue=False).then(bot, chatbot, chatbot)
    clear.click(lambda: None, None, chatbot, queue=False)

demo.queue()

if __name__ == "__main__":
    demo.launch()
