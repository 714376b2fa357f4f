"""A stand-in for the Phi-4 Space (docs/protocols/gradio-space.md, sections 1, 3 and 8).

The message box is component 8. Function 10 stores the message in the session's state without the
queue, 11 answers from it as a generator, 12 gives the box free again.
"""

from pathlib import Path
from typing import Any

from .launch import Model, serve
from .messages import assistant_messages, messages_type, split_last, user_messages
from .model import Question


def build(model: Model) -> Any:
    """Return the app."""
    import gradio as gr

    def add_message(
        history: list[Any], message: dict[str, Any], state: dict[str, Any]
    ) -> tuple[list[Any], Any, dict[str, Any]]:
        text, files = message["text"], list(message["files"])
        state = {
            "prompts": [*state["prompts"], text],
            "files": [*state["files"], *files],
            "new_files": files,
        }
        cleared = gr.MultimodalTextbox(value=None, interactive=False)
        return [*history, *user_messages(text, map(Path, files))], cleared, state

    def respond(history: list[Any], state: dict[str, Any], request: gr.Request) -> Any:
        text, earlier = split_last(history)
        question = Question(
            text,
            earlier,
            [Path(path) for path in state["new_files"]],
            turn=len(state["prompts"]),
            prompts=state["prompts"],
            files_so_far=len(state["files"]),
            headers=dict(request.headers),
        )
        for reply in model.ask("respond", question):
            yield [*history, *assistant_messages(reply)], state

    nothing: dict[str, Any] = {"prompts": [], "files": [], "new_files": []}
    with gr.Blocks(title="Phi-4 stand-in") as app:
        gr.Markdown("# Stand-in for a multimodal chat Space")
        state = gr.State(nothing)
        chatbot = gr.Chatbot([], label="Phi-4", **messages_type(gr.Chatbot))
        for _ in range(4):
            gr.Markdown("", visible=False)
        box = gr.MultimodalTextbox(
            file_count="multiple", sources=["upload"], placeholder="Ask", show_label=False
        )
        clear = gr.Button("Clear")
        for number in range(9):
            sample = gr.Button(f"Sample {number}")
            chosen = {"text": f"Sample {number}", "files": []}
            sample.click(lambda chosen=chosen: chosen, None, [box], show_progress="hidden")
        clear.click(lambda: ([], nothing), None, [chatbot, state])
        box.submit(add_message, [chatbot, box, state], [chatbot, box, state], queue=False).then(
            respond, [chatbot, state], [chatbot, state]
        ).then(lambda: gr.MultimodalTextbox(interactive=True), None, [box])
    return app


if __name__ == "__main__":
    serve(build)
