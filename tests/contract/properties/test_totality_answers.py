"""Property 2, for what servers send as an answer: any bytes give events or one of our errors."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.codecs.devalue import NodeError, page_data
from langchain_g4f.codecs.sse import ServerSentEvents
from langchain_g4f.core.events import Event
from langchain_g4f.errors import APIError, G4FError
from tests.contract.properties.answers import (
    EVENTS,
    LIMIT,
    LINES,
    cuts,
    decode,
    in_pieces,
    make_decoder,
)
from tests.contract.properties.updates import events, lines, odd_json, scalars, texts

_IMAGE = {"type": "image", "data": "é"}
_RESULT = {"type": "tool", "subtype": "result", "result": {"outputs": [{"content": [_IMAGE]}]}}
_NO_BASE64 = json.dumps(_RESULT).encode() + b"\n"


def check_event(event: Event) -> None:
    """It can be written down: half of a surrogate pair cannot."""
    json.dumps(dataclasses.asdict(event), default=repr, ensure_ascii=False).encode()


def check_error(error: G4FError) -> None:
    """One of ours that can be shown, and travels; it is short, whatever the server sent."""
    assert type(error).__module__ == "langchain_g4f.errors"
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301, our own bytes
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    str(error).encode()
    assert len(str(error)) < 1000
    assert error.__cause__ is None
    if isinstance(error, APIError):
        assert len(str(vars(error))) < 5000


@pytest.mark.proves("property:2", "fault:22:HC", "fault:23:HC")
@given(body=lines() | st.binary(max_size=200), data=st.data())
@example(body=_NO_BASE64, data=None).via("discovered failure")
def test_lines_of_any_kind_give_events_or_one_of_our_errors(
    body: bytes, data: st.DataObject | None
) -> None:
    """And the same ones, however they are cut."""
    decoded = decode(make_decoder(LINES), [body])
    for event in decoded.events:
        check_event(event)
    if decoded.error:
        check_error(decoded.error)
    pieces = data.draw(cuts(body)) if data else in_pieces(body, 1)
    assert repr(decode(make_decoder(LINES), pieces).outcome) == repr(decoded.outcome)


@pytest.mark.proves("property:2")
@given(body=events() | st.binary(max_size=200), covered=texts, data=st.data())
def test_events_of_any_kind_give_events_or_one_of_our_errors(
    body: bytes, covered: str, data: st.DataObject
) -> None:
    """The same holds for a run that is followed again."""
    covered = covered.encode("utf-8", "ignore").decode()
    decoded = decode(make_decoder(EVENTS, covered), [body])
    for event in decoded.events:
        check_event(event)
    if decoded.error:
        check_error(decoded.error)
    again = decode(make_decoder(EVENTS, covered), data.draw(cuts(body)))
    assert repr(again.outcome) == repr(decoded.outcome)


@pytest.mark.proves("property:2")
@given(body=events() | st.binary(max_size=200))
def test_server_sent_events_of_any_bytes_are_events_or_one_of_our_errors(body: bytes) -> None:
    """Whatever the provider makes of them."""
    decoder = ServerSentEvents(LIMIT)
    try:
        for event in [*decoder.feed(body), *decoder.close()]:
            assert (event.event + event.data + event.id).encode().decode()
    except G4FError as error:
        check_error(error)


_TYPES = (
    "Date",
    "Set",
    "Map",
    "BigInt",
    "RegExp",
    "Object",
    "null",
    "Promise",
    "URL",
    "Uint8Array",
)
_places = st.integers(-7, 9)
_cells = st.one_of(
    scalars,
    st.lists(_places | scalars, max_size=4),
    st.dictionaries(texts, _places | scalars, max_size=4),
    st.builds(
        lambda kind, rest: [kind, *rest],
        st.sampled_from(_TYPES),
        st.lists(_places | scalars | texts, max_size=4),
    ),
)
_arrays = st.lists(_cells, max_size=10) | _places | scalars
_nodes = st.one_of(
    st.none(),
    scalars,
    st.fixed_dictionaries({"type": st.just("data")}, optional={"data": _arrays}),
    st.fixed_dictionaries(
        {"type": st.just("error")},
        optional={"status": scalars, "error": scalars | st.dictionaries(texts, scalars)},
    ),
    st.fixed_dictionaries({"type": st.just("skip") | scalars}),
)
_pages = st.fixed_dictionaries(
    {"type": st.sampled_from(["data", "data", "data", "redirect", "error"])},
    optional={"nodes": st.lists(_nodes, max_size=3) | scalars, "location": texts | scalars},
)
_later = st.fixed_dictionaries(
    {"type": st.just("chunk") | texts}, optional={"id": _places | scalars, "data": _arrays}
)


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """Page data, right and wrong."""
    values = [draw(_pages), *draw(st.lists(_later, max_size=3))]
    body = b"\n".join(json.dumps(value).encode() for value in values)
    return draw(st.just(body) | st.binary(max_size=60) | odd_json.map(str.encode))


@pytest.mark.proves("property:2")
@given(body=pages())
@example(body=b'{"type":"data","nodes":[{"type":"data","data":[[1],[0]]}]}')
def test_page_data_of_any_bytes_is_nodes_or_one_of_our_errors(body: bytes) -> None:
    """Cycles, places that do not exist and nesting without end included."""
    try:
        nodes = page_data(body)
    except G4FError as error:
        check_error(error)
    else:
        for node in nodes:
            value = dataclasses.asdict(node) if isinstance(node, NodeError) else node
            json.dumps(value, ensure_ascii=False).encode()
