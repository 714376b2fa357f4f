"""The apps, from one that is like the Phi-4 Space to one that is no chat at all.

`python -m apps.spaces phi4 ...` serves one. The names of the functions are those that Gradio gives
to the endpoints, unless an app names them itself.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .launch import Model, serve
from .messages import (
    assistant_messages,
    messages_type,
    read_history,
    split_last,
    user_messages,
)
from .model import Question


def phi4(model: Model) -> Any:
    """Return an app like the Phi-4 Space (docs/protocols/gradio-space.md, sections 1, 3 and 8).

    The message box is component 8. Function 10 stores the message in the session's state without
    the queue, 11 answers from it as a generator, 12 gives the box free again.
    """
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


def chat_interface(model: Model) -> Any:
    """Return a chat interface with files and two additional inputs."""
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


def chat_interface_text(model: Model) -> Any:
    """Return the smallest chat interface: text in, the whole answer out."""
    import gradio as gr

    def reply(message: str, history: list[Any], request: gr.Request) -> str:
        question = Question(message, read_history(history), headers=dict(request.headers))
        *_, last = model.ask("reply", question, many=False)
        return last.text

    return gr.ChatInterface(reply, **messages_type(gr.ChatInterface))


def blocks(model: Model) -> Any:
    """Return a chat as most people write it: a text box, a button, two steps, some sliders."""
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


def two_chats(model: Model) -> Any:
    """Return two chats in one app, each with an API name of its own."""
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


def files(model: Model) -> Any:
    """Return a chat that answers with a text, a picture and a file to download."""
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


def no_chat(_model: Model) -> Any:
    """Return an app that is no chat: a text becomes a picture."""
    import gradio as gr
    from PIL import Image

    def paint(prompt: str) -> Any:
        return Image.new("RGB", (8, 8), (len(prompt) % 256, 64, 128))

    return gr.Interface(paint, gr.Textbox(label="Prompt"), gr.Image(label="Picture"))


_APPS: tuple[Callable[[Model], Any], ...] = (
    phi4,
    chat_interface,
    chat_interface_text,
    blocks,
    two_chats,
    files,
    no_chat,
)

if __name__ == "__main__":
    serve({build.__name__: build for build in _APPS})
