"""MiniCPM-V's demo: the Regenerate button comes first, the answer is given at once."""

import gradio as gr
from model import answer, pairs, shown


def respond(question, chat_bot, app_session):
    context = app_session["ctx"]
    text = answer(question, context)
    app_session["ctx"] = [*context, (question, text)]
    return "", shown([*pairs(chat_bot), [question, text]]), app_session


def regenerate_button_clicked(question, chat_bot, app_session):
    chat_bot = pairs(chat_bot)
    if not chat_bot:
        gr.Warning("No question to answer again.")
        return "", shown(chat_bot), app_session
    question = chat_bot[-1][0]
    app_session["ctx"] = app_session["ctx"][:-1]
    return respond(question, shown(chat_bot[:-1]), app_session)


with gr.Blocks() as demo:
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            regenerate = gr.Button("Regenerate")
            clear = gr.Button("Clear History")
        with gr.Column(scale=3, min_width=500):
            app_session = gr.State({"sts": None, "ctx": [], "img": None})
            chat_bot = gr.Chatbot(label="Chat with MiniCPM-V", height=600)
            txt_message = gr.Textbox(label="Input text")
    everything = [txt_message, chat_bot, app_session]
    regenerate.click(regenerate_button_clicked, everything, everything)
    clear.click(lambda: ("", [], {"sts": None, "ctx": [], "img": None}), None, everything)
    txt_message.submit(respond, everything, everything)

if __name__ == "__main__":
    demo.launch()
