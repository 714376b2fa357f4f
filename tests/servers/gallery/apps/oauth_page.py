"""A page whose function takes `gr.OAuthToken` itself: newer versions of Gradio announce that."""

import gradio as gr
from model import pairs, reply, shown


def respond(message, chat, token: gr.OAuthToken | None):
    if token is None:
        raise gr.Error("Please sign in with your Hugging Face account.")
    chat = pairs(chat)
    for text in reply(message, chat, system=token.token):
        yield "", shown([*chat, [message, text]])


with gr.Blocks() as demo:
    gr.LoginButton()
    chatbot = gr.Chatbot()
    box = gr.Textbox(label="Message")
    box.submit(respond, [box, chatbot], [box, chatbot])

if __name__ == "__main__":
    demo.launch()
