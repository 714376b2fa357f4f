"""What the service's model hears of a conversation, and what is refused beforehand."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.testing import FlowGptSandbox
from tests.unit.chat_models.ways import WAYS, ask

PNG = "iVBORw0KGgo="
GREETING = {"role": "assistant", "content": "Hello, how can I help you today?"}
CONVERSATIONS: dict[str, tuple[list[BaseMessage], list[tuple[str, str]]]] = {
    "questions in a row": (
        [HumanMessage("a"), AIMessage("b"), HumanMessage("c"), HumanMessage("d")],
        [("user", "a"), ("assistant", "b"), ("user", "c\nd")],
    ),
    "answer last": (
        [HumanMessage("count"), AIMessage("one, two")],
        [("user", "count"), ("assistant", "one, two"), ("user", "Go on from here.")],
    ),
    "reasoning": (
        [
            HumanMessage("a"),
            AIMessage([{"type": "reasoning", "reasoning": "secretly"}, "b"]),
            HumanMessage("c"),
        ],
        [("user", "a"), ("assistant", "b"), ("user", "c")],
    ),
}


@pytest.mark.parametrize(("messages", "heard"), CONVERSATIONS.values(), ids=[*CONVERSATIONS])
@pytest.mark.parametrize("way", WAYS)
async def test_model_hears_the_conversation(
    sandbox: FlowGptSandbox, way: str, messages: list[BaseMessage], heard: list[tuple[str, str]]
) -> None:
    """Roles are told apart by the service, so nothing in a text can forge one."""
    model = ChatFlowGpt(base_url=sandbox.base_url, default_system="")
    await ask(model, way, messages)
    said = [{"role": role, "content": text} for role, text in heard]
    assert sandbox.prompts == [[GREETING, *said]]


@pytest.mark.proves("fault:49:FG")
@pytest.mark.parametrize(
    "messages",
    [
        [],
        [SystemMessage("Be brief.")],
        [HumanMessage("")],
        [AIMessage("hi")],
        [ToolMessage("2", tool_call_id="1")],
    ],
    ids=["nothing", "system only", "empty", "assistant only", "tool only"],
)
@pytest.mark.parametrize("way", WAYS)
async def test_what_cannot_be_answered_is_refused_before_anything_is_sent(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str, messages: list[BaseMessage]
) -> None:
    """It is a ValueError, too."""
    with pytest.raises(ConfigurationError):
        await ask(model, way, messages)
    assert not sandbox.requests


IMAGE = {"type": "image", "base64": PNG, "mime_type": "image/png"}
REMOTE = {"type": "image", "url": "http://127.0.0.1:1/a.png"}


@pytest.mark.proves("fault:49:FG")
@pytest.mark.parametrize("block", [IMAGE, REMOTE], ids=["image", "address"])
@pytest.mark.parametrize("how", ["content", "argument"])
@pytest.mark.parametrize("way", WAYS)
async def test_image_is_refused_before_anything_is_sent(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str, how: str, block: dict[str, Any]
) -> None:
    """Neither the service nor the address of a picture is asked."""
    content: list[Any] = [{"type": "text", "text": "see"}]
    options: dict[str, Any] = {}
    if how == "content":
        content.append(block)
    else:
        options["media"] = [block.get("url") or (base64.b64decode(PNG), "a.png")]
    with pytest.raises(UnsupportedMediaError, match="text only"):
        await ask(model, way, [HumanMessage(content)], **options)
    assert not sandbox.requests
