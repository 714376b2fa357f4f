"""A service with a model that knows its lines, and what has to be there when they are said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_g4f import ChatFlowGpt, ChatHuggingChat
from langchain_g4f.testing import FlowGptSandbox, Prompt, Sandbox, Script
from langchain_g4f.tools.normal_form import normal_form
from langchain_g4f.tools.prompt import nonce_in
from tests.contract.sandbox.huggingchat.asking import Generation
from tests.unit.chat_models.tools import told

SERVICES = ("huggingchat", "huggingchat-legacy", "flowgpt")
NATIVE = ("huggingchat", "huggingchat-legacy")
VISION = "sandbox/vision-tools"

Serve: TypeAlias = Callable[..., "Service"]


@dataclass(frozen=True, slots=True)
class Service:
    """A server and a chat model on it.

    Attributes:
        kind: One of `SERVICES`.
    """

    kind: str
    sandbox: Sandbox | FlowGptSandbox
    model: ChatHuggingChat | ChatFlowGpt

    @property
    def answers(self) -> int:
        """How often the service's model was asked."""
        return len(self.sandbox.prompts)

    def expect_cost(self, answers: int, besides: int = 0) -> None:
        """So many answers, and no request more than they take, but for those `besides`.

        FlowGPT takes one for each. A chat-ui server takes two: to create or to read, and to send;
        an older one is read once more when the conversation begins, first in the way of the new.
        """
        begin = 2 if self.kind == "huggingchat-legacy" else 0
        each = 1 if self.kind == "flowgpt" else 2
        assert self.answers == answers
        assert len(self.sandbox.requests) == begin + each * answers + besides

    def expect_told_once(self, messages: Sequence[BaseMessage]) -> None:
        """The service has these messages once, in one conversation if it keeps any."""
        said = as_said(messages)
        if isinstance(self.sandbox, Sandbox):
            (conversation,) = self.sandbox.conversations.values()
            kept = [_as_asked_for(m.role, m.content) for m in conversation.messages[1:]]
            assert kept == said
        *asked, _ = said
        assert self.told() == asked

    def told(self, answer: int = -1) -> list[str]:
        """What the model had before it in its latest answer, without what was before all."""
        prompt = [m for m in self.sandbox.prompts[answer] if m["role"] != "system"]
        texts = [_as_asked_for(m["role"], str(m["content"])) for m in prompt]
        return texts[1:] if self.kind == "flowgpt" else texts  # its greeting

    def system(self, answer: int = -1) -> str:
        """The system prompt that the model had."""
        prompt = self.sandbox.prompts[answer]
        return "\n".join(str(m["content"]) for m in prompt if m["role"] == "system")


def _as_asked_for(role: str, text: str) -> str:
    """A service keeps an answer as it was written, LangChain its text and its calls."""
    return _without_id(normal_form(text, nonce_in(text))) if role == "assistant" else text


def _without_id(text: str) -> str:
    return re.sub(r'<tool_call id="\w+">', "<tool_call>", text)


def as_said(messages: Sequence[BaseMessage]) -> list[str]:
    """A history as it stands in a conversation: calls in the answers, results as one message."""
    return [
        "\n".join(map(_text, run))
        for _, run in groupby(messages, key=lambda message: isinstance(message, AIMessage))
    ]


def _text(message: BaseMessage) -> str:
    match message:
        case AIMessage():
            calls = [call(each["name"], **each["args"]) for each in message.tool_calls]
            text = message.text.strip() if calls else message.text
            return "\n".join(filter(None, [text, *calls]))
        case ToolMessage():
            return response(message)
        case HumanMessage():
            return message.text
        case _:
            raise TypeError(message)


def call(name: str, /, **arguments: Any) -> str:
    """A tool call as a model writes it."""
    said = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>{said}</tool_call>"


def response(message: ToolMessage) -> str:
    """A result as the model is told it."""
    about = f'id="{message.tool_call_id}" name="{message.name}" status="{message.status}"'
    return f"<tool_response {about}>\n{message.text}\n</tool_response>"


def in_turn(*lines: str) -> Script:
    """A model that says these lines, one an answer, with the id that it is told in its calls."""
    left = iter(lines)

    def say(prompt: Prompt) -> str:
        return str(told(prompt, next(left, "There was nothing more to say.")))

    return say


@contextmanager
def service(kind: str, *lines: str, model: str | None = None) -> Iterator[Service]:
    """A service of this kind, whose model says these lines."""
    script = in_turn(*lines)
    sandbox: Sandbox | FlowGptSandbox
    chat: ChatHuggingChat | ChatFlowGpt
    if kind == "flowgpt":
        with FlowGptSandbox(script) as sandbox:
            chat = ChatFlowGpt(base_url=sandbox.base_url, default_system="")
            yield Service(kind, sandbox, chat)
        return
    generation: Generation = "legacy" if kind.endswith("legacy") else "current"
    with Sandbox(script, generation) as sandbox:
        chat = ChatHuggingChat(base_url=sandbox.base_url, model=model or "sandbox/text-small")
        yield Service(kind, sandbox, chat)


__all__ = [
    "NATIVE",
    "SERVICES",
    "VISION",
    "Serve",
    "Service",
    "as_said",
    "call",
    "in_turn",
    "response",
    "service",
]
