"""Answers that are cut, fail, or are left by their reader."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from langchain_g4f import Clocks
from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.errors import (
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    NotFoundError,
    ServerError,
    ServerStreamError,
    StreamInterruptedError,
)
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


@obligations(7)
@pytest.mark.proves("fault:14:FG")
@pytest.mark.parametrize("way", WAYS)
async def test_connection_that_drops_gives_what_had_arrived(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str
) -> None:
    """There is no resuming, and the question is not asked again."""
    with pytest.raises(StreamInterruptedError, match="broke") as caught:
        await ask(model, way, "[[long:9]] [[drop:2]]")
    assert caught.value.partial_text == "w1 w2"
    assert caught.value.is_retryable
    assert len(sandbox.requests) == 1


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


@obligations(6)
@pytest.mark.proves("fault:25:FG")
@pytest.mark.parametrize("way", WAYS)
async def test_failure_in_the_answer_has_its_text_and_what_came_before(
    model: ChatFlowGpt, way: str
) -> None:
    """Although HTTP saw a good answer."""
    with pytest.raises(ServerStreamError, match="503 backend says 503") as caught:
        await ask(model, way, "[[long:9]] [[error-mid:503]]")
    assert caught.value.partial_text == "w1 w2 w3"
    assert caught.value.provider == "flowgpt"


@obligations(6, 7)
@pytest.mark.proves("fault:7:FG", "fault:9:FG", "fault:10:FG")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (404, NotFoundError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
    ],
)
@pytest.mark.parametrize("way", WAYS)
async def test_refusal_is_the_error_of_its_status_and_is_not_tried_again(
    model: ChatFlowGpt, sandbox: FlowGptSandbox, way: str, status: int, kind: type[APIStatusError]
) -> None:
    """A server that fails may have taken the question, and its credit."""
    with pytest.raises(kind, match=f"{status} backend says {status}") as caught:
        await ask(model, way, f"[[error:{status}]]")
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.body) == (
        status,
        f"{status} backend says {status}",
    )
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


@obligations(5)
@pytest.mark.proves("fault:34:FG")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_reader_who_leaves_is_seen_by_the_server(way: str) -> None:
    """The service has no cancel request; the connection is closed at once."""
    with FlowGptSandbox(endless, pace_s=0.002) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url)
        if way == "stream":
            chunks = model.stream("count")
            first = next(chunks)
            chunks.close()  # type: ignore[attr-defined]
        else:
            later = model.astream("count")
            first = await anext(later)
            await later.aclose()  # type: ignore[attr-defined]
        assert first.text == "one "
        assert await left(sandbox)
    assert len(sandbox.requests) == 1


@obligations(5)
@pytest.mark.proves("fault:36:FG")
async def test_cancelled_call_is_seen_by_the_server() -> None:
    """Also while the model says nothing."""
    with FlowGptSandbox(reply=Reply("one two", hang_after=1)) as sandbox:
        task = asyncio.create_task(ChatFlowGpt(base_url=sandbox.base_url).ainvoke("hi"))
        await asyncio.to_thread(sandbox.wait_until, lambda: sandbox.busy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await left(sandbox)


@obligations(9)
@pytest.mark.parametrize("way", WAYS)
async def test_model_that_falls_silent_is_given_up(way: str) -> None:
    """After the seconds the caller has set; what had come is in the error."""
    with FlowGptSandbox(reply=Reply("one two", hang_after=1)) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url, timeout=Clocks(silence=0.1))
        with pytest.raises(APITimeoutError) as caught:
            await ask(model, way, "hi")
        assert await left(sandbox)
    assert (caught.value.kind, caught.value.partial_text) == ("silence", "one")


@obligations(5)
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_text_is_given_out_while_the_model_speaks(way: str) -> None:
    """The first word does not wait for the last, which never comes."""
    with FlowGptSandbox(reply=Reply("one two three", hang_after=2)) as sandbox:
        model = ChatFlowGpt(base_url=sandbox.base_url)
        seen: list[str] = []
        if way == "stream":
            chunks = model.stream("hi")
            seen += [next(chunks).text, next(chunks).text]
            chunks.close()  # type: ignore[attr-defined]
        else:
            later = model.astream("hi")
            seen += [(await anext(later)).text, (await anext(later)).text]
            await later.aclose()  # type: ignore[attr-defined]
        assert await left(sandbox)
    assert seen == ["one", " two"]
