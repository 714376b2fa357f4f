"""Tools, and models that say what a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Prompt, Reply, Sandbox
from tests.unit_tests.chat_models.ways import MODEL

ADD = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'
ECHO = '<tool_call>{"name": "repeat", "arguments": {"text": "ä<b>"}}</tool_call>'
NO_CALL = "That was no tool call."


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def repeat(text: str) -> str:
    """Say it again."""
    return text


@contextmanager
def saying(
    *answers: str | Reply | Iterable[str], **settings: Any
) -> Iterator[tuple[ChatHuggingChat, Sandbox]]:
    """A model that gives these answers, one a call and the last one for ever, and its server."""
    left = list(answers)

    def script(_prompt: Prompt) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    with Sandbox(script) as sandbox:
        yield ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, **settings), sandbox


def asked(sandbox: Sandbox) -> str:
    """What the server's model was told last by the user."""
    content = sandbox.prompts[-1][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def system(sandbox: Sandbox) -> str:
    """What the newest conversation began with."""
    created = [each.json for each in sandbox.requests if each.path.endswith("/conversation")]
    return str(created[-1].get("preprompt", ""))


def calls(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    """Name and arguments of each call."""
    return [(call["name"], call["args"]) for call in message.tool_calls]
