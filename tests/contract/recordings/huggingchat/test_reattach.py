"""Connections that break, and callers who go away, on a current server (6.1, 6.2)."""

from __future__ import annotations

import functools
import operator

import httpx
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import ConfigurationError, StreamInterruptedError
from tests.contract.recordings.huggingchat.recordings import (
    TEXT,
    assert_as_recorded,
    by_mode,
    by_stream_mode,
    eventually,
    model_on,
    name_runs,
    play,
    played,
    proves,
)
from tests.contract.recordings.huggingchat.test_answers import words
from tests.contract.recordings.replay import Cut, Routed
from tests.contract.recordings.suite import ask

RESUMED = "huggingchat/resume-after-client-disconnect"
REPLAYED = "huggingchat/stream-replay-finished-generation"
POLLED = "huggingchat/disconnect-then-poll-conversation"
ECHO = "Echo (lab/text-small, turn 1): Hello there"


async def read_until(text: str, model: ChatHuggingChat, prompt: str, way: str) -> AIMessageChunk:
    """Read a stream as far as `text`, and go away."""
    if way == "stream":
        chunks = model.stream(prompt)
        whole = next(chunks)
        while whole.text != text:
            whole += next(chunks)
        chunks.close()  # type: ignore[attr-defined]  # it is a generator
    else:
        later = model.astream(prompt)
        whole = await anext(later)
        while whole.text != text:
            whole += await anext(later)
        await later.aclose()  # type: ignore[attr-defined]
    assert isinstance(whole, AIMessageChunk)
    return whole


async def keep(chunks: list[AIMessageChunk], model: ChatHuggingChat, prompt: str, way: str) -> None:
    """Read a stream, and keep what came of it however it ends."""
    if way == "stream":
        chunks.extend(model.stream(prompt))
    else:
        async for chunk in model.astream(prompt):
            chunks.append(chunk)  # noqa: PERF401 -- a comprehension loses what came before an error


@proves(RESUMED)
@pytest.mark.proves("obligation:huggingchat:10", "promise:re-attach")
@by_mode
async def test_answer_goes_on_where_the_connection_broke(way: str, chunking: str) -> None:
    """The stored text says what the run has to repeat: there is neither gap nor repeat."""
    told: list[Progress] = []
    replayer = play(RESUMED, chunking, cut={2: Cut()})
    model = model_on(replayer, model=TEXT, on_progress=told.append)
    name_runs(model, "903ae0ee-fffe-4438-8c69-e6b2bc0cac64")
    answer = await ask(model, "count [[long:60]][[pace:50]]", way)
    assert answer.text == words(60)
    assert answer.response_metadata["title"] == "Title: count"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert "restarted" not in answer.response_metadata
    assert [each.kind for each in told] == ["started", "title", "reattach"]
    assert played(replayer) == [0, 2, 3, 4]
    assert_as_recorded(replayer)


@proves(REPLAYED)
@by_mode
async def test_run_that_is_not_stored_yet_is_followed_from_its_beginning(
    way: str, chunking: str
) -> None:
    """What the caller has already is skipped, wherever it was cut; the title comes once."""
    cut = Cut(after=b'{"type":"stream","token":" (lab/text-small,"}\n')
    replayer = play(REPLAYED, chunking, cut={2: cut})
    # What is written is behind what is streamed (6.1): the read shows no answer yet.
    lagging = play(REPLAYED, chunking)
    transport = Routed(lambda request: lagging if "/api/v2/" in request.url.path else replayer)
    model = model_on(replayer, transport, model=TEXT)
    name_runs(model, "fae278b0-f87f-46fa-935d-e2930eed9ad7")
    answer = await ask(model, "Hello there", way)
    assert answer.text == ECHO
    assert answer.response_metadata["title"] == "Title: Hello there"
    assert (played(replayer), played(lagging)) == ([0, 2, 4], [1])
    assert_as_recorded(replayer)
    assert not lagging.refused


@proves(REPLAYED)
@by_mode
async def test_run_goes_on_behind_the_last_update_when_the_server_closes(
    way: str, chunking: str
) -> None:
    """After five minutes it does so in good order, and is asked for what comes next."""
    cuts = {
        2: Cut(after=b'"status":"started"}\n'),
        4: Cut(after=b'"Title: Hello there"}\n\n', broken=False),
    }
    replayer = play(REPLAYED, chunking, cut=cuts)
    lagging = play(REPLAYED, chunking)
    transport = Routed(lambda request: lagging if "/api/v2/" in request.url.path else replayer)
    model = model_on(replayer, transport, model=TEXT)
    name_runs(model, "fae278b0-f87f-46fa-935d-e2930eed9ad7")
    answer = await ask(model, "Hello there", way)
    assert answer.text == ECHO
    assert played(replayer) == [0, 2, 4, 5]
    asked = [request.headers.get("last-event-id") for request in replayer.requests]
    assert asked == [None, None, None, "2"]
    assert replayer.recorded[5].headers["last-event-id"] == "2"
    assert_as_recorded(replayer)


@proves(POLLED)
@by_stream_mode
async def test_interrupted_answer_is_waited_for_before_the_dialogue_goes_on(
    way: str, chunking: str
) -> None:
    """The run outlives the connection: the next turn finds it unfinished, then finished."""
    replayer = play(POLLED, chunking, cut={2: Cut()})

    def no_way(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host", request=request)

    away = httpx.MockTransport(no_way)
    cut_off = ("/stream", "/stop-generating")
    transport = Routed(lambda request: away if request.url.path.endswith(cut_off) else replayer)
    model = model_on(replayer, transport, model=TEXT)
    name_runs(model, "ed1faa52-43b2-4036-b12b-254062a83a2a")
    question = "count [[long:30]][[pace:50]]"
    chunks: list[AIMessageChunk] = []
    with pytest.raises(StreamInterruptedError) as caught:
        await keep(chunks, model, question, way)
    whole = functools.reduce(operator.add, chunks)
    assert whole.text == caught.value.partial_text == words(6)
    assert played(replayer) == [0, 2, 3]
    with pytest.raises(ConfigurationError, match="no new message"):
        await ask(model, [HumanMessage(question), whole], way)
    assert played(replayer) == [0, 2, 3, 4, 5]
    assert_as_recorded(replayer)


@proves("huggingchat/disconnect-then-stop")
@by_stream_mode
async def test_caller_who_goes_away_stops_the_run_where_it_was_read_to(
    way: str, chunking: str
) -> None:
    """The server is told which run, and how much of its text was seen."""
    replayer = play("huggingchat/disconnect-then-stop", chunking, cut={2: Cut()})
    model = model_on(replayer, model=TEXT)
    name_runs(model, "71cbf10e-e137-4ebd-9492-784e340b2496")
    question = "count [[long:100]][[pace:50]]"
    whole = await read_until("w1 w2", model, question, way)
    await eventually(lambda: played(replayer) == [0, 2, 3])
    assert replayer.requests[1].stream.closed
    # What the server kept is what was read: the dialogue can go on from it.
    with pytest.raises(ConfigurationError, match="no new message"):
        await ask(model, [HumanMessage(question), whole], way)
    assert played(replayer) == [0, 2, 3, 4]
    assert_as_recorded(replayer)


@proves("huggingchat/stop-generating-with-stop-point", "huggingchat/stop-generating")
@pytest.mark.proves("obligation:huggingchat:14")
@pytest.mark.parametrize("name", ["stop-generating-with-stop-point", "stop-generating"])
@by_stream_mode
async def test_run_is_stopped_once_while_it_goes_on(way: str, chunking: str, name: str) -> None:
    """The stop says where the caller stopped reading; what follows is not read."""
    replayer = play(f"huggingchat/{name}", chunking)
    model = model_on(replayer, model=TEXT)
    name_runs(model, "399ce56e-aaf5-48ef-a962-c31bad169666")
    await read_until("w1 w2 w3", model, "count [[long:100]][[pace:100]]", way)
    await eventually(lambda: played(replayer) == [0, 3, 2])
    assert replayer.requests[-1].json == {
        "generationId": "399ce56e-aaf5-48ef-a962-c31bad169666",
        "seenContentLength": 8,
    }
    assert_as_recorded(replayer)


@proves("huggingchat/stop-generating-with-stop-point")
@by_mode
async def test_stop_string_stops_the_run_behind_it(way: str, chunking: str) -> None:
    """The answer ends before the string, and the server keeps what was read."""
    replayer = play("huggingchat/stop-generating-with-stop-point", chunking)
    model = model_on(replayer, model=TEXT)
    name_runs(model, "399ce56e-aaf5-48ef-a962-c31bad169666")
    answer = await ask(model, "count [[long:100]][[pace:100]]", way, stop=[" w3"])
    assert answer.text == "w1 w2"
    assert answer.response_metadata["stop_sequence"] == " w3"
    assert played(replayer) == [0, 3, 2]
    assert_as_recorded(replayer)
