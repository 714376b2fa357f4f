"""`gr.Interface` from a box to a text: a model without a chatbot."""

import gradio as gr
from model import answer

demo = gr.Interface(
    fn=lambda question: answer(question),
    inputs=gr.Textbox(label="Question", lines=2),
    outputs=gr.Textbox(label="Answer"),
    title="Ask the model",
)

if __name__ == "__main__":
    demo.launch()
