"""Splits ``<think>...</think>`` out of streamed text.

Tags do not align with the pieces they arrive in, and the closing one may never
come (docs/protocols/huggingchat.md, section 6). Text flows without delay: only a
suffix that may be the beginning of the expected tag waits. Blank space between the
reasoning and the answer belongs to neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.events import Reasoning, Text
from langchain_g4f.text.hold import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Incremental; ``feed`` pieces, then ``close``."""

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = False
        self._at_border = False

    def feed(self, text: str) -> Iterable[Text | Reasoning]:
        """The events that are certain now."""
        if "<" in text or self._pending or self._at_border or not text:
            return self._split(text)
        return (Reasoning(text) if self._thinking else Text(text),)

    def _split(self, text: str) -> Iterator[Text | Reasoning]:
        if self._pending:
            text = self._pending + text
            self._pending = ""
        while True:
            tag = _CLOSE if self._thinking else _OPEN
            before, found, after = text.partition(tag)
            if not found:
                break
            yield from self._emit(before)
            self._thinking = not self._thinking
            self._at_border = True
            text = after
        waiting = held_back(text, (tag,)) if "<" in text else 0
        if waiting:
            self._pending = text[-waiting:]
            text = text[:-waiting]
        yield from self._emit(text)

    def close(self) -> Iterator[Text | Reasoning]:
        """What was held back; unfinished reasoning stays reasoning."""
        pending, self._pending = self._pending, ""
        yield from self._emit(pending)

    def _emit(self, text: str) -> Iterator[Text | Reasoning]:
        if self._at_border:
            text = text.lstrip()
            self._at_border = not text
        if text:
            yield Reasoning(text) if self._thinking else Text(text)


def without_reasoning(text: str) -> str:
    """The answer in ``text``."""
    splitter = ThinkSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


__all__ = ["ThinkSplitter", "without_reasoning"]
