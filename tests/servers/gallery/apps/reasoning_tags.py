"""A chatbot that is told the model's tags: `gr.Chatbot(reasoning_tags=...)`."""

import re

import gradio as gr
from model import MESSAGES, reply, turns

THOUGHT = "<thinking>I look at the question.</thinking>\n"
TAGS = re.compile(r"(?s)<thinking>.*?</thinking>\s*")


def respond(message, history):
    said = [{"role": role, "content": TAGS.sub("", text)} for role, text in turns(history)]
    for end in range(5, len(THOUGHT), 7):
        yield THOUGHT[:end]
    for text in reply(message, said):
        yield THOUGHT + text


demo = gr.ChatInterface(
    respond,
    chatbot=gr.Chatbot(reasoning_tags=[("<thinking>", "</thinking>")], **MESSAGES),
    **MESSAGES,
)

if __name__ == "__main__":
    demo.launch()
