"""Qwen-VL's demo: an upload button adds a file to the task, then a text is added and answered."""

import gradio as gr
from model import pairs, reply, shown


def add_text(history, task_history, text):
    return shown([*pairs(history), [text, None]]), [*task_history, (text, None)], ""


def add_file(history, task_history, file):
    return shown([*pairs(history), [(file.name,), None]]), [*task_history, ((file.name,), None)]


def predict(_chatbot, task_history):
    chatbot, query = pairs(_chatbot), task_history[-1][0]
    files = [each[0][0] for each in task_history if isinstance(each[0], tuple)]
    for response in reply(query, task_history[:-1], files=files):
        chatbot[-1] = [query, response]
        yield shown(chatbot)
    task_history[-1] = (query, response)


with gr.Blocks() as demo:
    chatbot = gr.Chatbot(label="Qwen-VL-Chat", height=750)
    query = gr.Textbox(lines=2, label="Input")
    task_history = gr.State([])
    with gr.Row():
        addfile_btn = gr.UploadButton("📁 Upload (上传文件)", file_types=["image"])
        submit_btn = gr.Button("🚀 Submit (发送)")
        empty_bin = gr.Button("🧹 Clear History (清除历史)")
    submit_btn.click(add_text, [chatbot, task_history, query], [chatbot, task_history, query]).then(
        predict, [chatbot, task_history], [chatbot], show_progress=True
    )
    addfile_btn.upload(add_file, [chatbot, task_history, addfile_btn], [chatbot, task_history])
    empty_bin.click(lambda: ([], []), [], [chatbot, task_history])

if __name__ == "__main__":
    demo.queue().launch()
