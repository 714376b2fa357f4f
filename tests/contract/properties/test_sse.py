"""Server-sent events: for every stream and every way to cut it."""

from __future__ import annotations

import pytest
from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.codecs.sse import ServerSentEvent, ServerSentEvents
from tests.contract.properties.chunking import Cuts, cuts, outcome

LIMIT = 1 << 20
LINE_ENDS = ("\n", "\r", "\r\n")

# What a line can hold.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20)
noise = st.sampled_from([": a comment", ":", "retry: 7", "unknown: x", "unknown"])
names = st.one_of(st.just("message"), text.filter(bool))
values = st.lists(text, min_size=1, max_size=3).map("\n".join)
ids = st.one_of(st.none(), text.filter(lambda value: "\0" not in value))
# What a stream can be made of, so that much of it means something.
tokens = st.sampled_from(
    [
        "data",
        "event",
        "id",
        "retry",
        ":",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\0",
        "a",
        "é",
        "7",
        "🤗",
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[ServerSentEvent]]:
    """A stream and its events, written with all the freedom there is."""
    wanted, last_id, lines = [], "", []
    for name, data, new_id in draw(st.lists(st.tuples(names, values, ids), max_size=6)):
        fields = [("data", part) for part in data.split("\n")]
        if name != "message" or draw(st.booleans()):
            fields.insert(draw(st.integers(0, len(fields))), ("event", name))
        if new_id is not None:
            last_id = new_id
            fields.insert(draw(st.integers(0, len(fields))), ("id", new_id))
        wanted.append(ServerSentEvent(name, data, last_id))
        for field, value in fields:
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
    body=st.one_of(st.binary(max_size=200), st.lists(tokens).map("".join).map(str.encode)),
    cut=cuts(),
)
def test_any_bytes_give_events_or_one_of_our_errors(limit: int, body: bytes, cut: Cuts) -> None:
    """The same ones, however they are cut."""
    assert outcome(ServerSentEvents(limit), cut(body)) == outcome(ServerSentEvents(limit), [body])


@pytest.mark.proves("property:3")
@given(st.lists(tokens, max_size=60).map("".join))
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
