"""The answer of FlowGPT as bytes, and what a decoder makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_g4f import errors
from langchain_g4f.core.events import Event, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.providers.flowgpt import FlowGPTDecoder


def head(kind: str = "text/plain", *more: tuple[str, str], status: int = 200) -> ResponseHead:
    """A successful answer."""
    return ResponseHead(status, Headers([("Content-Type", kind), *more]))


def decoder(secret: str = "", limit: int = 1 << 20) -> FlowGPTDecoder:
    """A new one."""
    return FlowGPTDecoder(head(), limit, secret)


def lines(*events: Any) -> bytes:
    """The events, each with its empty line; text stands for an event with that text."""
    found = ({"event": "text", "data": e} if isinstance(e, str) else e for e in events)
    return b"".join(json.dumps(e, ensure_ascii=False).encode() + b"\n\n" for e in found)


def decode(data: bytes, reading: FlowGPTDecoder | None = None) -> list[Event]:
    """The events of a whole answer."""
    return list(_events(data, reading or decoder()))


def heard(
    data: bytes, reading: FlowGPTDecoder | None = None
) -> tuple[list[Event], errors.APIError]:
    """The events of an answer that fails, and how it fails."""
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
