"""The Qwen2.5 demo: a button beside the box sets the system prompt and clears the history."""

import gradio as gr
from model import pairs, reply, shown

DEFAULT = "You are Qwen, a helpful assistant."


def clear_session():
    return "", []


def modify_system_session(system):
    system = system or DEFAULT
    return system, system, []


def model_chat(query, history, system):
    history = pairs(history)
    for response in reply(query or "", history, system=system):
        yield "", shown([*history, [query, response]]), system


with gr.Blocks() as demo:
    gr.Markdown("<center><font size=8>Qwen2.5 Bot</font></center>")
    with gr.Row():
        system_input = gr.Textbox(value=DEFAULT, lines=1, label="System")
        modify_system = gr.Button("🛠️ Set system prompt and clear history", scale=2)
    system_state = gr.Textbox(value=DEFAULT, visible=False)
    chatbot = gr.Chatbot(label="Qwen2.5")
    textbox = gr.Textbox(lines=1, label="Input")
    with gr.Row():
        clear_history = gr.Button("🧹 Clear history")
        submit = gr.Button("🚀 Send")
    textbox.submit(model_chat, [textbox, chatbot, system_state], [textbox, chatbot, system_input])
    submit.click(model_chat, [textbox, chatbot, system_state], [textbox, chatbot, system_input])
    clear_history.click(clear_session, [], [textbox, chatbot])
    modify_system.click(
        modify_system_session, [system_input], [system_state, system_input, chatbot]
    )

if __name__ == "__main__":
    demo.queue(api_open=False).launch(max_threads=30)
