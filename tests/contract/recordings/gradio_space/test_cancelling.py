"""Calls of the recorded Phi-4 that were cancelled, by their caller or by another client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f.core.events import QUEUED, Progress
from langchain_g4f.errors import ServerStreamError, StreamInterruptedError
from tests.contract.recordings.gradio_space.recordings import (
    FUNCTION,
    PHI4,
    PHI4_ON_6,
    TURN,
    Renamed,
    Space,
    answering,
    assert_as_recorded,
    by_chunking,
    by_server,
    by_stream,
    by_way,
    model_on,
    on_both_lines,
    play,
    played,
    sessions_in,
    whatever,
)
from tests.contract.recordings.gradio_space.test_errors import QUESTION
from tests.contract.recordings.huggingchat.recordings import eventually
from tests.contract.recordings.replay import Cut, Replayer, Routed
from tests.contract.recordings.suite import ask

SLOW = "[[slow]] a b c d e f g h i j k l m n o p"
HOLD, QUEUED_ONE = "[[queue]] hold", "queued one"


class LeftError(Exception):
    """Of a caller that has had enough."""


def leave(progress: Progress) -> None:
    """Leave while the call has a place in the queue."""
    if progress.kind == QUEUED:
        raise LeftError


async def first_word(model: Any, way: str, question: Any) -> AIMessage:
    """The beginning of an answer, of which no more is read."""
    if way == "stream":
        chunks = model.stream(question)
        chunk = next(chunks)
        chunks.close()
    else:
        later = model.astream(question)
        chunk = await anext(later)
        await later.aclose()
    assert isinstance(chunk, AIMessage)
    return chunk


@on_both_lines("cancel_running")
@pytest.mark.proves("obligation:gradio-space:16", "obligation:gradio-space:5", "fault:34:PH")
@by_chunking
@by_stream
async def test_answer_that_is_left_early_is_cancelled_once_and_its_session_is_dropped(
    way: str, chunking: str, recording: str
) -> None:
    """The app is told by the names it gave; the next call of the dialogue uses a new session."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    (session,) = {each.json["session_hash"] for each in replayer.recorded if each.json}
    # The recording client kept its session. Ours takes another one, which is called the same here.
    model = model_on(space, [session, session])
    part = await first_word(model, way, SLOW)
    assert part.text == "Turn "
    await eventually(lambda: bool(space.cancelled))
    assert space.cancelled == [replayer.recorded[1].json]
    answer = replayer.requests[1].stream
    assert answer.closed
    if chunking == "bytes":
        assert answer.delivered < len(replayer.response(2).read())
    later = await ask(model, "after cancel", way)
    assert later.text == "Turn 1. You said: after cancel"
    assert "app_id" not in space.asked
    assert len(space.cancelled) == 1
    assert played(replayer) == [0, 2, 1, 3, 4, 5]
    assert_as_recorded(replayer, exactly=False)


@on_both_lines("cancel_running")
@pytest.mark.proves("obligation:gradio-space:5")
@by_stream
async def test_dialogue_with_a_part_of_an_answer_is_sent_as_history(
    way: str, recording: str
) -> None:
    """A session in which something was cancelled is never used again, not even by its caller."""
    replayer = play(recording)
    space = Space(recording, replayer)
    model = model_on(space, [*sessions_in(replayer), "fresh"])
    part = await first_word(model, way, SLOW)
    await eventually(lambda: bool(space.cancelled))
    other = Renamed(play(f"{space.server}/text_turn", same=whatever))
    space.instead |= dict.fromkeys(TURN, other)
    await ask(model, [HumanMessage(SLOW), part, HumanMessage("and now?")], way)
    assert other.sessions == ["fresh"] * 3
    assert "<assistant>\nTurn \n</assistant>" in other.bodies[0]["data"][1]["text"]
    assert "app_id" not in space.asked


QUEUES = ("cancel_queued", "cancel_queued_then_turn", "cancel_queued_once_then_turn")


@on_both_lines(*QUEUES)
@pytest.mark.proves("obligation:gradio-space:15")
@by_chunking
@by_way
async def test_place_in_the_queue_that_is_cancelled_elsewhere_is_no_empty_answer(
    way: str, chunking: str, recording: str
) -> None:
    """It looks like a success without outputs; who was before it in the queue has an answer."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    model = model_on(space, sessions_in(replayer)[::-1])
    with pytest.raises(StreamInterruptedError, match="cancelled the call before it had") as caught:
        await ask(model, QUEUED_ONE, way)
    assert type(caught.value) is StreamInterruptedError
    assert caught.value.partial_text == ""
    answer = await ask(model, HOLD, way)
    assert answer.text == "Turn 0. You said: hold"
    assert space.cancelled == []
    assert_as_recorded(replayer, exactly=False)


@on_both_lines(*QUEUES)
@pytest.mark.proves("obligation:gradio-space:16", "fault:36:PH")
@by_chunking
@by_way
async def test_caller_who_leaves_the_queue_cancels_the_place_once(
    way: str, chunking: str, recording: str
) -> None:
    """A callback that raises is a caller who leaves: before there is anything to read."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    model = model_on(space, sessions_in(replayer)[1:], on_progress=leave)
    with pytest.raises(LeftError):
        await ask(model, QUEUED_ONE, way)
    assert space.cancelled == [replayer.recorded[2].json]
    assert space.asked[-1] == "cancel"
    assert replayer.requests[1].stream.closed
    assert_as_recorded(replayer, exactly=False)


@on_both_lines("cancel_queued")
@pytest.mark.proves("obligation:gradio-space:16", "fault:36:PH")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_task_that_is_cancelled_in_the_queue_cancels_the_place_once(
    way: str, recording: str
) -> None:
    """Nothing more arrives on the stream, and nothing more has to: the task ends at once."""
    replayer = play(recording)
    queued = asyncio.Event()
    begin = replayer.response(3).read().partition(b"\n\n")[0] + b"\n\n"
    stream = Standing(begin)
    space = Space(recording, replayer, {"queue/data": answering(lambda _: stream.response())})
    model = model_on(space, sessions_in(replayer)[1:], on_progress=lambda _: queued.set())
    task = asyncio.ensure_future(ask(model, QUEUED_ONE, way))
    await queued.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert space.cancelled == [replayer.recorded[2].json]
    assert stream.closed


class Standing(httpx.AsyncByteStream):
    """An event stream that begins, and then stands still."""

    def __init__(self, begin: bytes) -> None:
        self.closed = False
        self._begin = begin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._begin
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True

    def response(self) -> httpx.Response:
        """The answer with this stream."""
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)


@on_both_lines("cancel_queued_then_turn", "cancel_queued_once_then_turn", folders=[PHI4])
@pytest.mark.proves("obligation:gradio-space:8", "obligation:gradio-space:11", "fault:27:PH")
@by_chunking
@by_way
async def test_stale_event_of_a_poisoned_session_gives_out_nothing(
    way: str, chunking: str, recording: str
) -> None:
    """Gradio 5 runs what was cancelled, tells of it here, and breaks the stream with its name."""
    replayer = play(recording, chunking)
    *_, joined, _ = replayer.recorded
    model = model_on(Space(recording, replayer), [joined.json["session_hash"]])
    with pytest.raises(ServerStreamError, match="the queue of the app failed: '") as caught:
        await ask(model, _message(joined.json), way)
    assert type(caught.value) is ServerStreamError
    assert replayer.recorded[2].json["event_id"] in str(caught.value)
    assert caught.value.partial_text == ""
    assert_as_recorded(replayer)


@on_both_lines("cancel_queued_then_turn", "cancel_queued_once_then_turn", folders=[PHI4_ON_6])
@pytest.mark.proves("obligation:gradio-space:8", "fault:27:PH")
@by_chunking
@by_way
async def test_stale_completion_before_our_own_events_is_passed_over(
    way: str, chunking: str, recording: str
) -> None:
    """Gradio 6 takes a cancelled place out of the queue; its completion may come late."""
    replayer = play(recording, chunking)
    *_, joined, _ = replayer.recorded
    model = model_on(Space(recording, replayer), [joined.json["session_hash"]])
    question = _message(joined.json)
    answer = await ask(model, question, way)
    assert answer.text == f"Turn 1. You said: {question}"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert_as_recorded(replayer)


def _message(body: Any) -> str:
    """What was asked, in the shape of either line."""
    content = body["data"][0][-1]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


@on_both_lines("cancel_unknown")
@pytest.mark.proves("obligation:gradio-space:16")
@pytest.mark.parametrize("interaction", [0, 1])
@by_stream
async def test_answer_to_a_cancel_is_of_no_interest(
    way: str, interaction: int, recording: str
) -> None:
    """The server says yes to any event, and 422 where a field is missing: the caller has left."""
    answers, name = play(recording), recording.replace("cancel_unknown", "text_turn")
    space = Space(name, instead={"cancel": answering(lambda _: answers.response(interaction))})
    await first_word(model_on(space), way, QUESTION)
    await eventually(lambda: bool(space.cancelled))
    (sent,) = space.cancelled
    assert sent.keys() == answers.recorded[0].json.keys()
    assert sent["fn_index"] == FUNCTION


@by_server
@pytest.mark.proves("obligation:gradio-space:12", "obligation:gradio-space:16")
@by_way
async def test_event_that_was_given_up_for_another_is_cancelled_too(way: str, server: str) -> None:
    """A stream that ends before a word is tried again; the first event need not go on."""
    name = f"{server}/text_turn"
    first = Renamed(play(name, cut={2: Cut(after=b'"process_starts"', broken=False)}))
    space = Space(name)

    def by_session(request: httpx.Request) -> Renamed | Replayer:
        said = str(request.url) + request.content.decode()
        return first if "abandoned" in said else space.replayer

    space.instead |= dict.fromkeys(TURN, Routed(by_session))
    model = model_on(space, ["abandoned", *sessions_in(space.replayer)], max_retries=1)
    answer = await ask(model, QUESTION, way)
    assert answer.text == f"Turn 1. You said: {QUESTION}"
    assert answer.response_metadata["retries"] == 1
    assert [each["session_hash"] for each in space.cancelled] == ["abandoned"]
