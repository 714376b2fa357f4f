"""A page whose labels are Chinese; `elem_id` says what the inputs are."""

import gradio as gr
from model import pairs, reply, shown


def respond(message, chat, system, heat):
    chat = pairs(chat)
    for text in reply(message, chat, system=system, temperature=heat):
        yield "", shown([*chat, [message, text]])


with gr.Blocks(title="智能对话") as demo:
    chatbot = gr.Chatbot(label="对话")
    message = gr.Textbox(label="输入框", placeholder="请输入您的问题")
    system = gr.Textbox("你是一个有用的助手。", label="系统提示词", elem_id="system_prompt")
    heat = gr.Slider(0.0, 1.0, value=0.7, label="温度", elem_id="temperature")
    send, clear = gr.Button("发送"), gr.Button("清空")
    for event in (message.submit, send.click):
        event(respond, [message, chatbot, system, heat], [message, chatbot])
    clear.click(lambda: [], None, chatbot)

if __name__ == "__main__":
    demo.launch()
