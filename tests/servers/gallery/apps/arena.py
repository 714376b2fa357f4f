"""An arena: one box, and two chatbots that are filled side by side."""

import gradio as gr
from model import pairs, reply, shown


def both(message, left, right):
    left, right = pairs(left), pairs(right)
    for one, other in zip(reply(message, left), reply(message, right), strict=True):
        yield "", shown([*left, [message, one]]), shown([*right, [message, other]])


with gr.Blocks() as demo:
    with gr.Row():
        left = gr.Chatbot(label="Model A")
        right = gr.Chatbot(label="Model B")
    box = gr.Textbox(label="Prompt for both")
    box.submit(both, [box, left, right], [box, left, right])

if __name__ == "__main__":
    demo.launch()
