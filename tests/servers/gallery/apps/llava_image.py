"""LLaVA's server: an image component beside the box, a cursor, and a state made by `load`."""

import gradio as gr
from model import reply, shown


def load_demo():
    return {"messages": [], "images": []}


def add_text(state, text, image):
    state = {**state, "messages": [*state["messages"], [text[:1536], None]]}
    if image is not None:
        state["images"] = [*state["images"], image]
    return state, shown(state["messages"]), "", None


def http_bot(state, temperature):
    *earlier, (question, _) = state["messages"]
    state["messages"][-1][1] = "▌"
    yield state, shown(state["messages"])
    for text in reply(question, earlier, temperature=temperature, files=state["images"]):
        state["messages"][-1][1] = text + "▌"
        yield state, shown(state["messages"])
    state["messages"][-1][1] = state["messages"][-1][1][:-1]
    yield state, shown(state["messages"])


with gr.Blocks() as demo:
    state = gr.State()
    with gr.Row():
        with gr.Column(scale=3):
            imagebox = gr.Image(type="pil")
            temperature = gr.Slider(0.0, 1.0, value=0.2, step=0.1, label="Temperature")
        with gr.Column(scale=8):
            chatbot = gr.Chatbot(elem_id="chatbot", label="LLaVA Chatbot", height=650)
            textbox = gr.Textbox(show_label=False, placeholder="Enter text and press ENTER")
            submit_btn = gr.Button(value="Send", variant="primary")
    for event in (textbox.submit, submit_btn.click):
        event(
            add_text, [state, textbox, imagebox], [state, chatbot, textbox, imagebox], queue=False
        ).then(http_bot, [state, temperature], [state, chatbot])
    demo.load(load_demo, None, [state])

if __name__ == "__main__":
    demo.queue().launch()
