"""Two chats in one app, each with an API name of its own."""

from typing import Any

from .launch import Model, serve
from .messages import assistant_messages, messages_type, read_history
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr

    def add_chat(name: str) -> None:
        def respond(message: str, history: list[Any], request: gr.Request) -> Any:
            question = Question(message, read_history(history), headers=dict(request.headers))
            asked = [*history, {"role": "user", "content": message}]
            for reply in model.ask(name, question):
                yield "", [*asked, *assistant_messages(reply)]

        with gr.Tab(name.title()):
            chatbot = gr.Chatbot(label=name.title(), **messages_type(gr.Chatbot))
            box = gr.Textbox(label=f"Ask the {name} one")
            box.submit(respond, [box, chatbot], [box, chatbot], api_name=name)

    with gr.Blocks(title="Two chats") as app:
        add_chat("fast")
        add_chat("careful")
    return app


if __name__ == "__main__":
    serve(build)
