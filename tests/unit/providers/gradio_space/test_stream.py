"""The event stream of a queue (docs/protocols/gradio-space.md, sections 3 to 5)."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f.core.events import Event, FinalText, Finish, Progress, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.errors import (
    MalformedStreamError,
    StreamInterruptedError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder
from tests.unit.providers.gradio_space.replies import CANCELLED, completed, failed, generating

CANARY = "canary-f3a91c77d2"
HEARTBEAT = {"msg": "heartbeat", "event_id": None}
CLOSE = {"msg": "close_stream", "event_id": None}


def decoder(*, kind: str = "text/event-stream; charset=utf-8", limit: int = 1 << 20) -> Any:
    """Read the call `e`, whose first output is the answer."""
    head = ResponseHead(200, Headers([("content-type", kind)] if kind else []))
    reader = AnswerDiffer(read_output, 0, "http://app.example/file=")
    return QueueDecoder(head, "e", reader, limit, [CANARY])


def lines(*messages: Any) -> bytes:
    """Messages as they are sent."""
    return b"".join(
        b"data: " + json.dumps(m, ensure_ascii=False).encode() + b"\n\n" for m in messages
    )


def decode(*messages: Any) -> list[Event]:
    """The events of an answer."""
    reading = decoder()
    return [*reading.feed(lines(*messages)), *reading.close()]


def estimation(rank: Any, **more: Any) -> dict[str, Any]:
    """A place in the queue."""
    return {"msg": "estimation", "event_id": "e", "rank": rank, **more}


@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/plain", ""])
@pytest.mark.proves("obligation:gradio-space:20")
def test_answer_of_another_content_type_is_refused(kind: str) -> None:
    """A page is never read as an answer; the error names what came."""
    with pytest.raises(MalformedStreamError, match=kind or "no content type"):
        decoder(kind=kind)


WHOLE = (
    estimation(0, queue_size=1, rank_eta=0.25),
    {"msg": "process_starts", "event_id": "e", "eta": 1},
    generating("Hé"),
    HEARTBEAT,
    generating([["append", [], "llo 🙂"]]),
    generating([]),
    completed("Héllo 🙂!"),
    CLOSE,
)
EXPECTED: list[Event] = [
    Progress(
        "queued",
        "place 1 of 1 in the queue, about 0 s",
        {"rank": 0, "queue_size": 1, "eta_s": 0.25},
    ),
    Progress("started", data={"eta_s": 1.0}),
    Text("Hé"),
    Text("llo 🙂"),
    Text("!"),
    Finish(),
]


@pytest.mark.proves("obligation:gradio-space:7", "obligation:gradio-space:13")
def test_answer_cut_anywhere_gives_the_same_events() -> None:
    """Characters are whole, and so are events."""
    data = lines(*WHOLE)
    single = decoder()
    assert [e for n in range(len(data)) for e in single.feed(data[n : n + 1])] == EXPECTED
    assert single.complete
    for first, second in combinations(range(0, len(data), 37), 2):
        cut = decoder()
        pieces = (data[:first], data[first:second], data[second:])
        assert [e for piece in pieces for e in cut.feed(piece)] == EXPECTED


@pytest.mark.proves("obligation:gradio-space:9")
def test_call_is_over_at_its_own_end() -> None:
    """Whatever follows; that the stream is closed may never be said."""
    reading = decoder()
    assert not reading.finished
    assert list(reading.feed(lines(completed("a"), failed("late"), "?"))) == [Text("a"), Finish()]
    assert (reading.finished, reading.complete) == (True, True)
    assert list(reading.feed(b"data: {\n\n")) == []


@pytest.mark.proves("obligation:gradio-space:8")
def test_events_of_other_calls_and_of_unknown_kinds_are_skipped_and_counted() -> None:
    """A stale call, or a newer server."""
    others = [generating("x", event_id="f"), completed("x", event_id="f")]
    unknown = {"msg": "weather", "sun": True}
    reading = decoder()
    found = list(reading.feed(lines(*others, unknown, generating("a"), unknown, completed("a"))))
    assert found == [Text("a"), Finish()]
    assert reading.skipped == {
        "process_generating of another call": 1,
        "process_completed of another call": 1,
        "weather": 2,
    }


def test_kind_of_a_skipped_event_is_kept_short_and_without_secrets() -> None:
    """It is the server's word, and may be logged."""
    reading = decoder()
    list(reading.feed(lines({"msg": CANARY + "x" * 1000})))
    (kind,) = reading.skipped
    assert len(kind) < 60
    assert CANARY not in kind


@pytest.mark.parametrize("message", [HEARTBEAT, CLOSE])
def test_event_that_says_nothing_gives_nothing(message: dict[str, Any]) -> None:
    """A connection that is alive is no progress."""
    assert decode(message, message) == []


def test_place_in_the_queue_is_told_when_it_changes() -> None:
    """With size and time where they are known."""
    found = decode(
        estimation(2, queue_size=3, rank_eta=None),
        estimation(2, queue_size=4, rank_eta=2.0),
        estimation(1, queue_size=None, rank_eta=61.7),
        estimation(0, rank_eta="soon"),
    )
    assert [event.message for event in found if isinstance(event, Progress)] == [
        "place 3 of 3 in the queue",
        "place 2 of 2 in the queue, about 62 s",
        "place 1 of 1 in the queue",
    ]
    assert {event.kind for event in found if isinstance(event, Progress)} == {"queued"}


@pytest.mark.parametrize("rank", [-1, 10**9, 10**400, None, "1", True, 0.5])
def test_place_that_is_none_is_refused(rank: Any) -> None:
    """Never an error of Python's."""
    with pytest.raises(MalformedStreamError, match="'rank'"):
        decode(estimation(rank))


@pytest.mark.parametrize("eta", [None, "soon", float("nan"), float("inf"), 10**400])
def test_time_that_is_none_is_left_out(eta: Any) -> None:
    """It is a guess of the server's anyway."""
    assert decode({"msg": "process_starts", "event_id": "e", "eta": eta}) == [
        Progress("started", data={"eta_s": None})
    ]


def test_log_and_progress_are_told_without_markup_and_secrets() -> None:
    """They are for people."""
    log = {"msg": "log", "event_id": "e", "log": f"<b>Wait</b>, {CANARY}", "level": "warning"}
    steps = [{"index": 1, "desc": "Reading<br>it"}, {"desc": None, "index": 2}, None, "x"]
    found = decode(
        log | {"title": "ZeroGPU <i>queue</i>"},
        {"msg": "log", "event_id": "e", "log": None},
        {"msg": "progress", "event_id": "e", "progress_data": steps},
        {"msg": "progress", "event_id": "e", "progress_data": None},
    )
    first, *rest = found
    assert isinstance(first, Progress)
    assert first.message.startswith("Wait, ")
    assert CANARY not in str(found)
    assert first.data == {"level": "warning", "title": "ZeroGPU queue"}
    assert rest == [
        Progress("log", "", {"level": "info", "title": ""}),
        Progress("progress", "Reading it", {"index": 1, "desc": "Reading it"}),
        Progress("progress", "", {"desc": "", "index": 2}),
    ]


@pytest.mark.proves("obligation:gradio-space:13")
def test_every_output_is_followed_and_the_end_has_full_values() -> None:
    """The list is cut at its end, whatever index a deletion names."""
    found = decode(
        generating(["a", "b", "c"], "x"),
        generating([["delete", [1], None], ["delete", [2], None]], [["replace", [], 7]]),
        generating([["append", [0], "!"]], []),
        completed(["a!"], None),
    )
    texts = [event.text for event in found if isinstance(event, Text)]
    assert texts == ["a\n\nb\n\nc"]
    assert found[-2:] == [FinalText("a!"), Finish()]


def test_input_that_streams_is_an_answer_that_does() -> None:
    """The same under another name."""
    assert decode(generating("a") | {"msg": "process_streaming"}) == [Text("a")]


@pytest.mark.proves("obligation:gradio-space:15")
def test_cancelled_call_is_told_from_an_empty_one() -> None:
    """It has no outputs at all."""
    assert decode(generating("a"), CANCELLED) == [Text("a"), Finish("interrupted")]
    reading = decoder()
    with pytest.raises(StreamInterruptedError):
        list(reading.feed(lines(CANCELLED)))
    assert reading.finished
