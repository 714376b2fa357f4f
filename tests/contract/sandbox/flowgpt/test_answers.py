"""Answers of a server that echoes, and how they end."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import QuotaExceededError, StreamInterruptedError
from langchain_g4f.testing import FlowGptSandbox, Prompt, Reply
from tests.contract.recordings.flowgpt.marks import obligations
from tests.unit.chat_models.ways import WAYS, ask


async def left(sandbox: FlowGptSandbox) -> bool:
    """Whether the server sees within a second that its reader has left, and stops."""
    (request,) = sandbox.requests
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
    return request.closed_early


def endless(_prompt: Prompt) -> Iterator[str]:
    """A model that does not come to an end."""
    return itertools.chain(["one ", "two S", "TO", "P three"], itertools.repeat(" more"))


class Tokens(BaseCallbackHandler):
    """Writes down each piece of text that is given out."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def on_llm_new_token(self, token: str | list[str | dict[Any, Any]], **kwargs: Any) -> None:
        assert isinstance(token, str)
        self._seen.append(token)


@obligations(5, 8)
@pytest.mark.proves("fault:15:FG")
@pytest.mark.parametrize("way", WAYS)
async def test_answer_ends_for_an_unknown_reason_and_without_usage(
    model: ChatFlowGpt, way: str
) -> None:
    """The service marks no end and reports no usage; neither is made up."""
    answer = await ask(model, way, "hi")
    assert answer.text == "Echo (gpt-3.5-turbo, turn 1): hi"
    assert answer.response_metadata == {
        "model_provider": "flowgpt",
        "model_name": "gpt-3.5-turbo",
        "finish_reason": "unknown",
    }
    assert answer.usage_metadata is None


@obligations(6)
@pytest.mark.parametrize("way", WAYS)
async def test_lack_of_credit_is_no_answer(way: str) -> None:
    """None of it is given out before it is known for what it is."""
    seen: list[str] = []
    with FlowGptSandbox(reply=Reply(tokens=["Insuff", "icient", " credit"])) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url)
        with pytest.raises(QuotaExceededError) as caught:
            await ask(model, way, "hi", config={"callbacks": [Tokens(seen)]})
    assert (seen, caught.value.partial_text) == ([], "")
    assert not caught.value.is_retryable
    assert len(sandbox.requests) == 1


@obligations(5, 8)
@pytest.mark.parametrize("way", WAYS)
async def test_stop_string_ends_the_answer_here_and_there(way: str) -> None:
    """The service takes no list of them: the rest is not read, and the server notices."""
    with FlowGptSandbox(endless, pace_s=0.002) as sandbox:
        answer = await ask(ChatFlowGpt(base_url=sandbox.base_url, stop=["STOP"]), way, "count")
        assert await left(sandbox)
    assert answer.text == "one two "
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["stop_sequence"] == "STOP"


@obligations(7)
@pytest.mark.parametrize("way", WAYS)
async def test_connection_that_drops_before_a_word_is_not_tried_again(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str
) -> None:
    """The answer had begun, and credit may have been spent."""
    with pytest.raises(StreamInterruptedError) as caught:
        await ask(model, way, "hi [[drop:0]]")
    assert caught.value.partial_text == ""
    assert len(sandbox.requests) == 1
