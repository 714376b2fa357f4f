"""Reasoning models whose thoughts stay in the text, between `<think>` and `</think>`."""

import re

import gradio as gr
from model import pairs, reply, shown

THOUGHT = "<think>\nI look at the question.\n</think>\n\n"


def respond(message, chat):
    chat = pairs(chat)
    earlier = [[said, re.sub(r"(?s)<think>.*?</think>\s*", "", text)] for said, text in chat]
    for end in range(4, len(THOUGHT), 6):
        yield "", shown([*chat, [message, THOUGHT[:end]]])
    for text in reply(message, earlier):
        yield "", shown([*chat, [message, THOUGHT + text]])


with gr.Blocks() as demo:
    chatbot = gr.Chatbot(label="DeepSeek-R1")
    box = gr.Textbox(label="Your question")
    box.submit(respond, [box, chatbot], [box, chatbot])

if __name__ == "__main__":
    demo.launch()
