"""The events of a run that is followed again (docs/protocols/huggingchat.md, section 6.1)."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f.core.events import Event, Finish, Progress, Text, Title
from langchain_g4f.errors import MalformedStreamError, StreamInterruptedError
from langchain_g4f.providers.huggingchat.answer import Place, ReattachDecoder
from langchain_g4f.providers.huggingchat.reader import UpdateReader
from tests.unit.providers.test_huggingchat_answer import STARTED, final, head, text_of

TITLE = {"type": "title", "title": "T"}


def piece(text: str) -> dict[str, Any]:
    """A piece of text, as it is replayed."""
    return {"type": "stream", "token": text}


def sse(*updates: dict[str, Any], end: str = "", first: int = 1) -> bytes:
    """Updates with their numbers, and perhaps the end of the run."""
    found = b": heartbeat\n\n"
    for number, update in enumerate(updates, first):
        found += b"event: update\nid: %d\ndata: %b\n\n" % (number, json.dumps(update).encode())
    if end:
        found += b"event: end\ndata: %b\n\n" % json.dumps({"status": end}).encode()
    return found


def known(text: str) -> UpdateReader:
    """A reader whose caller has this text."""
    reader = UpdateReader()
    list(reader.update(piece(text)))
    return reader


def decoder(reader: UpdateReader, place: Place | None = None) -> ReattachDecoder:
    """A new one."""
    return ReattachDecoder(head("text/event-stream"), reader, place or Place(), 1 << 20)


@pytest.mark.proves("promise:re-attach")
def test_only_what_is_new_is_given_out_wherever_the_bytes_are_cut() -> None:
    """From the beginning of the run, with neither a gap nor a repeat."""
    data = sse(STARTED, piece("one tw"), piece("o th"), piece("ree"), final("one two three"))
    place = Place(skip=Counter({"status  started ": 1}))
    for first, second in combinations(range(0, len(data), 9), 2):
        reading = decoder(known("one two"), Place(skip=place.skip.copy()))
        pieces = (data[:first], data[first:second], data[second:])
        events = [e for piece_ in pieces for e in reading.feed(piece_)]
        assert text_of(events) == " three"
        assert events[-1] == Finish()
        assert reading.finished


def test_stored_text_is_caught_up_with_at_once() -> None:
    """The events begin where the stored text ends."""
    place = Place("one two")
    reading = decoder(known("one"), place)
    assert list(reading.feed(b"")) == [Text(" two")]
    assert list(reading.feed(sse(piece(" three"), first=8))) == [Text(" three")]
    assert (place.begin, place.text, place.last_id) == (len("one two three"), "", "8")


def test_stored_text_is_caught_up_with_at_the_latest_when_the_server_closes() -> None:
    """After five minutes it does, and the run may go on."""
    place = Place("one two")
    reading = decoder(known("one"), place)
    assert list(reading.close()) == [Text(" two")]
    assert (place.closed, reading.finished, reading.complete) == (True, False, False)


def test_updates_the_caller_has_are_passed_over_and_new_ones_given_out() -> None:
    """Each as often as it was seen."""
    place = Place(skip=Counter({"title   ": 1}))
    events = list(decoder(known(""), place).feed(sse(TITLE, STARTED, {**TITLE, "title": "U"})))
    assert events == [Progress("started"), Title("U")]


ENDS: list[Any] = [
    pytest.param("completed", True, [], id="completed"),
    pytest.param("gone", True, [], id="gone, but the answer is here"),
    pytest.param("interrupted", False, [Finish("interrupted")], id="interrupted"),
]


@pytest.mark.parametrize(("status", "answered", "events"), ENDS)
def test_end_of_the_run_completes_the_stream(
    status: str, answered: bool, events: list[Event]
) -> None:
    """Nothing follows it."""
    reading = decoder(known("a"))
    before = sse(final("a")) if answered else b""
    found = list(reading.feed(before + sse(end=status)))
    assert found[answered:] == events
    assert (reading.finished, reading.complete) == (True, True)


@pytest.mark.parametrize("status", ["completed", "error", "gone", "x" * 200])
def test_run_that_ended_without_its_answer_is_interrupted(status: str) -> None:
    """There is nothing left to stop, and nothing to take up."""
    reading = decoder(known("a"))
    with pytest.raises(StreamInterruptedError, match=status[:40]) as caught:
        list(reading.feed(sse(end=status)))
    assert len(str(caught.value)) < 150
    assert (reading.finished, reading.complete) == (True, True)


def test_event_of_another_kind_is_skipped_and_counted() -> None:
    """As everything that is not known."""
    reader = known("a")
    assert list(decoder(reader).feed(b"event: sync\ndata: {}\n\ndata: {}\n\n")) == []
    assert sum(reader.skipped.values()) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"event: update\ndata: {\n\n", "no JSON"),
        (b"event: update\ndata: " + b"[" * 100_000 + b"\n\n", "no JSON"),
        (b"event: update\ndata: []\n\n", "'type'|'token'"),
        (b"event: update\ndata: {}\n\n", "'type'"),
        (b'event: update\ndata: {"type": "stream"}\n\n', "'token'"),
        (b'event: update\ndata: {"type": "stream", "token": 1}\n\n', "'token'"),
        (b"event: end\ndata: {}\n\n", "'status'"),
        (b"event: end\ndata: null\n\n", "'status'"),
    ],
)
def test_event_of_another_shape_is_an_error_that_names_it(data: bytes, said: str) -> None:
    """Never a bare KeyError or JSON error."""
    with pytest.raises(MalformedStreamError, match=said):
        list(decoder(known("a")).feed(data))


@pytest.mark.parametrize("kind", ["application/jsonl", "text/html", ""])
def test_answer_that_is_no_event_stream_is_refused(kind: str) -> None:
    """A login page for example."""
    with pytest.raises(MalformedStreamError, match="expected text/event-stream"):
        ReattachDecoder(head(kind), UpdateReader(), Place(), 1000)
