"""Answers of a server that echoes, and how they end and fail."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import (
    EmptyResponseError,
    QuotaExceededError,
    StreamInterruptedError,
)
from langchain_g4f.testing import FlowGptSandbox, Reply
from tests.contract.recordings.flowgpt.marks import obligations
from tests.contract.recordings.replay import PlayedStream
from tests.contract.recordings.suite import clients
from tests.unit.chat_models.ways import WAYS, ask


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


@obligations(6)
@pytest.mark.parametrize("way", WAYS)
async def test_answer_about_credit_is_an_answer(way: str) -> None:
    """What merely begins with these words is given out."""
    with FlowGptSandbox(reply=Reply(tokens=["Insufficient", " credit", "."])) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url)
        assert (await ask(model, way, "hi")).text == "Insufficient credit."


@obligations(6)
@pytest.mark.parametrize("way", WAYS)
async def test_answer_without_a_word_is_an_error(model: ChatFlowGpt, way: str) -> None:
    """The service refuses some requests in silence."""
    with pytest.raises(EmptyResponseError, match="without a word"):
        await ask(model, way, "[[empty]]")


@obligations(6)
@pytest.mark.proves("fault:14:FG", "fault:15:FG")
@pytest.mark.parametrize("tail", [b'{"event":"te', b'{"event":"text","data":"\xc3', b"{"])
@pytest.mark.parametrize("way", WAYS)
async def test_answer_cut_inside_a_line_is_interrupted(way: str, tail: bytes) -> None:
    """HTTP saw a good end, the answer has none; what came is in the error."""
    body = b'{"event":"text","data":"First "}\n\n{"event":"text","data":"second"}\n\n' + tail
    counter = itertools.count(1)

    def respond(request: httpx.Request) -> httpx.Response:
        next(counter)
        headers = {"content-type": "text/plain"}
        return httpx.Response(200, headers=headers, stream=PlayedStream(body, "bytes"))

    model = ChatFlowGpt(**clients(httpx.MockTransport(respond)))
    with pytest.raises(StreamInterruptedError, match="ended before it was complete") as caught:
        await ask(model, way, "hi")
    assert caught.value.partial_text == "First second"
    assert caught.value.is_retryable
    assert next(counter) == 2
