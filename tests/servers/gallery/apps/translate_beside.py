"""A chat with tools beside it: boxes that translate and search, and start no chat."""

import gradio as gr
from model import pairs, reply, shown


def respond(message, chat):
    chat = pairs(chat)
    for text in reply(message, chat):
        yield "", shown([*chat, [message, text]])


with gr.Blocks() as demo:
    with gr.Row():
        source = gr.Textbox(label="Translate")
        target = gr.Textbox(label="Translation", interactive=False)
        gr.Button("Translate").click(str.upper, source, target)
    with gr.Row():
        query = gr.Textbox(label="Search")
        hits = gr.JSON(label="Hits")
        gr.Button("Search").click(lambda text: {"query": text, "hits": []}, query, hits)
    chatbot = gr.Chatbot()
    message = gr.Textbox(label="Message")
    send = gr.Button("Send")
    for event in (send.click, message.submit):
        event(respond, [message, chatbot], [message, chatbot])

if __name__ == "__main__":
    demo.launch()
