"""Qwen's `web_demo.py`: a state that is an input only, and is changed in place."""

import gradio as gr
from model import pairs, reply, shown


def predict(query, chatbot, task_history):
    chatbot = [*pairs(chatbot), [query, ""]]
    full_response = ""
    for response in reply(query, task_history):
        chatbot[-1] = [query, response]
        yield shown(chatbot)
        full_response = response
    task_history.append((query, full_response))


def regenerate(chatbot, task_history):
    if not task_history:
        yield chatbot
        return
    item = task_history.pop(-1)
    yield from predict(item[0], shown(pairs(chatbot)[:-1]), task_history)


def reset_state(chatbot, task_history):
    task_history.clear()
    return []


with gr.Blocks() as demo:
    chatbot = gr.Chatbot(label="Qwen-Chat", elem_classes="control-height")
    query = gr.Textbox(lines=2, label="Input")
    task_history = gr.State([])
    with gr.Row():
        empty_btn = gr.Button("🧹 Clear History (清除历史)")
        submit_btn = gr.Button("🚀 Submit (发送)")
        regen_btn = gr.Button("🤔️ Regenerate (重试)")
    submit_btn.click(predict, [query, chatbot, task_history], [chatbot], show_progress=True)
    submit_btn.click(lambda: gr.update(value=""), [], [query])
    empty_btn.click(reset_state, [chatbot, task_history], outputs=[chatbot], show_progress=True)
    regen_btn.click(regenerate, [chatbot, task_history], [chatbot], show_progress=True)

if __name__ == "__main__":
    demo.queue().launch()
