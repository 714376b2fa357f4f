"""A plain chat interface with files and two extra inputs, as `gr.ChatInterface` makes it."""

from pathlib import Path
from typing import Any

from .launch import Model, serve
from .messages import assistant_messages, messages_type, read_history
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr

    def chat(
        message: dict[str, Any],
        history: list[Any],
        system_prompt: str,
        temperature: float,
        request: gr.Request,
    ) -> Any:
        question = Question(
            message["text"],
            read_history(history),
            [Path(path) for path in message["files"]],
            system=system_prompt,
            inputs={"Temperature": temperature},
            headers=dict(request.headers),
        )
        for reply in model.ask("chat", question, many=False):
            yield assistant_messages(reply) if reply.thought else reply.text

    return gr.ChatInterface(
        chat,
        multimodal=True,
        title="Chat stand-in",
        additional_inputs=[
            gr.Textbox("Be brief.", label="System prompt"),
            gr.Slider(0, 1, 0.7, label="Temperature"),
        ],
        **messages_type(gr.ChatInterface),
    )


if __name__ == "__main__":
    serve(build)
