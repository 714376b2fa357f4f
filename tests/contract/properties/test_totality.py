"""Property 2: any bytes and any text give a value or one of our errors, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.auth.cookie_files import parse_cookie_file
from langchain_g4f.auth.cookies import check_cookies, parse_cookie_header
from langchain_g4f.codecs.devalue import NodeError, page_data
from langchain_g4f.core.error_mapping import error_class, status_error
from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Headers, Response
from langchain_g4f.core.redact import redact_text, redact_url
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    ConfigurationError,
    G4FError,
    MediaTooLargeError,
)
from langchain_g4f.media.data_url import parse_data_url
from langchain_g4f.transport.retry import parse_retry_after
from tests.contract.properties.answers import (
    EVENTS,
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


any_text = st.text() | texts | odd_json

_HOST = "chat.example"
_domains = st.sampled_from([_HOST, f".{_HOST}", "example", "other.example", "", ".", "EXAMPLE"])
_exported = st.fixed_dictionaries(
    {},
    optional={
        "name": texts | scalars,
        "value": texts | scalars,
        "domain": _domains | scalars,
        "expirationDate": scalars,
        "expires": scalars,
    },
)
_json_files = st.one_of(
    st.lists(_exported | scalars, max_size=4),
    st.fixed_dictionaries({"cookies": st.lists(_exported, max_size=4) | scalars}),
    st.dictionaries(texts, scalars | odd_json, max_size=4),
).map(json.dumps)
_netscape_lines = st.builds(
    lambda *fields: "\t".join(fields),
    st.sampled_from(["", "#HttpOnly_", "# "]).flatmap(lambda start: _domains.map(start.__add__)),
    st.just("TRUE"),
    st.just("/"),
    st.just("FALSE"),
    st.integers().map(str) | texts,
    texts,
    texts,
)
_netscape_files = st.lists(_netscape_lines | texts, max_size=5).map("\n".join)


@pytest.mark.proves("property:2")
@given(text=_json_files | _netscape_files | any_text, now=st.floats(0, 1e11))
def test_cookie_file_of_any_text_is_cookies_or_one_of_our_errors(text: str, now: float) -> None:
    """What it holds can be checked in turn, and none of it stands in the error."""
    try:
        found = parse_cookie_file(text, _HOST, now)
        check_cookies(found)
    except ConfigurationError as error:
        check_error(error)
    else:
        assert found
        json.dumps(found)


@pytest.mark.proves("property:2")
@given(text=any_text)
def test_cookie_header_of_any_text_is_cookies_or_one_of_our_errors(text: str) -> None:
    """Likewise."""
    try:
        found = parse_cookie_header(text)
        check_cookies(found)
    except ConfigurationError as error:
        check_error(error)
    else:
        assert found


_data_urls = st.builds(
    "{}{},{}".format,
    st.sampled_from(["data:", "DATA:", " data:", "data", ""]),
    st.sampled_from(["", "image/png", "image/png;base64", ";base64", "a/b;c=d;base64", "x;base64 "])
    | texts,
    st.text("aA0+/=% \n-_é", max_size=40) | any_text,
)


@pytest.mark.proves("property:2", "fault:45:HC")
@given(url=_data_urls | any_text, limit=st.integers(0, 60))
def test_data_url_of_any_text_is_bytes_within_the_limit_or_one_of_our_errors(
    url: str, limit: int
) -> None:
    """The limit holds whatever the encoding."""
    try:
        data, kind = parse_data_url(url, limit)
    except (ConfigurationError, MediaTooLargeError) as error:
        check_error(error)
    else:
        assert len(data) <= limit
        assert kind.isascii()
        assert "/" in kind


_header_names = st.sampled_from(
    ["content-type", "content-encoding", "location", "cf-mitigated", "x-request-id", "retry-after"]
)
_header_values = st.one_of(
    st.sampled_from(["text/html", "application/json", "gzip", "challenge", "nan", "-1", "1e400"]),
    st.sampled_from(["//[", "http://[::1", "https://x/login", "\0", "Fri, 31 Dec 9999 23:59:59 Z"]),
    st.text(max_size=20),
)
_bodies: st.SearchStrategy[Any] = st.one_of(
    st.binary(max_size=100),
    odd_json.map(str.encode),
    st.builds(
        lambda key, value: json.dumps({key: value}).encode(),
        st.sampled_from(["message", "error", "detail", "other"]),
        scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2),
    ),
)


@pytest.mark.proves("property:2", "fault:5:HC", "fault:11:HC")
@given(
    status=st.integers(100, 999),
    headers=st.lists(st.tuples(_header_names, _header_values), max_size=4),
    body=_bodies,
    secrets=st.lists(texts, max_size=2),
)
def test_error_response_of_any_kind_is_the_error_of_its_status(
    status: int, headers: list[tuple[str, str]], body: bytes, secrets: list[str]
) -> None:
    """Of any status, with any headers and any body; and its wait is a number of seconds."""
    response = Response(status, Headers(headers), "http://h/", body)
    error = status_error(response, provider="p", phase="x", secrets=secrets)
    check_error(error)
    assert isinstance(error, APIStatusError)
    assert error.status_code == status
    if not headers and not 300 <= status < 400:
        assert type(error) is error_class(status)
    wait = parse_retry_after(Headers(headers), now=1.8e9)
    assert wait is None or 0 <= wait < float("inf")


@pytest.mark.proves("property:2")
@given(text=any_text, secrets=st.lists(any_text, max_size=2), limit=st.integers(0, 50))
def test_any_text_and_any_url_can_be_shown_redacted(
    text: str, secrets: list[str], limit: int
) -> None:
    """Without an error, within the limit, and as text that can be encoded."""
    shown = redact_text(text, *secrets, limit=limit)
    shown.encode()
    assert len(shown) <= limit + 1
    redact_url(text)
