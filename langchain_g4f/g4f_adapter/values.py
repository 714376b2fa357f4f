"""The objects that providers yield, as plain values (interface document, section 5)."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from langchain_g4f.core.events import File, FinishReason, ToolCallPart, Usage
from langchain_g4f.core.http import JSON
from langchain_g4f.core.limits import Sizes
from langchain_g4f.errors import G4FError
from langchain_g4f.media.data_url import parse_data_url
from langchain_g4f.media.sniff import sniff

_SECRET = re.compile(
    r"cookie|secret|passw|authorization|api_?key|headers$|(?:^|_)auth(?:_|$)|token$",
    re.IGNORECASE,
)
"""Names of attributes whose values are credentials."""
_REASONS: dict[str, FinishReason] = {
    "": "unknown",
    "stop": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "interrupted": "interrupted",
}
_DEEPEST = 8
"""Levels of nesting that are read."""


def attributes(value: object) -> dict[str, Any]:
    """The attributes of an object by name."""
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    read = getattr(value, "get_dict", None)
    if callable(read):
        found = read()
        if isinstance(found, Mapping):
            return dict(found)
    held = getattr(value, "__dict__", {})
    return {name: each for name, each in held.items() if not name.startswith("_")}


def plain(value: object) -> dict[str, JSON]:
    """The attributes of an object as JSON, without credentials."""
    found = {n: _json(each) for n, each in attributes(value).items() if not _SECRET.search(n)}
    return {name: each for name, each in found.items() if each is not None}


def _json(value: object, depth: int = 0) -> JSON:
    """A value as JSON; None for one that JSON does not have."""
    if depth > _DEEPEST:
        return None
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            held = {str(name): _json(each, depth + 1) for name, each in value.items()}
            return {name: each for name, each in held.items() if not _SECRET.search(name)}
        case list() | tuple() | set():
            return [_json(each, depth + 1) for each in value]
    return plain(value) if hasattr(value, "__dict__") else None


def _parts(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else attributes(value).values()


def texts(value: object, depth: int = 0) -> Iterator[str]:
    """All texts in an object, a mapping or a list."""
    if isinstance(value, str):
        yield value
    elif value is not None and depth <= _DEEPEST:
        for each in _parts(value):
            yield from texts(each, depth + 1)


def size_of(value: object, depth: int = 0) -> int:
    """Characters and bytes that an object holds, and one for each of its parts."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    if value is None or depth > _DEEPEST:
        return 0
    return 1 + sum(size_of(each, depth + 1) for each in _parts(value))


class Conversation:
    """A conversation's handle in the form that providers take: attributes and ``get_dict()``."""

    def __init__(self, handle: Mapping[str, Any]) -> None:
        self.__dict__.update(handle)

    def get_dict(self) -> dict[str, Any]:
        """The handle as a dictionary."""
        return dict(self.__dict__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {sorted(self.__dict__)}>"


class AuthResult(Conversation):
    """Credentials in the form that providers take."""


def access_to(value: Any) -> dict[str, str]:
    """Request headers that the server of a response's files wants; they are credentials."""
    options = getattr(value, "options", None)
    if not isinstance(options, Mapping):
        return {}
    given = options.get("headers")
    found = {str(n): str(v) for n, v in given.items()} if isinstance(given, Mapping) else {}
    cookies = options.get("cookies")
    if isinstance(cookies, Mapping) and cookies:
        found["cookie"] = "; ".join(f"{name}={each}" for name, each in cookies.items())
    return found


def pages(value: Any) -> Iterator[dict[str, str]]:
    """URL, title and snippet of each web page in a response; providers name them differently."""
    for each in _each(value, "list", "sources", "results"):
        if isinstance(each, Mapping) and (url := each.get("url") or each.get("link")):
            title = str(each.get("title") or each.get("name") or "")
            yield {"url": str(url), "title": title, "snippet": str(each.get("snippet") or "")}


def media_files(value: Any, kind: Literal["image", "video"]) -> Iterator[File]:
    """The pictures or films of a response, each with its description."""
    read = getattr(value, "get_list", None)
    urls = read() if callable(read) else getattr(value, "urls", ())
    urls = [urls] if isinstance(urls, str) else urls
    alt = getattr(value, "alt", "")
    alts = alt if isinstance(alt, list) else [alt] * len(urls)
    for at, url in enumerate(urls):
        text = str((alts[at] if at < len(alts) else "") or "")
        yield _file(str(url), kind, {"alt": text} if text else {})


def audio_file(value: Any) -> File:
    """Speech; bytes of an unknown type are MP3."""
    data = getattr(value, "data", None)
    transcript = getattr(value, "transcript", None)
    about = {"transcript": str(transcript)} if transcript else {}
    if isinstance(data, bytes | bytearray):
        found = sniff(bytes(data))
        kind = found if found.startswith("audio/") else "audio/mpeg"
        return File("", kind, data=bytes(data), about=about)
    return _file(str(data or ""), "audio", about)


def _file(url: str, kind: Literal["image", "audio", "video"], about: dict[str, str]) -> File:
    if url.startswith("data:"):
        try:
            data, label = parse_data_url(url, Sizes().response)
        except G4FError:  # it stays a URL
            pass
        else:
            return File("", label or sniff(data), data=data, kind=kind, about=about)
    return File("", "", url, kind=kind, about=about)


class ToolCallReader:
    """Reads the tool calls of one answer in OpenAI's form, whole or in pieces.

    Without an index, a piece with a name begins a call, and one without belongs to the last call.
    A call without an id gets one, because the tool's result has to refer to it.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def read(self, value: Any) -> Iterator[ToolCallPart]:
        """The pieces of a response."""
        for call in _each(value, "get_list", "list"):
            if isinstance(call, Mapping):
                yield self._part(call)

    def _part(self, call: Mapping[str, Any]) -> ToolCallPart:
        function = call.get("function")
        inner = function if isinstance(function, Mapping) else call
        name, call_id = str(inner.get("name") or ""), str(call.get("id") or "")
        index = call.get("index")
        if not isinstance(index, int):
            index = max(self._seen, default=-1) + (1 if name or not self._seen else 0)
        if index not in self._seen:
            self._seen.add(index)
            call_id = call_id or f"call_{uuid.uuid4().hex}"
        given = inner.get("arguments")
        written = json.dumps(given) if isinstance(given, Mapping) else str(given or "")
        return ToolCallPart(index, call_id, name, written)


def usage(value: Any) -> Usage | None:
    """Token counts; providers name them differently."""
    found = attributes(value)
    given = _count(found, "prompt_tokens", "input_tokens", "promptTokens", "inputTokens")
    made = _count(found, "completion_tokens", "output_tokens", "completionTokens", "outputTokens")
    total = _count(found, "total_tokens", "totalTokens")
    if given is None and made is None and total is None:
        return None
    given, made = given or 0, made or 0
    return Usage(
        given,
        made,
        total if total is not None else given + made,
        _detail(found, "completion_tokens_details", "output_tokens_details", "reasoning_tokens"),
        _detail(found, "prompt_tokens_details", "input_tokens_details", "cached_tokens"),
    )


def finish_reason(value: Any) -> FinishReason:
    """Why an answer ended, in our terms."""
    return _REASONS.get(str(getattr(value, "reason", "") or "").lower(), "unknown")


def _count(found: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = found.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
    return None


def _detail(found: Mapping[str, Any], first: str, second: str, name: str) -> int | None:
    for details in (found, found.get(first), found.get(second)):
        if isinstance(details, Mapping) and (count := _count(details, name)) is not None:
            return count
    return None


def _each(value: Any, *names: str) -> Iterable[Any]:
    """The items of a response that is a list, or has one under one of these names."""
    for name in names:
        found = getattr(value, name, None)
        found = found() if callable(found) else found
        if isinstance(found, list | tuple):
            return found
    return value if isinstance(value, list | tuple) else ()


__all__ = [
    "AuthResult",
    "Conversation",
    "ToolCallReader",
    "access_to",
    "attributes",
    "audio_file",
    "finish_reason",
    "media_files",
    "pages",
    "plain",
    "size_of",
    "texts",
    "usage",
]
