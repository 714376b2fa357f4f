"""Chat messages as an app sees them, on every line of Gradio (docs/protocols/gradio-space.md).

Section 7 has the shapes: a string or a file on Gradio 5, a list of typed parts on Gradio 6, and
pairs of texts in apps that are older still.
"""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .model import PartialAnswer


def messages_type(component: Callable[..., Any]) -> dict[str, str]:
    """Return the argument that asks for messages, where Gradio has another type beside them."""
    return {"type": "messages"} if "type" in inspect.signature(component).parameters else {}


def text_of(content: Any) -> str:
    """Return the text of a message's content, or of a part of it; a file has none."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(map(text_of, content))
    # A bare string in a list of parts is what the API of a Gradio 6 chat interface remembers.
    text: str = content.get("text", "") if isinstance(content, dict) else ""
    return text


def read_history(history: Iterable[Any]) -> list[tuple[str, str]]:
    """Return role and text of each message."""
    messages = []
    for message in history:
        if isinstance(message, dict):
            messages.append((message["role"], text_of(message["content"])))
        else:
            user, assistant = message
            messages += [("user", text_of(user)), ("assistant", text_of(assistant))]
    return messages


def split_last(history: Iterable[Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return the text of the last message, and what came before its turn.

    The files of a turn are messages of their own, in front of the text.
    """
    *earlier, (_, text) = read_history(history)
    while earlier and earlier[-1] == ("user", ""):
        earlier.pop()
    return text, earlier


def user_messages(text: str, files: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """Return what the user says: the files first, then the text."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": {"path": str(path)}} for path in files
    ]
    if text:
        messages.append({"role": "user", "content": text})
    return messages


def assistant_messages(reply: PartialAnswer) -> list[dict[str, Any]]:
    """Return what the assistant has said so far: its thought, the answer, and what follows."""
    messages: list[dict[str, Any]] = []
    if reply.thought:
        metadata: dict[str, Any] = {"title": "Thinking", "status": "pending"}
        if reply.thought_s is not None:
            metadata.update(status="done", duration=reply.thought_s)
        messages.append({"role": "assistant", "content": reply.thought, "metadata": metadata})
    if not reply.thought or reply.thought_s is not None:
        messages.append({"role": "assistant", "content": reply.text})
    messages += [{"role": "assistant", "content": text} for text in reply.extra]
    return messages
