"""Messages that reach the service, and those that are refused before."""

from __future__ import annotations

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import FlowGptSandbox
from tests.unit.chat_models.ways import WAYS, ask

GREETING = {"role": "assistant", "content": "Hello, how can I help you today?"}


@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_of_an_answer_is_not_sent(sandbox: FlowGptSandbox, way: str) -> None:
    """Each message has its role, so no text can forge one."""
    model = ChatFlowGpt(base_url=sandbox.base_url, default_system="")
    answer = AIMessage([{"type": "reasoning", "reasoning": "secretly"}, "b"])
    await ask(model, way, [HumanMessage("a"), answer, HumanMessage("c")])
    said = [("user", "a"), ("assistant", "b"), ("user", "c")]
    assert sandbox.prompts == [[GREETING, *({"role": r, "content": t} for r, t in said)]]


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
