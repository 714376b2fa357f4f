"""LMDeploy's web demo for InternLM: buttons as inputs, and a session number set by `load`."""

import itertools

import gradio as gr
from model import reply, shown

NUMBERS = itertools.count(1)


def chat_stream(instruction, state_chatbot, cancel_btn, reset_btn, session_id, temperature):
    if not session_id:
        raise gr.Error("no session")
    state_chatbot = [*state_chatbot, [instruction, ""]]
    earlier = state_chatbot[:-1]
    for text in reply(instruction, earlier, temperature=temperature):
        state_chatbot[-1][1] = text
        yield state_chatbot, shown(state_chatbot), gr.Button(interactive=True), gr.Button()
    yield state_chatbot, shown(state_chatbot), gr.Button(interactive=False), gr.Button()


with gr.Blocks() as demo:
    state_chatbot = gr.State([])
    state_session_id = gr.State(0)
    gr.Markdown("## LMDeploy Playground")
    chatbot = gr.Chatbot(elem_id="chatbot", label="internlm-chat")
    box = gr.Textbox(placeholder="Please input the instruction", label="Instruction")
    with gr.Row():
        cancel_btn = gr.Button(value="Cancel", interactive=False)
        reset_btn = gr.Button(value="Reset")
        temperature = gr.Slider(0.01, 1.5, value=0.7, step=0.01, label="Temperature")
    send = box.submit(
        chat_stream,
        [box, state_chatbot, cancel_btn, reset_btn, state_session_id, temperature],
        [state_chatbot, chatbot, cancel_btn, reset_btn],
    )
    box.submit(lambda: gr.update(value=""), [], [box])
    cancel_btn.click(lambda: gr.Button(interactive=False), None, cancel_btn, cancels=[send])
    reset_btn.click(lambda: ([], []), None, [state_chatbot, chatbot], cancels=[send])
    demo.load(lambda: next(NUMBERS), None, state_session_id)

if __name__ == "__main__":
    demo.queue().launch()
