"""A call of FlowGPT's plan, as far as its first effect."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from langchain_g4f.core.chat_request import ChatRequest, Message
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import Request
from langchain_g4f.core.plan import Plan, Stream
from langchain_g4f.providers.flowgpt import FlowGPT, plan
from tests.unit.run.world import Service

NOW_S = 1713341603
NONCE = "0123456789abcdef0123456789abcdef"
TOKEN = "member-token"
SERVICE = FlowGPT(
    base_url="http://service.example",
    device_id="f-abcdefghij012345678",
    greeting="Hello!",
    default_system="Be helpful.",
)
MEMBER = replace(SERVICE, api_key=TOKEN)


def context(**given: Any) -> CallContext:
    """What the calls of a model share: the clock and the ids of section 4, if nothing else."""
    defaults: dict[str, Any] = {"wall_clock": lambda: NOW_S + 0.9, "new_id": lambda: NONCE}
    return replace(Service().context(), provider="flowgpt", **defaults | given)


def started(
    chat_request: ChatRequest, service: FlowGPT = SERVICE, shared: CallContext | None = None
) -> tuple[Plan, Stream]:
    """A plan, and the first thing it wants done."""
    steps = plan(chat_request, shared or context(), service)
    effect = next(steps)
    assert isinstance(effect, Stream)
    return steps, effect


def asking(*messages: Message | str, **more: Any) -> ChatRequest:
    """A turn with these messages; text is the user's."""
    said = (m if isinstance(m, Message) else Message("user", m) for m in messages)
    return ChatRequest(tuple(said), "gpt-3.5-turbo", **more)


def request_of(
    chat_request: ChatRequest, service: FlowGPT = SERVICE, shared: CallContext | None = None
) -> Request:
    """The request of a call."""
    return started(chat_request, service, shared)[1].make_request()


def body_of(chat_request: ChatRequest, service: FlowGPT = SERVICE) -> dict[str, Any]:
    """Its body."""
    sent = request_of(chat_request, service).body
    assert isinstance(sent, bytes)
    body: dict[str, Any] = json.loads(sent)
    return body
