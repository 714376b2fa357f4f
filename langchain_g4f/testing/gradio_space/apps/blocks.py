"""A chat of blocks as most people write it: a text box, a button, two steps, some sliders."""

from typing import Any

from .launch import Model, serve
from .messages import assistant_messages, messages_type, split_last
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr

    def user(message: str, history: list[Any]) -> tuple[str, list[Any]]:
        return "", [*history, {"role": "user", "content": message}]

    def bot(history: list[Any], max_tokens: float, top_p: float, request: gr.Request) -> Any:
        text, earlier = split_last(history)
        question = Question(
            text,
            earlier,
            inputs={"Max new tokens": max_tokens, "Top-p": top_p},
            headers=dict(request.headers),
        )
        for reply in model.ask("bot", question):
            yield [*history, *assistant_messages(reply)]

    with gr.Blocks(title="Assistant") as app:
        gr.Markdown("# Assistant")
        chatbot = gr.Chatbot(**messages_type(gr.Chatbot))
        with gr.Row():
            box = gr.Textbox(placeholder="Type a message", show_label=False, scale=4)
            send = gr.Button("Send", variant="primary")
        with gr.Accordion("Parameters", open=False):
            max_tokens = gr.Slider(1, 4096, 512, step=1, label="Max new tokens")
            top_p = gr.Slider(0, 1, 0.9, label="Top-p")
        for trigger in (box.submit, send.click):
            trigger(user, [box, chatbot], [box, chatbot], queue=False).then(
                bot, [chatbot, max_tokens, top_p], chatbot
            )
        gr.ClearButton([box, chatbot])
    return app


if __name__ == "__main__":
    serve(build)
