"""FlowGPT's answer and its errors, byte by byte (docs/protocols/flowgpt.md, sections 6 and 7)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.providers.flowgpt import NO_CREDIT, FlowGPTDecoder
from tests.contract.recordings.flowgpt.marks import obligations


def head(kind: str = "text/plain", *more: tuple[str, str], status: int = 200) -> ResponseHead:
    """A successful answer."""
    return ResponseHead(status, Headers([("Content-Type", kind), *more]))


def decoder(secret: str = "", limit: int = 1 << 20) -> FlowGPTDecoder:
    """A decoder."""
    return FlowGPTDecoder(head(), limit, secret)


def lines(*events: Any) -> bytes:
    """The bytes of the events; a text stands for an event with that text."""
    found = ({"event": "text", "data": e} if isinstance(e, str) else e for e in events)
    return b"".join(json.dumps(e, ensure_ascii=False).encode() + b"\n\n" for e in found)


def decode(data: bytes, reading: FlowGPTDecoder | None = None) -> list[Event]:
    """The events of a whole answer."""
    return list(_events(data, reading or decoder()))


def heard(
    data: bytes, reading: FlowGPTDecoder | None = None
) -> tuple[list[Event], errors.APIError]:
    """The events of an answer that fails, and its error."""
    found: list[Event] = []
    with pytest.raises(errors.APIError) as caught:
        found.extend(_events(data, reading or decoder()))
    return found, caught.value


def _events(data: bytes, reading: FlowGPTDecoder) -> Iterator[Event]:
    yield from reading.feed(data)
    yield from reading.close()


def text_of(events: list[Event]) -> str:
    """The text of the events."""
    return "".join(event.text for event in events if isinstance(event, Text))


@obligations(4, 5)
@pytest.mark.proves("fault:18:FG", "fault:19:FG", "fault:20:FG", "fault:21:FG")
def test_answer_cut_anywhere_gives_the_same_events() -> None:
    """Lines and characters may be split, several may come at once, and none is padding."""
    start, end = {"event": "start", "data": {"id": "m"}}, {"event": "end", "data": None}
    texts = ("Seg", "ún ", "日本\u2028\u0085\r", "", "😃\0")
    data = b"\n\r\n" + lines(start, *texts[:2]) + b'{"ping":1}\n' + lines(*texts[2:], end)
    expected: list[Event] = [
        *(Text(text) for text in texts if text),
        Finish("unknown"),
    ]
    skipped: Counter[str] = Counter()
    assert decode(data, FlowGPTDecoder(head(), 1 << 20, "", skipped)) == expected
    assert skipped == {"start": 1, "end": 1}
    single = decoder()
    pieces = [e for n in range(len(data)) for e in single.feed(data[n : n + 1])]
    assert [*pieces, *single.close()] == expected
    for first, second in combinations(range(0, len(data), 11), 2):
        cut = decoder()
        pieces = [e for p in (data[:first], data[first:second], data[second:]) for e in cut.feed(p)]
        assert [*pieces, *cut.close()] == expected


@pytest.mark.proves("fault:15:FG")
def test_end_of_the_body_ends_the_answer() -> None:
    """There is no end marker; the last line may lack its line feed."""
    reading = decoder()
    assert list(reading.feed(lines("a"))) == [Text("a")]
    assert (reading.finished, reading.complete) == (False, False)
    assert list(reading.close()) == [Finish("unknown")]
    assert reading.finished
    assert decode(lines("a", "b").rstrip()) == [Text("a"), Text("b"), Finish("unknown")]


@obligations(6)
@pytest.mark.parametrize("cut", range(1, len(lines("secònd").rstrip()), 4))
def test_answer_cut_inside_a_line_is_not_finished(cut: int) -> None:
    """The text before is emitted; the rest of a line is malformed."""
    found, error = heard(lines("first ") + lines("secònd")[:cut])
    assert isinstance(error, errors.MalformedStreamError)
    assert found == [Text("first ")]
    reading = decoder()
    list(reading.feed(lines("first ") + lines("secònd")[:cut]))
    with pytest.raises(errors.MalformedStreamError):
        list(reading.close())
    assert not reading.finished


@obligations(6)
@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n\n", b'{"ping":1}\n\n', lines({"event": "end"}), lines(""), lines("", "")],
    ids=["nothing", "blanks", "ping", "event", "no text", "twice no text"],
)
def test_answer_without_text_is_an_error(data: bytes) -> None:
    """The service refuses some requests without a message."""
    found, error = heard(data)
    assert type(error) is errors.EmptyResponseError
    assert text_of(found) == ""


CREDIT = "Insufficient credit"


@obligations(6)
@pytest.mark.parametrize(
    "texts", [(CREDIT,), tuple(CREDIT), ("Insufficient", "", " credit"), ("", CREDIT, "")]
)
def test_whole_answer_without_credit_is_an_error(texts: tuple[str, ...]) -> None:
    """However it is cut, no text is emitted."""
    found, error = heard(lines(*texts))
    assert (found, type(error)) == ([], errors.QuotaExceededError)
    assert isinstance(error, errors.QuotaExceededError)
    assert (error.body, error.is_retryable) == (CREDIT, False)


@obligations(5, 6)
@pytest.mark.parametrize(
    ("texts", "given"),
    [
        ((CREDIT, " is what you have."), [f"{CREDIT} is what you have."]),
        (("I", "n short", ", yes"), ["In short", ", yes"]),
        (("Insufficient",), ["Insufficient"]),
        (("I",), ["I"]),
        (("insufficient credit",), ["insufficient credit"]),
        (("No: ", CREDIT), ["No: ", CREDIT]),
        ((f"{CREDIT}.",), [f"{CREDIT}."]),
    ],
)
def test_answer_that_merely_begins_so_is_an_answer(
    texts: tuple[str, ...], given: list[str]
) -> None:
    """Text is held back only as long as it may become the error."""
    assert decode(lines(*texts)) == [*map(Text, given), Finish("unknown")]
    reading = decoder()
    by_event = [len(list(reading.feed(lines(text)))) for text in ("Hi", " there")]
    assert by_event == [1, 1]


@obligations(4)
@pytest.mark.proves("fault:24:FG")
@pytest.mark.parametrize(
    "event", [{}, {"event": None}, {"event": 5, "data": "x"}, {"event": ["text"], "data": "x"}]
)
def test_object_without_a_kind_is_skipped(event: dict[str, Any]) -> None:
    """Its meaning is unknown."""
    assert decode(lines("a", event, "b")) == [Text("a"), Text("b"), Finish("unknown")]


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream", "application/json", ""])
def test_any_other_content_type_is_read(kind: str) -> None:
    """The protocol does not name one."""
    assert decode(lines("a"), FlowGPTDecoder(head(kind), 1000)) == [Text("a"), Finish("unknown")]


# --- failures ------------------------------------------------------------------------------------

TOKEN = "member-token"


@obligations(6)
@pytest.mark.proves("fault:25:FG")
@pytest.mark.parametrize(
    ("event", "said", "kind", "status"),
    [
        ({"data": "The model is overloaded"}, "The model is overloaded", None, None),
        ({"data": {"message": "slow down", "statusCode": 429}}, "slow down", "RateLimit", 429),
        ({"data": {"data": "a", "message": "b"}}, "a", None, None),
        ({"data": {"data": 1, "message": ["b"], "error": "c"}}, "c", None, None),
        ({"data": {"error": "who?", "statusCode": 401}}, "who?", "Authentication", 401),
        ({"data": {"message": "paid?", "statusCode": 402}}, "paid?", "QuotaExceeded", 402),
        ({"data": {"message": "boom", "statusCode": 500}}, "boom", "Server", 500),
        ({"data": {"message": "boom", "statusCode": True}}, "boom", None, None),
        ({"data": {"message": "boom", "statusCode": "500"}}, "boom", None, None),
        ({"data": {}}, "without a word", None, None),
        ({"data": None}, "without a word", None, None),
        ({"message": "beside it", "statusCode": 503}, "beside it", "Server", 503),
        ({}, "without a word", None, None),
    ],
)
def test_error_event_is_the_error_it_tells_of(
    event: dict[str, Any], said: str, kind: str | None, status: int | None
) -> None:
    """Its shape is unknown; the shapes of other messages of the service are read."""
    found, error = heard(lines("so far", {"event": "error", **event}))
    assert found == [Text("so far")]
    assert type(error) is getattr(errors, f"{kind or 'ServerStream'}Error")
    assert str(error) == f"FlowGPT reported an error: {said}"
    assert getattr(error, "status_code", None) == status


@obligations(3)
@pytest.mark.proves("fault:41:FG")
def test_what_the_service_repeats_of_a_token_is_masked() -> None:
    """In an error's text and in the kind of an unknown event; both are kept short."""
    _, error = heard(
        lines({"event": "error", "data": f"bad {TOKEN} {'x' * 600}"}), decoder(secret=TOKEN)
    )
    assert TOKEN not in f"{error!r} {vars(error)}"
    assert len(str(error)) < 600
    name = f"{TOKEN}{'x' * 100}"
    event = {"event": name, "token": TOKEN, "data": "x" * 600, TOKEN: ["ł"]}
    skipped: Counter[str] = Counter()
    decode(lines(event, "a"), FlowGPTDecoder(head(), 1 << 20, TOKEN, skipped))
    (told,) = skipped
    assert TOKEN not in told
    assert len(told) < 50


FAILURES = {
    "error": lines({"event": "error", "data": "no"}),
    "no JSON": b"<<not json>>\n",
    "wrong shape": lines({"event": "text", "data": None}),
    "cut": b'{"event":"te',
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("text", ["I", "Insufficient", NO_CREDIT])
def test_text_that_is_held_back_comes_before_a_failure(text: str, failure: bytes) -> None:
    """So the partial text of the error is complete."""
    found, error = heard(lines(text) + failure)
    assert found == [Text(text)]
    assert not isinstance(error, errors.QuotaExceededError)


@pytest.mark.proves("fault:22:FG", "fault:23:FG")
@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"<<not json>>", "at byte 0"),
        (b'{"event":"text","da', "at byte 0"),
        (b'data: {"event":"text","data":"a"}', "no JSON"),
        (b"[1]", "JSON list"),
        (b"null", "JSON NoneType"),
        (b"5", "JSON int"),
        (b'{"event":"text"}', "'data'"),
        (b'{"event":"text","data":null}', "'data'"),
        (b'{"event":"text","data":5}', "'data'"),
        (b'{"event":"text","data":["a"]}', "'data'"),
        (b'{"event":"text","data":"\xff"}', "at byte 0"),
        (b'{"event":"text","data":"\\ud800"}', "at byte 0"),
    ],
)
def test_line_that_cannot_be_read_is_malformed(line: bytes, named: str) -> None:
    """Skipping it would leave a hole in the answer."""
    found, error = heard(line + b"\n\n" + lines("after"))
    assert type(error) is errors.MalformedStreamError
    assert named in str(error)
    assert found == []


def test_line_that_is_too_long_is_refused() -> None:
    """The limit is that of one line, not of the answer."""
    _, error = heard(lines("x" * 200), decoder(limit=100))
    assert type(error) is errors.TooLargeError
    assert len(decode(lines(*["x" * 50] * 10), decoder(limit=100))) == 11


@obligations(6)
@pytest.mark.proves("fault:6:FG")
def test_page_and_challenge_are_no_answer() -> None:
    """AWS WAF may answer with 202, and without a page."""
    with pytest.raises(errors.MalformedStreamError, match="got text/html"):
        FlowGPTDecoder(head("TEXT/HTML; charset=utf-8"), 1000)
    for kind in ("text/html", "text/plain"):
        challenge = head(kind, ("x-amzn-waf-action", "challenge"), status=202)
        with pytest.raises(errors.ChallengeError, match="AWS WAF asks for a challenge") as caught:
            FlowGPTDecoder(challenge, 1000)
        assert caught.value.status_code == 202
