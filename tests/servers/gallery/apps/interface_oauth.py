"""A Space that answers in the name of its visitor: a login button, and `gr.OAuthToken`."""

import gradio as gr
from model import reply


def respond(message, history, token: gr.OAuthToken | None):
    if token is None:
        raise gr.Error("Please sign in with your Hugging Face account.")
    yield from reply(message, history, system=token.token)


with gr.Blocks() as demo:
    gr.LoginButton()
    gr.ChatInterface(respond)

if __name__ == "__main__":
    demo.launch()
