"""The least chat interface: text in, the whole answer out, nothing set."""

from typing import Any

from .launch import Model, serve
from .messages import messages_type, read_history
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr

    def reply(message: str, history: list[Any], request: gr.Request) -> str:
        question = Question(message, read_history(history), headers=dict(request.headers))
        *_, last = model.ask("reply", question, many=False)
        return last.text

    return gr.ChatInterface(reply, **messages_type(gr.ChatInterface))


if __name__ == "__main__":
    serve(build)
