"""`gr.Chatbot(type="tuples")` on Gradio 5, as apps that came from Gradio 4 have it."""

import gradio as gr
from model import reply


def respond(message, chat_history):
    chat_history = [*chat_history, (message, "")]
    for text in reply(message, chat_history[:-1]):
        chat_history[-1] = (message, text)
        yield "", chat_history


with gr.Blocks() as demo:
    chatbot = gr.Chatbot(type="tuples", label="Conversation")
    msg = gr.Textbox(label="Message")
    clear = gr.ClearButton([msg, chatbot])
    msg.submit(respond, [msg, chatbot], [msg, chatbot])

if __name__ == "__main__":
    demo.launch()
