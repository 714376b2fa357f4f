"""A page with `gr.Chatbot(type="messages")`, a system prompt and settings in an accordion."""

import gradio as gr
from model import MESSAGES, reply


def add(message, history):
    return gr.Textbox(value="", interactive=False), [*history, {"role": "user", "content": message}]


def respond(history, system_prompt, temperature):
    question, earlier = history[-1]["content"], history[:-1]
    question = question if isinstance(question, str) else question[0]["text"]
    history.append({"role": "assistant", "content": ""})
    for text in reply(question, earlier, system=system_prompt, temperature=temperature):
        history[-1]["content"] = text
        yield history


with gr.Blocks() as demo:
    chatbot = gr.Chatbot(height=500, **MESSAGES)
    box = gr.Textbox(placeholder="Ask me anything", container=False)
    with gr.Accordion("Settings", open=False):
        system = gr.Textbox("You are helpful.", label="System prompt", lines=2)
        heat = gr.Slider(0.0, 2.0, value=0.7, label="Temperature")
    box.submit(add, [box, chatbot], [box, chatbot]).then(
        respond, [chatbot, system, heat], chatbot
    ).then(lambda: gr.Textbox(interactive=True), None, box)

if __name__ == "__main__":
    demo.launch()
