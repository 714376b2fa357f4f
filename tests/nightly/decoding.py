"""Decoders alone, on large inputs; runs in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langchain_g4f.core.events import Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.core.limits import MIB
from langchain_g4f.core.plan import Decoder
from langchain_g4f.providers.huggingchat.answer import AnswerDecoder, Place, ReattachDecoder
from langchain_g4f.providers.huggingchat.reader import UpdateReader

_MIN_ROUNDS, _MIN_S = 3, 1.0
_TEXT = "a token of some words"
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Doubled:
    """What an input costs, and what one of twice the size does.

    Attributes:
        size: Bytes of the larger one.
        seconds: Processor time of the larger one, the least of some rounds.
        ratio: That over the time of the smaller one.
    """

    size: int
    seconds: float
    ratio: float

    @property
    def rate(self) -> float:
        """MB a second."""
        return self.size / self.seconds / 1e6


def doubled(name: str) -> Doubled:
    """Decode an input of this name, at half its size and at its full size, in turns."""
    make = _INPUTS[name]
    halves: list[float] = []
    wholes: list[float] = []
    while len(wholes) < _MIN_ROUNDS or sum(wholes) < _MIN_S:
        halves.append(_time(make(0.5)))
        wholes.append(_time(make(1.0)))
    return Doubled(make(1.0).size, min(wholes), min(wholes) / min(halves))


def _time(given: _Input) -> float:
    begin = time.process_time()
    length = 0
    for piece in given.pieces:
        for event in given.decoder.feed(piece):
            length += len(event.text) if isinstance(event, Text) else 0
    seconds = time.process_time() - begin
    assert length == given.text_length
    return seconds


@dataclass(frozen=True)
class _Input:
    decoder: Decoder
    pieces: Iterable[bytes]
    size: int
    text_length: int


def _line(text: str) -> bytes:
    return json.dumps({"type": "stream", "token": text}, separators=(",", ":")).encode() + b"\n"


def _answer(pieces: Iterable[bytes], size: int, text_length: int) -> _Input:
    head = ResponseHead(200, Headers([("content-type", "application/jsonl")]))
    return _Input(AnswerDecoder(head, UpdateReader(), 8 * MIB), pieces, size, text_length)


def _short_lines(size: int) -> tuple[bytes, int]:
    """So many bytes of lines of 50 bytes, and the length of their text."""
    line = _line(_TEXT)
    assert len(line) == 50
    return line * (size // 50), size // 50 * len(_TEXT)


def _in_bytes(part: float) -> _Input:
    body, length = _short_lines(int(2e6 * part))
    return _answer((body[at : at + 1] for at in range(len(body))), len(body), length)


def _one_line(part: float) -> _Input:
    length = int(8 * MIB * part) - 40
    return _answer(_cut(_line("x" * length)), length + 40, length)


def _in_pieces(part: float) -> _Input:
    block, length = _short_lines(1_000_000)
    count = int(100 * part)
    return _answer(_repeated(block, count), len(block) * count, length * count)


def _repeated(block: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield from _cut(block)


def _cut(body: bytes) -> Iterator[bytes]:
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))


def _reattached(part: float) -> _Input:
    """The events of a run that is followed again, one at a time."""
    head = ResponseHead(200, Headers([("content-type", "text/event-stream")]))
    decoder = ReattachDecoder(head, UpdateReader(), Place(), 8 * MIB)
    event = b"id: 1\nevent: update\ndata: " + _line(_TEXT) + b"\n"
    count = int(20_000 * part)
    return _Input(decoder, (event for _ in range(count)), len(event) * count, len(_TEXT) * count)


_INPUTS = {
    "2 MB in single bytes": _in_bytes,
    "one line of 8 MiB": _one_line,
    "100 MB in pieces of 64 KiB": _in_pieces,
    "20 000 re-attached events": _reattached,
}
INPUTS = tuple(_INPUTS)
