"""What these tests ask, and how they look at what the sandbox got and kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIError
from langchain_g4f.testing import Conversation, Sandbox
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, add_up, ask

Generation: TypeAlias = Literal["current", "legacy"]
E = TypeVar("E", bound=APIError)


def echo(turn: int, text: str, model: str = MODEL) -> str:
    """What the sandbox answers in this turn of a conversation."""
    return f"Echo ({model}, turn {turn}): {text}"


def said(*texts: str) -> list[BaseMessage]:
    """User messages."""
    return [HumanMessage(text) for text in texts]


def handle(answer: BaseMessage) -> dict[str, Any]:
    """The handle of an answer."""
    found: dict[str, Any] = answer.response_metadata["conversation"]
    return found


def only(sandbox: Sandbox) -> Conversation:
    """The one conversation that the server has."""
    (conversation,) = sandbox.conversations.values()
    return conversation


def branches(conversation: Conversation) -> list[list[str]]:
    """What is said on each branch, from the first user message to the last answer."""
    leaves = [message for message in conversation.messages if not message.children]
    return [[m.content for m in conversation.branch(leaf.id)[1:]] for leaf in leaves]


def sends(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The `data` part of each message that was sent."""
    return [json.loads(request.form["data"]) for request in sandbox.requests if request.form]


def inputs(sandbox: Sandbox) -> list[str | None]:
    """The text of each message that was sent."""
    return [data.get("inputs") for data in sends(sandbox)]


def asked(sandbox: Sandbox) -> list[list[tuple[str, Any]]]:
    """What the model received for each answer: role and content, empty system prompts left out."""
    return [
        [(message["role"], message["content"]) for message in prompt if message["content"]]
        for prompt in sandbox.prompts
    ]


def paths(sandbox: Sandbox) -> list[str]:
    """Method and path of each request."""
    return [f"{request.method} {request.path}" for request in sandbox.requests]


class Watcher:
    """Keeps the progress that a model reports."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.seen.append(progress)

    @property
    def kinds(self) -> list[str]:
        """What kinds there were, in order."""
        return [progress.kind for progress in self.seen]


def history(*messages: BaseMessage | str | Sequence[BaseMessage]) -> list[BaseMessage]:
    """A history out of answers and user messages."""
    found: list[BaseMessage] = []
    for message in messages:
        if isinstance(message, str):
            found.append(HumanMessage(message))
        elif isinstance(message, BaseMessage):
            found.append(message)
        else:
            found.extend(message)
    return found


async def heard(
    model: ChatHuggingChat, way: str, prompt: Any, error: type[E]
) -> tuple[list[AIMessageChunk], E]:
    """The chunks of a stream that fails, and how it fails."""
    found: list[AIMessageChunk] = []

    async def listen() -> None:
        async for chunk in _chunks(model, way, prompt):
            found.append(chunk)  # noqa: PERF401 -- what comes before the error is wanted

    with pytest.raises(error) as caught:
        await listen()
    return found, caught.value


async def _chunks(model: ChatHuggingChat, way: str, prompt: Any) -> AsyncIterator[AIMessageChunk]:
    if way == "stream":
        for chunk in model.stream(prompt):
            yield chunk
    else:
        async for chunk in model.astream(prompt):
            yield chunk


def plain(answer: AIMessage) -> AIMessage:
    """The answer without its metadata, as a history from elsewhere has it."""
    return AIMessage(answer.text)


__all__ = ["MODEL", "OTHER_MODEL", "add_up", "ask"]
