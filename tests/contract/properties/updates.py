"""Updates of a chat-ui server: well-formed, odd and plainly wrong ones, mixed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Values = st.SearchStrategy[Any]

STATUSES = ("started", "keepAlive", "finished", "error", "completed", "interrupted", "gone")
STATUS_CODES = (0, 401, 402, 403, 404, 409, 410, 429, 500, 503, -1, 10**30)

ODD_TEXTS = ("", "\0\0", "\ud800", "\udc00", "\u2028", "aGk=", "a=", "é", "x" * 5000)
texts = st.sampled_from(ODD_TEXTS) | st.text("<think>/ a\n", max_size=12) | st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
_anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _or_wrong(right: Values) -> Values:
    """Mostly what belongs there."""
    return st.integers(0, 9).flatmap(lambda die: _anything if die == 0 else right)


def _object(**fields: Values) -> Values:
    """An object that may lack any of its fields."""
    return st.fixed_dictionaries({}, optional={k: _or_wrong(v) for k, v in fields.items()})


def _update(kind: str, *subtypes: str, **fields: Values) -> Values:
    """An update of this kind, of one of these subtypes if there are any."""
    subtype = {"subtype": st.sampled_from(subtypes)} if subtypes else {}
    return _object(**subtype, **fields).map(lambda rest: {"type": kind, **rest})


def _list(items: Values) -> Values:
    return st.lists(_or_wrong(items), max_size=3)


_part = _object(type=st.sampled_from(["image", "image", "text"]), data=texts, mimeType=texts)
_output = _object(text=texts, content=_list(_part))
_result = _object(status=st.sampled_from(["success", "error"]), outputs=_list(_output))
_call = _object(name=texts, parameters=st.dictionaries(texts, _anything, max_size=2))
_source = _object(link=texts, title=texts, uri=texts)

updates: Values = st.one_of(
    _update("stream", token=texts),
    _update("finalAnswer", text=texts, interrupted=st.booleans(), webSources=_list(_source)),
    _update(
        "status",
        status=st.sampled_from(STATUSES),
        message=texts,
        statusCode=st.sampled_from(STATUS_CODES),
    ),
    _update("title", title=texts),
    _update("routerMetadata", model=texts, provider=texts, route=texts),
    _update("reasoning", "stream", "status", token=texts, status=texts),
    _update("tool", "call", uuid=texts, call=_call),
    _update("tool", "result", uuid=texts, result=_result),
    _update("tool", "error", "eta", "progress", "other", uuid=texts, message=texts),
    _update("webSearch", "update", "sources", message=texts, args=_list(texts)),
    _update("webSearch", "sources", sources=_list(_source)),
    _update("file", name=texts, sha=texts, mime=texts),
    _update("elicitation", "request", "resolved", request=_object(message=texts)),
    st.fixed_dictionaries({}, optional={"type": _anything, "status": st.sampled_from(STATUSES)}),
)


def deep(depth: int, opening: str = "[", closing: str = "]") -> str:
    """JSON of this depth."""
    return opening * depth + closing * depth


depths = st.sampled_from([1, 200, 5000, 20_000]) | st.integers(800, 1000)
odd_json = (
    st.just('{"type":' + "1" * 5000 + "}")
    | st.builds(deep, depths)
    | st.builds(deep, depths, st.just('{"message":'), st.just("}")).map(
        lambda text: text.replace(":}", ":1}", 1)
    )
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """JSON lines, in one of the ways to write them, with something else in between."""
    body = b""
    for _ in range(draw(st.integers(0, 5))):
        die = draw(st.integers(0, 19))
        if die == 0:
            body += draw(st.binary(max_size=20))
        elif die == 1:
            body += draw(odd_json).encode()
        else:
            body += _dump(draw(updates), escaped=draw(st.booleans()))
        body += draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"", b"    \n"]))
    return body


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Server-sent events that bring updates."""
    body = b""
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.sampled_from([b"update", b"update", b"update", b"end", b"other", b""]))
        data = _dump(draw(updates), escaped=draw(st.booleans()))
        if draw(st.integers(0, 19)) == 0:
            data = draw(st.binary(max_size=20) | odd_json.map(str.encode))
        ending = draw(st.sampled_from([b"\n\n", b"\n\n", b"\r\n\r\n", b"\r\r", b"\n"]))
        body += b"id: 1\nevent: " + name + b"\ndata: " + data + ending
    return body


def _dump(update: Any, *, escaped: bool) -> bytes:
    text = json.dumps(update, ensure_ascii=escaped)
    return text.encode("utf-8", "surrogatepass")
