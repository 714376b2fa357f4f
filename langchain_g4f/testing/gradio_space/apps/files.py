"""A chat that answers with a text, a picture and a file to download."""

from pathlib import Path
from typing import Any

from .launch import Model, serve
from .messages import assistant_messages, messages_type, read_history
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr
    from PIL import Image

    # Gradio hands out files of the working directory, which is the server's own.
    folder = Path.cwd()
    Image.new("RGB", (6, 4), (200, 30, 30)).save(folder / "picture.png")

    def respond(message: str, history: list[Any], request: gr.Request) -> Any:
        question = Question(message, read_history(history), headers=dict(request.headers))
        asked = [*history, {"role": "user", "content": message}]
        said = asked
        for reply in model.ask("respond", question):
            said = [*asked, *assistant_messages(reply)]
            yield "", said
        notes = folder / "notes.txt"
        notes.write_text(f"Notes on: {message}\n", encoding="utf-8")
        for path in (folder / "picture.png", notes):
            content = {"path": str(path), "alt_text": path.stem}
            said = [*said, {"role": "assistant", "content": content}]
            yield "", said

    with gr.Blocks(title="Chat with files") as app:
        chatbot = gr.Chatbot(**messages_type(gr.Chatbot))
        box = gr.Textbox()
        box.submit(respond, [box, chatbot], [box, chatbot], api_name="chat")
    return app


if __name__ == "__main__":
    serve(build)
