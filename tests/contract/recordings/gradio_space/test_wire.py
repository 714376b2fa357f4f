"""Event streams in the very chunks, and at the times, in which they arrived."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.errors import APITimeoutError, StreamInterruptedError
from tests.contract.recordings.gradio_space.recordings import (
    FUNCTION,
    PHI4,
    PHI4_ON_6,
    TURN,
    Space,
    answering,
    by_stream,
    by_way,
    model_on,
    play,
    proves,
    saying,
)
from tests.contract.recordings.huggingchat.recordings import eventually
from tests.contract.recordings.suite import CASSETTES, ask

Chunks = Iterable[tuple[float, bytes]]
SLOW = "[[slow]] a b c d e f g h i j k l"


class Clock:
    """What the model takes for the time, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Wire(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives as it did.

    Args:
        chunks: The bytes, each with the seconds at which they arrive.
        clock: Is set to that time.
        broken: Whether the connection breaks at the end.

    Attributes:
        given: How many chunks have been read.
        closed: Whether the reader has left.
    """

    def __init__(self, chunks: Chunks, clock: Clock, *, broken: bool = False) -> None:
        self.given = 0
        self.closed = False
        self._chunks, self._clock, self._broken = chunks, clock, broken

    def __iter__(self) -> Iterator[bytes]:
        for at_s, chunk in self._chunks:
            self._clock.now_s = at_s
            self.given += 1
            yield chunk
        if self._broken:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True

    def response(self) -> httpx.Response:
        """The answer with this body."""
        kind = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx.Response(200, headers=kind, stream=self)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that goes with what arrives."""
    found = Clock()
    module = SimpleNamespace(monotonic=found, time=time.time)
    monkeypatch.setattr(model_client, "time", module)
    return found


def read(name: str) -> list[dict[str, Any]]:
    """The lines of a recording of the wire."""
    text = (CASSETTES / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def body(raw: str) -> bytes:
    """What is in the chunks of a message as it went over the wire, its head left out."""
    rest = raw.encode()
    if rest.startswith(b"HTTP/1.1 200 OK\r\n"):
        rest = rest.partition(b"\r\n\r\n")[2]
    found = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        found, rest = found + rest[:length], rest[length + 2 :]
    return found


def cut(chunks: list[tuple[float, bytes]], chunking: str) -> list[tuple[float, bytes]]:
    """The same bytes in other pieces."""
    whole = b"".join(chunk for _, chunk in chunks)
    match chunking:
        case "whole":
            return [(chunks[-1][0], whole)]
        case "bytes":
            return [(at_s, bytes([each])) for at_s, chunk in chunks for each in chunk]
        case _:
            return chunks


TIMED = {
    "timed_text": ("hello timed world", "hello timed world"),
    "timed_slow": ("[[slow]] one two three four", "one two three four"),
    "timed_hang": ("[[hang:2]] late first token", "late first token"),
}


def timed(*chunkings: str) -> pytest.MarkDecorator:
    """Each recording of a whole turn, marked."""
    names = [f"{server}/wire/{name}" for server in (PHI4, PHI4_ON_6) for name in TIMED]
    return pytest.mark.parametrize(
        ("recording", "chunking"),
        [
            pytest.param(name, chunking, marks=proves(name), id=f"{name}-{chunking}")
            for name in names
            for chunking in chunkings
        ],
    )


def turn(recording: str, chunking: str, clock: Clock) -> tuple[Space, Wire]:
    """The server of a recorded turn, and its event stream."""
    joined, *lines = read(recording)
    wire = Wire(cut([(line["t"], line["raw"].encode()) for line in lines], chunking), clock)
    instead = {
        "queue/join": saying(joined["join"]),
        "queue/data": answering(lambda _: wire.response()),
    }
    return Space(recording, play(f"{_server(recording)}/text_turn"), instead), wire


def _server(recording: str) -> str:
    return recording.partition("/wire/")[0]


@timed("as recorded", "whole", "bytes")
@pytest.mark.proves("obligation:gradio-space:7", "fault:18:PH")
@by_way
async def test_answer_is_the_same_however_its_stream_is_cut(
    way: str, recording: str, chunking: str, clock: Clock
) -> None:
    """In the chunks of the server, in one, and in single bytes."""
    space, wire = turn(recording, chunking, clock)
    question, words = TIMED[recording.rpartition("/")[2]]
    answer = await ask(model_on(space), question, way)
    assert answer.text == f"Turn 0. You said: {words}"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert wire.closed
    assert space.asked == ["config", *TURN]


@timed("as recorded")
@pytest.mark.proves("obligation:gradio-space:14")
@by_stream
async def test_each_word_is_given_out_with_the_chunk_that_brought_it(
    way: str, recording: str, chunking: str, clock: Clock
) -> None:
    """None waits for the next one: a stream is as quick as the app."""
    space, wire = turn(recording, chunking, clock)
    model = model_on(space)
    question, words = TIMED[recording.rpartition("/")[2]]
    seen: list[tuple[str, int]] = []
    if way == "stream":
        seen = [(chunk.text, wire.given) for chunk in model.stream(question) if chunk.text]
    else:
        seen = [(chunk.text, wire.given) async for chunk in model.astream(question) if chunk.text]
    pieces = ["Turn ", "0. ", "You ", "said: ", *_spaced(words)]
    assert seen == list(zip(pieces, itertools.count(3), strict=False))


def _spaced(words: str) -> list[str]:
    *found, last = words.split()
    return [*(f"{word} " for word in found), last]


def by_recording(name: str) -> pytest.MarkDecorator:
    """A recording of the wire, of both lines, marked."""
    found = [f"{server}/wire/{name}" for server in (PHI4, PHI4_ON_6)]
    cases = [pytest.param(each, id=each, marks=proves(each)) for each in found]
    return pytest.mark.parametrize("recording", cases)


def dropped(recording: str, clock: Clock) -> tuple[Space, Wire]:
    """The server, and a stream that its reader had left."""
    lines = [(line["t"], body(line["raw"])) for line in read(recording)]
    wire = Wire([line for line in lines if line[1]], clock, broken=True)
    name = f"{_server(recording)}/dropped_stream"
    instead = {"queue/data": answering(lambda _: wire.response())}
    return Space(name, play(name), instead), wire


@by_recording("dropped_stream")
@pytest.mark.proves("obligation:gradio-space:11", "obligation:gradio-space:16", "fault:14:PH")
@by_way
async def test_stream_that_breaks_gives_what_had_arrived_and_is_not_read_again(
    way: str, recording: str, clock: Clock
) -> None:
    """The stream cannot be resumed, so the call is cancelled."""
    space, wire = dropped(recording, clock)
    with pytest.raises(StreamInterruptedError, match="broke") as caught:
        await ask(model_on(space), SLOW, way)
    assert caught.value.partial_text == "Turn 0. You said: "
    assert wire.closed
    assert space.asked == ["config", *TURN, "cancel"]
    assert space.cancelled == [_cancel(space)]


@by_recording("dropped_stream")
@pytest.mark.proves("obligation:gradio-space:16", "fault:34:PH")
@by_stream
async def test_reader_who_leaves_as_it_did_is_followed_by_one_cancel(
    way: str, recording: str, clock: Clock
) -> None:
    """The recorded reader just went; ours says so, by the names it was given."""
    space, wire = dropped(recording, clock)
    model = model_on(space)
    texts: list[str] = []
    if way == "stream":
        chunks = model.stream(SLOW)
        texts += [chunk.text for chunk in itertools.islice(chunks, 4)]
        chunks.close()  # type: ignore[attr-defined]
    else:
        later = model.astream(SLOW)
        texts += [(await anext(later)).text for _ in range(4)]
        await later.aclose()  # type: ignore[attr-defined]
    assert texts == ["Turn ", "0. ", "You ", "said: "]
    await eventually(lambda: bool(space.cancelled))
    assert space.cancelled == [_cancel(space)]
    assert wire.closed
    assert wire.given == 6


def _cancel(space: Space) -> dict[str, Any]:
    event_id = json.loads(space.replayer.response(0).read())["event_id"]
    return {"session_hash": "e7cd9c3ab5d", "fn_index": FUNCTION, "event_id": event_id}


@by_recording("finished_session_read_again")
@pytest.mark.proves("obligation:gradio-space:10", "obligation:gradio-space:16", "fault:29:PH")
@pytest.mark.parametrize(("kind", "limit_s"), [("idle", 60), ("queue", 90)])
@by_way
async def test_heartbeats_alone_do_not_keep_a_call_alive(
    way: str, kind: str, limit_s: float, recording: str, clock: Clock
) -> None:
    """A finished session, or a place that does not change: bytes arrive, but nothing happens."""
    _, line = read(recording)
    name = f"{_server(recording)}/dropped_stream"
    begin = read(f"{_server(recording)}/wire/dropped_stream")
    place = next(filter(None, (body(each["raw"]) for each in begin)))
    beats = ((n * line["t"], body(line["raw"])) for n in itertools.count(1))
    chunks = itertools.chain([(0.0, place)] if kind == "queue" else [], beats)
    wire = Wire(chunks, clock)
    space = Space(name, play(name), {"queue/data": answering(lambda _: wire.response())})
    model = model_on(space, queue_timeout=90)
    with pytest.raises(APITimeoutError) as caught:
        await ask(model, SLOW, way)
    assert caught.value.kind == kind
    assert limit_s < clock.now_s < limit_s + 2 * line["t"]
    assert wire.closed
    assert space.cancelled == [_cancel(space)]
