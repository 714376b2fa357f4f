"""An app with a login of its own: `launch(auth=...)`."""

import gradio as gr
from model import reply


def respond(message, history):
    yield from reply(message, history)


demo = gr.ChatInterface(respond)

if __name__ == "__main__":
    demo.launch(auth=("user", "password"), auth_message="Members only")
