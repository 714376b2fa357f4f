"""Bytes in any pieces, and what a decoder makes of them, its error included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol

from hypothesis import strategies as st

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
