"""JSON lines and server-sent events: for every stream and every way to cut it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol

import pytest
from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.codecs.sse import ServerSentEvent, ServerSentEvents
from langchain_g4f.errors import MalformedStreamError, TooLargeError


class Decoder(Protocol):
    """What all decoders have in common."""

    def feed(self, data: bytes) -> Iterator[Any]: ...

    def close(self) -> Iterator[Any]: ...


Cuts = Callable[[bytes], list[bytes]]


@st.composite
def cuts(draw: st.DrawFn, most: int = 12) -> Cuts:
    """A way to cut a body: at some places, or at every one; empty pieces may be among them."""
    if draw(st.booleans()):
        return lambda body: [bytes([byte]) for byte in body]
    places = draw(st.lists(st.floats(0, 1), max_size=most))

    def cut(body: bytes) -> list[bytes]:
        at = [0, *sorted(int(place * len(body)) for place in places), len(body)]
        return [body[start:end] for start, end in pairwise(at)]

    return cut


def outcome(decoder: Decoder, pieces: Iterable[bytes]) -> tuple[list[Any], type[Exception] | None]:
    """What was decoded, and the error that ended it: one of ours, for others go through."""
    found: list[Any] = []
    try:
        for piece in pieces:
            found.extend(decoder.feed(piece))
        found.extend(decoder.close())
    except (MalformedStreamError, TooLargeError) as error:
        return found, type(error)
    return found, None


LIMIT = 1 << 20

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=10,
)
objects = st.dictionaries(text, values, max_size=4)
padding = st.text(" \t\r\0", max_size=5)
tokens = st.sampled_from(
    ['{"a": 1}', "{", "}", '"', "\\ud800", "é", "\n", "\r", "\0", " ", "[1]", "null", "\u2028", "7"]
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, list[dict[str, Any]]]:
    """A body and its objects, padded and spaced as servers like to do."""
    wanted = draw(st.lists(objects, max_size=5))
    lines = []
    for value in wanted:
        lines += draw(st.lists(padding, max_size=1))
        ascii_only = draw(st.booleans())
        written = json.dumps(value, ensure_ascii=ascii_only)
        lines.append(draw(padding) + written + draw(padding))
    end = draw(st.sampled_from(["", "\n", "    "]))
    return ("\n".join(lines) + end).encode(), wanted


@pytest.mark.proves("property:3")
@given(bodies(), cuts())
def test_objects_come_out_as_they_went_in(
    body: tuple[bytes, list[dict[str, Any]]], cut: Cuts
) -> None:
    """Whatever is in their strings, between them and around them."""
    written, wanted = body
    assert outcome(JSONLines(LIMIT), cut(written)) == (wanted, None)


@given(bodies(), st.floats(0, 1))
def test_cut_body_gives_the_objects_before_the_cut(
    body: tuple[bytes, list[dict[str, Any]]], at: float
) -> None:
    """A part of one is an error, and never an object."""
    written, wanted = body
    found, _ = outcome(JSONLines(LIMIT), [written[: int(at * len(written))]])
    assert found == wanted[: len(found)]


@pytest.mark.proves("property:2")
@pytest.mark.parametrize("limit", [20, LIMIT])
@given(
    body=st.one_of(st.binary(max_size=200), st.lists(tokens).map("".join).map(str.encode)),
    cut=cuts(),
)
def test_any_bytes_give_objects_or_one_of_our_errors(limit: int, body: bytes, cut: Cuts) -> None:
    """The same ones, however they are cut."""
    assert outcome(JSONLines(limit), cut(body)) == outcome(JSONLines(limit), [body])


LINE_ENDS = ("\n", "\r", "\r\n")

# What a line can hold.
line_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20
)
noise = st.sampled_from([": a comment", ":", "retry: 7", "unknown: x", "unknown"])
names = st.one_of(st.just("message"), line_text.filter(bool))
data_values = st.lists(line_text, min_size=1, max_size=3).map("\n".join)
ids = st.one_of(st.none(), line_text.filter(lambda value: "\0" not in value))
# What a stream can be made of, so that much of it means something.
fields = ["data", "event", "id", "retry", ":", " ", "\n", "\r", "\r\n", "\n\n", "\0", "a", "é"]
sse_tokens = st.sampled_from([*fields, "7", "🤗"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[ServerSentEvent]]:
    """A stream and its events, written with all the freedom there is."""
    wanted, last_id, lines = [], "", []
    for name, data, new_id in draw(st.lists(st.tuples(names, data_values, ids), max_size=6)):
        written_fields = [("data", part) for part in data.split("\n")]
        if name != "message" or draw(st.booleans()):
            written_fields.insert(draw(st.integers(0, len(written_fields))), ("event", name))
        if new_id is not None:
            last_id = new_id
            written_fields.insert(draw(st.integers(0, len(written_fields))), ("id", new_id))
        wanted.append(ServerSentEvent(name, data, last_id))
        for field, value in written_fields:
            lines += draw(st.lists(noise, max_size=1))
            space = " " if value.startswith(" ") or draw(st.booleans()) else ""
            lines.append(f"{field}:{space}{value}" if value or draw(st.booleans()) else field)
        lines += ["", *draw(st.lists(st.just(""), max_size=1))]
    written = draw(st.sampled_from(["", "\ufeff"]))
    for line in lines:
        # LF alone would end no empty line after a CR, but be a part of that line's end
        ends = LINE_ENDS[1:] if not line and written.endswith("\r") else LINE_ENDS
        written += line + draw(st.sampled_from(ends))
    return written.encode(), wanted


@pytest.mark.proves("property:3")
@given(streams(), cuts())
def test_events_come_out_as_they_went_in(
    stream: tuple[bytes, list[ServerSentEvent]], cut: Cuts
) -> None:
    """Whatever the line ends, the order of fields, comments, and the pieces."""
    body, wanted = stream
    assert outcome(ServerSentEvents(LIMIT), cut(body)) == (wanted, None)


@given(streams(), st.floats(0, 1))
def test_cut_stream_gives_the_events_before_the_cut(
    stream: tuple[bytes, list[ServerSentEvent]], at: float
) -> None:
    """Never a part of one, never an error."""
    body, wanted = stream
    found, error = outcome(ServerSentEvents(LIMIT), [body[: int(at * len(body))]])
    assert found == wanted[: len(found)]
    assert error is None


@pytest.mark.proves("property:2")
@pytest.mark.parametrize("limit", [40, LIMIT])
@given(
    body=st.one_of(st.binary(max_size=200), st.lists(sse_tokens).map("".join).map(str.encode)),
    cut=cuts(),
)
def test_any_bytes_give_server_sent_events_or_one_of_our_errors(
    limit: int, body: bytes, cut: Cuts
) -> None:
    """The same ones, however they are cut."""
    assert outcome(ServerSentEvents(limit), cut(body)) == outcome(ServerSentEvents(limit), [body])


@pytest.mark.proves("property:3")
@given(st.lists(sse_tokens, max_size=60).map("".join))
def test_httpx_sse_has_the_same_opinion(body: str) -> None:
    """But for events without data, which it reports, and we do not."""
    lines, decoder = SSELineDecoder(), SSEDecoder()
    split = lines.decode(body) if body else []
    if body.endswith("\r"):
        split += lines.flush()
    theirs = [event for event in map(decoder.decode, split) if event is not None]
    ours, error = outcome(ServerSentEvents(LIMIT), [body.encode()])
    assert error is None
    assert [(e.event, e.data, e.id) for e in ours if e.data] == [
        (e.event, e.data, e.id) for e in theirs if e.data
    ]
