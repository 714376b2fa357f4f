"""Apps that work on the answer when it is complete: links for its sources, another wording."""

import gradio as gr
from model import pairs, reply, shown


def respond(message, chat):
    chat = pairs(chat)
    for text in reply(message, chat):
        yield "", shown([*chat, [message, text]])
    polished = text.replace("I know", "I remember") + "\n\nSources: [1](https://example.com)"
    yield "", shown([*chat, [message, polished]])


with gr.Blocks() as demo:
    chatbot = gr.Chatbot()
    box = gr.Textbox(label="Question")
    box.submit(respond, [box, chatbot], [box, chatbot])

if __name__ == "__main__":
    demo.launch()
