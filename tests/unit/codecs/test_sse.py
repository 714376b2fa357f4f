"""Server-sent events: the examples of the WHATWG standard, and bytes in any pieces."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import httpx_sse
import pytest
import yaml
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from langchain_g4f.codecs.sse import ServerSentEvent, ServerSentEvents
from langchain_g4f.errors import MalformedStreamError, TooLargeError

CASSETTES = Path(__file__).parents[3] / "cassettes"


def decode(*pieces: bytes, limit: int = 1000) -> list[ServerSentEvent]:
    """The events of a whole body that arrives in these pieces."""
    decoder = ServerSentEvents(limit)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.close()]


def singly(body: bytes) -> list[bytes]:
    """Every byte a piece of its own."""
    return [bytes([byte]) for byte in body]


def collect(found: list[ServerSentEvent], decoder: ServerSentEvents, pieces: list[bytes]) -> None:
    """Note each event as it comes, for an error may follow."""
    for piece in pieces:
        found.extend(decoder.feed(piece))


def by_httpx_sse(body: bytes) -> list[httpx_sse.ServerSentEvent]:
    """The second opinion."""
    lines, decoder = SSELineDecoder(), SSEDecoder()
    found = [decoder.decode(line) for line in lines.decode(body.decode())]
    return [event for event in found if event is not None]


def message(data: str, id: str = "") -> ServerSentEvent:  # noqa: A002
    """An event without a type of its own."""
    return ServerSentEvent("message", data, id)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(
            b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")], id="three-lines"
        ),
        pytest.param(
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
            b"data:  third event\n\n",
            [message("first event", "1"), message("second event"), message(" third event")],
            id="four-blocks",
        ),
        pytest.param(b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")], id="no-values"),
        pytest.param(b"data:test\n\ndata: test\n\n", [message("test")] * 2, id="one-space"),
        pytest.param(
            b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
            [ServerSentEvent("add", "73857293"), ServerSentEvent("remove", "2153")],
            id="types",
        ),
    ],
)
def test_examples_of_the_standard_give_its_events(
    body: bytes, events: list[ServerSentEvent]
) -> None:
    """Section 9.2.6, whole and byte by byte."""
    assert decode(body) == events
    assert decode(*singly(body)) == events


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [message("a")], id="bom"),
        pytest.param(
            b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [message("b")], id="second-bom"
        ),
        pytest.param(b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [message("a")], id="late-bom"),
        pytest.param(b"\xef\xbb\xbf", [], id="bom-alone"),
        pytest.param(b"data: a\rdata: b\r\ndata: c\n\r", [message("a\nb\nc")], id="line-ends"),
        pytest.param(b"data: a\r\r\ndata: b\r\n\r\n", [message("a"), message("b")], id="cr-crlf"),
        pytest.param(b"data: a\n\rdata: b\n\n", [message("a"), message("b")], id="lf-cr"),
        pytest.param(
            "data: a\u2028b\u0085c\x0b\x0c\x1ed\n\n".encode(),
            [message("a\u2028b\u0085c\x0b\x0c\x1ed")],
            id="no-line-ends",
        ),
        pytest.param(b"id: 1\ndata: a\n\ndata: b\n\n", [message("a", "1"), message("b", "1")]),
        pytest.param(b"id: 1\n\ndata: b\n\n", [message("b", "1")], id="id-without-data"),
        pytest.param(b"id: 1\nid: 2\0\ndata: a\n\n", [message("a", "1")], id="id-with-nul"),
        pytest.param(b"id: 1\nid\ndata: a\n\n", [message("a")], id="id-reset"),
        pytest.param(b"retry: 10\nevent: x\n\ndata: a\n\n", [message("a")], id="no-data"),
        pytest.param(b"event: x\nevent\ndata: a\n\n", [message("a")], id="type-reset"),
        pytest.param(b"retry: no\nDATA: b\nodd: c\ndata: a\n\n", [message("a")], id="unknown"),
        pytest.param(b":\n::\n: data: b\ndata: a:b\n\n", [message("a:b")], id="colons"),
        pytest.param(b" data: b\ndata: a\n\n", [message("a")], id="space-before-the-name"),
        pytest.param(b"\n\r\r\n\n", [], id="blank"),
        pytest.param(
            "event: żółć\nid: 💬\ndata: 🤗€é\n\n".encode(),
            [ServerSentEvent("żółć", "🤗€é", "💬")],
            id="characters-of-several-bytes",
        ),
        pytest.param(b"data: a\n\ndata: b\n", [message("a")], id="no-blank-line"),
        pytest.param(b"data: a\n\ndata: \xe2\x82", [message("a")], id="cut-inside-a-character"),
    ],
)
def test_rule_of_the_standard_holds_however_it_is_cut(
    body: bytes, events: list[ServerSentEvent]
) -> None:
    """Two pieces, at every place, and each byte alone."""
    assert decode(body) == events
    assert decode(*singly(body)) == events
    assert decode(b"", *(x for byte in singly(body) for x in (byte, b""))) == events
    for at in range(1, len(body)):
        assert decode(body[:at], body[at:]) == events


def test_event_is_out_with_the_carriage_return_that_ends_it() -> None:
    """Nothing waits for a line feed that may never come, and one that comes is no line."""
    decoder = ServerSentEvents(100)
    assert list(decoder.feed(b"data: a\r\r")) == [message("a")]
    assert list(decoder.feed(b"\ndata: b\r")) == []
    assert list(decoder.feed(b"\n\r")) == [message("b")]


@pytest.mark.parametrize(
    "line", [b"data: \xff", b"data: \xe2\x82", b": \xc0\x80", b"\xed\xa0\x80: a", b"id: \xf8"]
)
def test_line_that_is_not_utf8_is_an_error_at_its_offset(line: bytes) -> None:
    """In a value, in a name and in a comment; what came before it was delivered."""
    for pieces in (
        [b"data: a\r\n\r\n" + line + b"\n\n"],
        singly(b"data: a\r\n\r\n" + line + b"\n"),
    ):
        decoder = ServerSentEvents(100)
        found: list[ServerSentEvent] = []
        with pytest.raises(MalformedStreamError, match="byte 11 is not UTF-8") as caught:
            collect(found, decoder, pieces)
        assert found == [message("a")]
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "body",
    [b"data: aaaaa", b"data: aaaaa\n\n", b"data\ndata\ndat", b"data\ndata\ndata\n\n", b":" * 11],
)
def test_event_beyond_the_limit_is_an_error_however_it_is_cut(body: bytes) -> None:
    """One line, or several of one event, finished or not."""
    for pieces in ([body], singly(body)):
        with pytest.raises(TooLargeError, match="longer than 10 bytes"):
            decode(*pieces, limit=10)


def test_event_of_just_the_limit_is_decoded() -> None:
    """And the next one may be as large; finished comments do not count."""
    body = (b"data:\n: 1234567\n: 1234567\n" + b"data:\n\n") * 2
    assert decode(body, limit=10) == decode(*singly(body), limit=10) == [message("\n")] * 2


def test_unfinished_event_takes_little_more_memory_than_its_bytes() -> None:
    """Many short lines are not as many strings."""
    decoder, block = ServerSentEvents(8 << 20), b"data:xy\n" * 1000
    tracemalloc.start()
    for _ in range(20):
        list(decoder.feed(block))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 20 * len(block)


def recorded() -> list[bytes]:
    """The bodies of all recorded event streams."""
    found = []
    for cassette in sorted(CASSETTES.rglob("*.yaml")):
        text = cassette.read_text(encoding="utf-8")
        if "text/event-stream" not in text:
            continue
        for interaction in yaml.load(text, yaml.CSafeLoader)["interactions"]:
            headers = str(interaction["response"]["headers"])
            body = interaction["response"]["body"]["string"]
            body = body.encode() if isinstance(body, str) else body
            if "text/event-stream" in headers and re.match(rb"event|id|data|:", body):
                found.append(body)
    return found


def test_recorded_streams_are_what_httpx_sse_makes_of_them() -> None:
    """Real servers, decoded by two programs."""
    bodies = recorded()
    assert len(bodies) >= 3
    for body in bodies:
        ours = decode(*(body[at : at + 7] for at in range(0, len(body), 7)), limit=1 << 20)
        theirs = by_httpx_sse(body)
        assert [(e.event, e.data, e.id) for e in ours] == [(e.event, e.data, e.id) for e in theirs]
        assert len(ours) >= 1
