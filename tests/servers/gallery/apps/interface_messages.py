"""`gr.ChatInterface(type="messages")`, as examples with an OpenAI client have it."""

import gradio as gr
from model import MESSAGES, reply


def predict(message, history):
    messages = [*history, {"role": "user", "content": message}]
    for partial in reply(messages[-1]["content"], messages[:-1]):
        yield {"role": "assistant", "content": partial}


demo = gr.ChatInterface(predict, **MESSAGES)

if __name__ == "__main__":
    demo.launch()
