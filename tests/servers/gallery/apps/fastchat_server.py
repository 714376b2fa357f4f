"""FastChat's server: a state object made by `load`, a model dropdown, and a cursor at the end."""

import gradio as gr
from model import reply, shown

MODELS = ["vicuna-13b", "koala-13b"]


class State:
    def __init__(self):
        self.messages = []
        self.model = ""


def load_demo():
    return State(), gr.Dropdown(choices=MODELS, value=MODELS[0], visible=True)


def add_text(state, model_selector, text):
    state = state or State()
    state.model = model_selector
    state.messages.append([text, None])
    return state, shown(state.messages), ""


def bot_response(state, temperature, top_p):
    if state.model not in MODELS:
        raise gr.Error(f"no model {state.model}")
    question, earlier = state.messages[-1][0], state.messages[:-1]
    text = ""
    for text in reply(question, earlier, temperature=temperature):
        state.messages[-1][1] = text + "▌"
        yield state, shown(state.messages)
    state.messages[-1][1] = text
    yield state, shown(state.messages)


with gr.Blocks() as demo:
    state = gr.State()
    model_selector = gr.Dropdown(choices=[], label="Model", allow_custom_value=True)
    chatbot = gr.Chatbot(elem_id="chatbot", label="Scroll down and start chatting")
    textbox = gr.Textbox(show_label=False, placeholder="Enter your prompt here and press ENTER")
    send_btn, regenerate_btn = gr.Button("Send"), gr.Button("🔄  Regenerate")
    heat = gr.Slider(0.0, 1.0, value=0.7, step=0.1, label="Temperature")
    top_p = gr.Slider(0.0, 1.0, value=1.0, step=0.1, label="Top P")
    regenerate_btn.click(bot_response, [state, heat, top_p], [state, chatbot])
    for event in (textbox.submit, send_btn.click):
        event(add_text, [state, model_selector, textbox], [state, chatbot, textbox]).then(
            bot_response, [state, heat, top_p], [state, chatbot]
        )
    demo.load(load_demo, None, [state, model_selector])

if __name__ == "__main__":
    demo.queue(default_concurrency_limit=10).launch()
