"""What cannot be sent is refused before any request, with what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.errors import ConfigurationError, G4FError, UnsupportedMediaError
from tests.fault_tests.harness import by_turns, by_way, fail
from tests.fault_tests.registry import Provider, fault, fault_cases

NOTHING_TO_ANSWER: dict[str, list[BaseMessage]] = {
    "no message": [],
    "system alone": [SystemMessage("Be kind.")],
    "no text": [HumanMessage("")],
    "blank text": [HumanMessage(" \n\t")],
    "no blocks": [HumanMessage([])],
    "an empty block": [HumanMessage([{"type": "text", "text": ""}])],
    "system and no text": [SystemMessage("Be kind."), HumanMessage(" ")],
    "an answer alone": [AIMessage("Hello")],
    "tool results alone": [ToolMessage("42", tool_call_id="1")],
}


@fault(49)
@by_turns
@pytest.mark.parametrize("messages", NOTHING_TO_ANSWER.values(), ids=NOTHING_TO_ANSWER)
async def test_history_with_nothing_to_answer_is_refused(
    provider: Provider, way: str, messages: list[BaseMessage]
) -> None:
    """No conversation is created for nothing."""
    with provider.server() as server:
        model = provider.model(server)
        error = await fail(model, way, G4FError, messages, host=None, subclass=True)
        assert server.requests == []
        assert server.connections_open == 0
    # LangChain itself refuses an empty list in its own words
    assert isinstance(error, ConfigurationError)


@fault_cases(49, of=lambda provider: provider.unsupported)
@by_turns
async def test_content_that_cannot_be_sent_is_refused(
    provider: Provider, way: str, case: tuple[dict[str, Any], str]
) -> None:
    """Nothing of a message is dropped in silence; the error names the kind."""
    block, named = case
    messages = [HumanMessage([{"type": "text", "text": "What is this?"}, block])]
    with provider.server() as server:
        model = provider.model(server)
        error = await fail(model, way, UnsupportedMediaError, messages, host=None)
        assert server.requests == []
    assert named in str(error)
    assert block.get("base64", "an answer") not in str(error)


@fault(49)
@by_way
async def test_content_that_cannot_be_sent_is_refused_in_the_history_too(
    provider: Provider, way: str
) -> None:
    """An earlier message counts as much as the last."""
    block, _ = next(iter(provider.unsupported.values()))
    messages: list[BaseMessage] = [
        HumanMessage(["Listen:", block]),
        AIMessage("I hear nothing."),
        HumanMessage("And now?"),
    ]
    with provider.server() as server:
        await fail(provider.model(server), way, UnsupportedMediaError, messages, host=None)
        assert server.requests == []


@fault(49)
@by_way
async def test_unknown_parameter_of_a_call_is_refused(provider: Provider, way: str) -> None:
    """A misspelt parameter would be ignored in silence."""
    with provider.server() as server:
        model = provider.model(server).bind(temprature=0)
        error = await fail(model, way, ConfigurationError, host=None)
        assert server.requests == []
    assert "temprature" in str(error)
