"""FlowGPT's one endpoint, as building blocks for `ByteServer`.

Each block is the right behaviour. Bytes are those of the recordings in cassettes/flowgpt.
"""

from __future__ import annotations

import json
from typing import Any

from tests.contract.faults.byte_server import Exchange

PLAIN = "text/plain; charset=utf-8"


def encode(obj: Any) -> bytes:
    """Write JSON as the server does: without blanks, characters as they are."""
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()


def line(value: bytes) -> bytes:
    """Make a line of the answer, and the empty one behind it."""
    return value + b"\n\n"


def event(kind: str, data: Any = None, **more: Any) -> bytes:
    """Make an event."""
    return line(encode({"event": kind, "data": data, **more}))


def token(text: str) -> bytes:
    """Make the event of a piece of text."""
    return event("text", text)


def answer_ok(exchange: Exchange) -> None:
    """Answer "Hello there"; the end of the body is the end of the answer."""
    stream = exchange.start_stream(content_type=PLAIN)
    stream.chunk(token("Hello"))
    stream.chunk(token(" there"))
    stream.end()
