"""Apps that keep conversations in a dict of their own, under the session of the page."""

import gradio as gr
from model import pairs, reply, shown

MEMORY = {}


def respond(message, chat, request: gr.Request):
    memory = MEMORY.setdefault(request.session_hash, [])
    chat = pairs(chat)
    for text in reply(message, memory):
        yield "", shown([*chat, [message, text]])
    memory.append((message, text))


def forget(request: gr.Request):
    MEMORY.pop(request.session_hash, None)
    return []


with gr.Blocks() as demo:
    chatbot = gr.Chatbot()
    message = gr.Textbox(label="Question")
    reset = gr.Button("New chat")
    message.submit(respond, [message, chatbot], [message, chatbot])
    reset.click(forget, None, chatbot)

if __name__ == "__main__":
    demo.launch()
