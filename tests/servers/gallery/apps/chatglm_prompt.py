"""ChatGLM3's demo: a box without a label for the prompt, with a button that sets it."""

import gradio as gr
from model import pairs, reply, shown


def predict(history, prompt, max_length, top_p, temperature):
    history = pairs(history)
    question = history[-1][0]
    for text in reply(question, history[:-1], system=prompt.strip(), temperature=temperature):
        history[-1][1] = text
        yield shown(history)


def user(query, history):
    return "", shown([*pairs(history), [query, None]])


with gr.Blocks() as demo:
    gr.HTML("<h1 align='center'>ChatGLM3-6B Gradio Demo</h1>")
    chatbot = gr.Chatbot()
    with gr.Row():
        with gr.Column(scale=3):
            user_input = gr.Textbox(show_label=False, placeholder="Input...", lines=10)
            submit = gr.Button("Submit")
        with gr.Column(scale=1):
            prompt_input = gr.Textbox(show_label=False, placeholder="Prompt", lines=10)
            set_prompt = gr.Button("Set Prompt")
        with gr.Column(scale=1):
            empty = gr.Button("Clear History")
            max_length = gr.Slider(0, 32768, value=8192, step=1.0, label="Maximum length")
            top_p = gr.Slider(0, 1, value=0.8, step=0.01, label="Top P")
            temperature = gr.Slider(0.01, 1, value=0.6, step=0.01, label="Temperature")
    set_prompt.click(lambda text: shown([[text, "Prompt is set"]]), [prompt_input], chatbot)
    submit.click(user, [user_input, chatbot], [user_input, chatbot], queue=False).then(
        predict, [chatbot, prompt_input, max_length, top_p, temperature], chatbot
    )
    empty.click(lambda: [], None, chatbot, queue=False)

if __name__ == "__main__":
    demo.queue().launch()
