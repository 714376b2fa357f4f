"""Tools, and models that say what a test wants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Prompt, Reply, Sandbox
from tests.unit.chat_models.ways import MODEL

CALL = "<tool_call>"
NONCE = "k7f2m9q4"
_TAG = re.compile(r'<tool_call id="\w+">')
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
    """A model that gives these answers, one a call and the last one for ever, and its server.

    Where it is told an id for its calls, it writes it.
    """
    left = list(answers)

    def script(prompt: Prompt) -> Any:
        return told(prompt, left.pop(0) if len(left) > 1 else left[0])

    with Sandbox(script) as sandbox:
        yield ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, **settings), sandbox


def marked(text: str) -> str:
    """The text with `NONCE` in its calls."""
    return text.replace(CALL, f'<tool_call id="{NONCE}">')


def told(prompt: Prompt, answer: Any) -> Any:
    """An answer with calls as the model is told to write them."""
    asked = "\n".join(str(message["content"]) for message in prompt.messages)
    if isinstance(answer, Reply):
        return replace(answer, text=as_told(asked, answer.text))
    if isinstance(answer, str):
        return as_told(asked, answer)
    return [*as_told(asked, "".join(answer))]


def as_told(asked: str, answer: str) -> str:
    """An answer with the id in its calls that stands in what is asked, if one does."""
    tags = _TAG.findall(asked)
    return answer.replace(CALL, tags[-1]) if tags else answer


def asked(sandbox: Sandbox) -> str:
    """What the server's model was told last by the user."""
    content = sandbox.prompts[-1][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def system(sandbox: Sandbox) -> str:
    """What the newest conversation began with."""
    return systems(sandbox)[-1]


def systems(sandbox: Sandbox) -> list[str]:
    """What each conversation began with."""
    created = [each.json for each in sandbox.requests if each.path.endswith("/conversation")]
    return [str(each.get("preprompt", "")) for each in created]


def calls(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    """Name and arguments of each call."""
    return [(call["name"], call["args"]) for call in message.tool_calls]
