"""Splits ``<think>...</think>`` out of streamed text.

The element is reasoning only where an answer begins, or a round of it after the service ran a
tool; later on, a tag is text. Tags do not align with the pieces they arrive in, and the closing
tag may be missing (docs/protocols/huggingchat.md, section 6). Text is given out without delay:
only a suffix that may be the beginning of the expected tag waits. White space between the
reasoning and the answer belongs to neither.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.text.stop import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPEN, _CLOSE = "<think>", "</think>"
_ELEMENT = re.compile(r"<think>.*?(?:</think>\s*|\Z)", re.DOTALL)


class ThinkSplitter:
    """Incremental; ``feed`` pieces, then ``close``.

    Attributes:
        flowing: Whether all text from now on is part of the answer.
    """

    def __init__(self) -> None:
        self.flowing = False
        self._pending = ""
        self._thinking = False
        self._at_border = False

    def feed(self, text: str) -> Iterable[Text | Reasoning]:
        """The events that are certain now."""
        if not text:
            return ()
        if self.flowing:
            return (Text(text),)
        if self._thinking and not (self._pending or self._at_border or "<" in text):
            return (Reasoning(text),)
        return self._split(text)

    def _split(self, text: str) -> Iterator[Text | Reasoning]:
        text, self._pending = self._pending + text, ""
        while text and not self.flowing:
            if self._thinking:
                reasoning, end, text = text.partition(_CLOSE)
                if not end and (waiting := held_back(reasoning, (_CLOSE,))):
                    self._pending = reasoning[-waiting:]
                    reasoning = reasoning[:-waiting]
                yield from self._emit(reasoning)
                if end:
                    self._thinking, self._at_border = False, True
                continue
            said = text.lstrip()
            yield from self._emit(text[: len(text) - len(said)])
            text = said
            if said.startswith(_OPEN):
                self._thinking, self._at_border = True, True
                text = said.removeprefix(_OPEN)
            elif _OPEN.startswith(said):
                self._pending, text = said, ""
            else:
                self.flowing = True
        yield from self._emit(text)

    def begin_round(self) -> Iterator[Text | Reasoning]:
        """End a round of the answer, and begin another one."""
        yield from self.close()
        self.flowing = self._thinking = self._at_border = False

    def close(self) -> Iterator[Text | Reasoning]:
        """The events that waited; unfinished reasoning stays reasoning."""
        pending, self._pending = self._pending, ""
        yield from self._emit(pending)

    def _emit(self, text: str) -> Iterator[Text | Reasoning]:
        if self._at_border:
            text = text.lstrip()
            self._at_border = not text
        if text:
            yield Reasoning(text) if self._thinking else Text(text)


def without_reasoning(text: str) -> str:
    """The text of one round of an answer."""
    splitter = ThinkSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def without_think_elements(text: str) -> str:
    """``text`` without any such element, where the rounds are unknown."""
    return _ELEMENT.sub("", text)


__all__ = ["ThinkSplitter", "without_reasoning", "without_think_elements"]
