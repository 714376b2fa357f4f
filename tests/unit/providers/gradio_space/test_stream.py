"""The event stream of a queue (docs/protocols/gradio-space.md, sections 3 to 5)."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f.core.events import Event, Finish, Progress, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.errors import (
    AppError,
    MalformedStreamError,
    QueueFullError,
    ServerStreamError,
    SessionLostError,
    StreamInterruptedError,
    TooLargeError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder
from tests.unit.providers.gradio_space.replies import CANCELLED, completed, failed, generating

CANARY = "canary-f3a91c77d2"
HEARTBEAT = {"msg": "heartbeat", "event_id": None}
CLOSE = {"msg": "close_stream", "event_id": None}


def decoder(*, kind: str = "text/event-stream; charset=utf-8", limit: int = 1 << 20) -> Any:
    """A decoder of the call `e`, whose first output is the answer."""
    head = ResponseHead(200, Headers([("content-type", kind)] if kind else []))
    differ = AnswerDiffer(read_output, 0, "http://app.example/file=")
    return QueueDecoder(head, "e", differ, limit, [CANARY])


def lines(*messages: Any) -> bytes:
    """The bytes of these events."""
    texts = (json.dumps(message, ensure_ascii=False) for message in messages)
    return b"".join(b"data: " + text.encode() + b"\n\n" for text in texts)


def decode(*messages: Any) -> list[Event]:
    """The events of an answer."""
    reading = decoder()
    return [*reading.feed(lines(*messages)), *reading.close()]


def estimation(rank: Any, **more: Any) -> dict[str, Any]:
    """A place in the queue."""
    return {"msg": "estimation", "event_id": "e", "rank": rank, **more}


def told(found: list[Event]) -> list[Progress]:
    """The progress among the events."""
    return [event for event in found if isinstance(event, Progress)]


WHOLE = (
    estimation(0, queue_size=1, rank_eta=0.25),
    {"msg": "process_starts", "event_id": "e", "eta": 1},
    generating("Hé"),
    HEARTBEAT,
    generating([["append", [], "llo 🙂"]]) | {"msg": "process_streaming"},
    generating([]),
    completed("Héllo 🙂!"),
    CLOSE,
    failed("late"),
)
PLACE: dict[str, Any] = {"rank": 0, "queue_size": 1, "eta_s": 0.25}
EXPECTED: list[Event] = [
    Progress("queued", "place 1 of 1 in the queue, about 0 s", PLACE),
    Progress("started", data={"eta_s": 1.0}),
    Text("Hé"),
    Text("llo 🙂"),
    Text("!"),
    Finish(),
]


@pytest.mark.proves("obligation:gradio-space:7", "obligation:gradio-space:9")
@pytest.mark.proves("obligation:gradio-space:13")
def test_stream_may_be_cut_anywhere_and_ends_with_the_call() -> None:
    """What follows the end of the call is not read."""
    data = lines(*WHOLE)
    single = decoder()
    assert not single.finished
    assert [e for n in range(len(data)) for e in single.feed(data[n : n + 1])] == EXPECTED
    assert (single.finished, single.complete) == (True, True)
    assert list(single.feed(b"data: {\n\n")) == []
    for first, second in combinations(range(0, len(data), 101), 2):
        cut = decoder()
        pieces = (data[:first], data[first:second], data[second:])
        assert [e for piece in pieces for e in cut.feed(piece)] == EXPECTED


@pytest.mark.proves("obligation:gradio-space:8")
def test_other_events_are_skipped_and_counted() -> None:
    """Those of another call and of unknown kinds; a kind is short and has no credentials."""
    others = [generating("x", event_id="f"), completed("x", event_id="f")]
    weather = {"msg": "weather", "sun": True}
    reading = decoder()
    found = list(reading.feed(lines(*others, weather, generating("a"), weather, completed("a"))))
    assert found == [Text("a"), Finish()]
    assert reading.skipped == {
        "process_generating of another call": 1,
        "process_completed of another call": 1,
        "weather": 2,
    }
    reading = decoder()
    list(reading.feed(lines({"msg": CANARY + "x" * 1000})))
    (kind,) = reading.skipped
    assert (len(kind) < 60, CANARY in kind) == (True, False)
    assert decode(HEARTBEAT, CLOSE) == []


def test_place_in_the_queue_is_emitted_when_it_changes() -> None:
    """With size and time if they are known."""
    found = told(
        decode(
            estimation(2, queue_size=3, rank_eta=None),
            estimation(2, queue_size=4, rank_eta=2.0),
            estimation(1, queue_size=None, rank_eta=61.7),
            estimation(0, rank_eta="soon"),
        )
    )
    assert [(event.kind, event.message) for event in found] == [
        ("queued", "place 3 of 3 in the queue"),
        ("queued", "place 2 of 2 in the queue, about 62 s"),
        ("queued", "place 1 of 1 in the queue"),
    ]
    for eta in (None, "soon", float("nan"), float("inf"), 10**400):
        found = told(decode({"msg": "process_starts", "event_id": "e", "eta": eta}))
        assert found == [Progress("started", data={"eta_s": None})]


def test_logs_and_progress_have_no_markup_and_no_credentials() -> None:
    """Missing fields have defaults."""
    log = {"msg": "log", "event_id": "e", "log": f"<b>Wait</b>, {CANARY}", "level": "warning"}
    steps = [{"index": 1, "desc": "Reading<br>it"}, {"desc": None, "index": 2}, None, "x"]
    first, *rest = told(
        decode(
            log | {"title": "ZeroGPU <i>queue</i>"},
            {"msg": "log", "event_id": "e", "log": None},
            {"msg": "progress", "event_id": "e", "progress_data": steps},
            {"msg": "progress", "event_id": "e", "progress_data": None},
        )
    )
    assert first.message.startswith("Wait, ")
    assert CANARY not in str(first)
    assert first.data == {"level": "warning", "title": "ZeroGPU queue"}
    assert rest == [
        Progress("log", "", {"level": "info", "title": ""}),
        Progress("progress", "Reading it", {"index": 1, "desc": "Reading it"}),
        Progress("progress", "", {"desc": "", "index": 2}),
    ]


@pytest.mark.proves("obligation:gradio-space:13")
def test_diffs_of_every_output_are_applied() -> None:
    """The end has full values."""
    found = decode(
        generating(["a", "b", "c"], "x"),
        generating([["delete", [1], None], ["delete", [2], None]], [["replace", [], 7]]),
        generating([["append", [0], "!"]], []),
        completed(["a!"], None),
    )
    assert found == [Text("a"), Text("!"), Finish()]


@pytest.mark.proves("obligation:gradio-space:15")
def test_cancelled_call_is_no_empty_answer() -> None:
    """It has no outputs at all."""
    assert decode(generating("a"), CANCELLED) == [Text("a"), Finish("interrupted")]
    reading = decoder()
    with pytest.raises(StreamInterruptedError):
        list(reading.feed(lines(CANCELLED)))
    assert reading.finished


# --- errors --------------------------------------------------------------------------------------


def broken(**more: Any) -> dict[str, Any]:
    """The end of the whole stream."""
    return {"msg": "unexpected_error", "event_id": None, **more}


TITLED = {"error": "it broke", "title": "Model error"}
GENERATING = generating() | {"success": False, "output": TITLED}


@pytest.mark.proves("obligation:gradio-space:11", "obligation:gradio-space:17")
@pytest.mark.parametrize(
    ("message", "kind", "said"),
    [
        (failed("it broke", title="Model error"), AppError, "Model error: it broke"),
        (GENERATING, AppError, "Model error: it broke"),
        ({**failed("it broke"), "title": "Model error"}, AppError, "Model error: it broke"),
        (broken(message="404: Session not found."), SessionLostError, "404: Session not found"),
        (broken(message="404", session_not_found=True), SessionLostError, "404"),
        (broken(session_not_found=True), SessionLostError, "no longer knows the session"),
        (broken(message="'stale'"), ServerStreamError, "queue of the app failed: 'stale'"),
        (broken(message=None), ServerStreamError, "without a word"),
        ({"msg": "queue_full"}, QueueFullError, "is full"),
    ],
)
def test_failure_ends_the_call(message: Any, kind: type[Exception], said: str) -> None:
    """Before and after the first word."""
    for before in ([], [generating("a")]):
        reading = decoder()
        with pytest.raises(kind, match=said) as caught:
            list(reading.feed(lines(*before, message)))
        assert type(caught.value) is kind
        assert getattr(caught.value, "title", "Model error") == "Model error"
        assert reading.finished


@pytest.mark.proves("obligation:gradio-space:21")
def test_failure_has_no_credentials() -> None:
    """An app may print the headers it got."""
    for message in (failed(CANARY, title=CANARY), broken(message=CANARY)):
        with pytest.raises(ServerStreamError) as caught:
            decode(message)
        assert CANARY not in f"{caught.value} {vars(caught.value)}"


COMPLETED: dict[str, Any] = {"msg": "process_completed", "event_id": "e"}
ANYTHING: list[Any] = [None, [], {}, {"msg": 1}]
EDITS: list[Any] = [None, "x", [["append", [9], "x"]], {}, [["fly", [], 1]]]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        *(([m], "'msg'") for m in ANYTHING),
        ([{"msg": "process_completed"}], "'event_id'"),
        ([{"msg": "process_completed", "event_id": None}], "'event_id'"),
        ([COMPLETED], "'output'"),
        ([{**COMPLETED, "output": {"data": []}}], "'success'"),
        ([{**completed(), "output": {"data": None}}], "'data'"),
        ([{**completed(), "output": {"duration": 1}}], "'data'"),
        ([{**generating(), "output": []}], "'output'"),
        ([{**generating(), "output": {}}], "'data'"),
        ([generating()], "0 outputs"),
        *(([{**COMPLETED, "event_id": i, "output": {}}], "'event_id'") for i in (17, ["x"])),
        ([estimation(1, queue_size="many")], "'queue_size'"),
        ([{"msg": "log", "event_id": "e", "log": 17}], "'log'"),
        ([{"msg": "log", "event_id": "e", "log": "", "level": []}], "'level'"),
        ([{"msg": "progress", "event_id": "e", "progress_data": "50 %"}], "'progress_data'"),
        ([{**generating(), "success": "yes"}], "'success'"),
        ([{**completed(), "success": None}], "'success'"),
        ([broken(message=17)], "'message'"),
        *(([estimation(r)], "'rank'") for r in (-1, 10**9, 10**400, None, "1", True, 0.5)),
        *(([generating("a"), generating(*d)], "outputs instead of 1") for d in ([], ["a", "b"])),
        *(([generating("a"), generating(edits)], "Gradio diff") for edits in EDITS),
    ],
)
def test_event_of_another_shape_is_malformed(messages: list[Any], said: str) -> None:
    """The error names the key."""
    with pytest.raises(MalformedStreamError, match=said):
        decode(*messages)


@pytest.mark.proves("obligation:gradio-space:20")
def test_bytes_that_are_no_event_stream_are_refused() -> None:
    """Pages, broken JSON and very long events; an incomplete last event is dropped."""
    for kind in ("application/json", "text/html", "text/plain", ""):
        with pytest.raises(MalformedStreamError, match=kind or "no content type"):
            decoder(kind=kind)
    for data in (b"data: {\n\n", b"data: \xff\n\n", b"data: [[[\n\n"):
        with pytest.raises(MalformedStreamError):
            list(decoder().feed(data))
    with pytest.raises(TooLargeError):
        list(decoder(limit=100).feed(b"data: " + b"x" * 200))
    reading = decoder()
    assert list(reading.feed(lines(generating("a")) + lines(completed("ab"))[:-1])) == [Text("a")]
    assert (list(reading.close()), reading.finished) == ([], False)
