"""Agents that show their thoughts: messages whose metadata has a title, before the answer."""

import gradio as gr
from gradio import ChatMessage
from model import MESSAGES, reply

TITLE = {"title": "🧠 Thinking"}


def respond(message, history):
    said = [each for each in history if not (each.get("metadata") or {}).get("title")]
    thought = "I look at the question."
    for end in range(1, len(thought) + 1, 6):
        yield ChatMessage(role="assistant", content=thought[:end], metadata=TITLE)
    thinking = ChatMessage(role="assistant", content=thought, metadata=TITLE)
    for text in reply(message, said):
        yield [thinking, ChatMessage(role="assistant", content=text)]


demo = gr.ChatInterface(respond, title="Thinking aloud", **MESSAGES)

if __name__ == "__main__":
    demo.launch()
