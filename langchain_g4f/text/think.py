"""Splits ``<think>...</think>``, or other elements, out of streamed text.

By default, the element is reasoning only where an answer begins, or a round of it after the
service ran a tool; later on, a tag is text. Tags do not align with the pieces they arrive in,
and the closing tag may be missing (docs/protocols/huggingchat.md, section 6). Text is given out
without delay: only a suffix that may be the beginning of the expected tag waits. White space
between the reasoning and the answer belongs to neither.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.text.stop import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

THINK = (("<think>", "</think>"),)
_SPACE = re.compile(r"\s*")
_ELEMENT = re.compile(r"<think>.*?(?:</think>\s*|\Z)", re.DOTALL)


class ThinkSplitter:
    """Incremental; ``feed`` pieces, then ``close``.

    Args:
        tags: Opening and closing tag of each element that is reasoning.
        anywhere: Whether such an element is reasoning in the middle of the text, too.

    Attributes:
        flowing: Whether all text from now on is part of the answer.
    """

    def __init__(self, tags: Sequence[tuple[str, str]] = THINK, *, anywhere: bool = False) -> None:
        self.flowing = False
        self._tags = dict(tags)
        self._opening = re.compile("|".join(map(re.escape, self._tags)))
        self._anywhere = anywhere
        self._pending = ""
        self._closing = ""
        self._at_border = False

    def feed(self, text: str) -> Iterable[Text | Reasoning]:
        """The events that are certain now."""
        if not text:
            return ()
        if self.flowing:
            return (Text(text),)
        if self._closing and not (self._pending or self._at_border or self._closing[0] in text):
            return (Reasoning(text),)
        return self._split(text)

    def _split(self, text: str) -> Iterator[Text | Reasoning]:
        text, self._pending, at = self._pending + text, "", 0
        while at < len(text) and not self.flowing:
            if self._closing:
                end = text.find(self._closing, at)
                if end < 0:
                    end = len(text) - held_back(text[at:], (self._closing,))
                    yield from self._emit(text[at:end])
                    self._pending = text[end:]
                    return
                yield from self._emit(text[at:end])
                at = end + len(self._closing)
                self._closing, self._at_border = "", True
                continue
            begin = self._border(text, at)
            found = self._opening.match(text, begin)
            yield from self._emit(text[at:begin])
            at = begin
            if found:
                self._closing, self._at_border = self._tags[found.group()], True
                at = found.end()
            elif any(opening.startswith(text[at:]) for opening in self._tags):
                self._pending = text[at:]
                return
            else:
                self.flowing = True
        yield from self._emit(text[at:])

    def _border(self, text: str, at: int) -> int:
        """Where reasoning begins, or may begin."""
        if not self._anywhere:
            space = _SPACE.match(text, at)
            return space.end() if space else at
        found = self._opening.search(text, at)
        return found.start() if found else len(text) - held_back(text[at:], tuple(self._tags))

    def begin_round(self) -> Iterator[Text | Reasoning]:
        """End a round of the answer, and begin another one."""
        yield from self.close()
        self._closing = ""
        self.flowing = self._at_border = False

    def close(self) -> Iterator[Text | Reasoning]:
        """The events that waited; unfinished reasoning stays reasoning."""
        pending, self._pending = self._pending, ""
        yield from self._emit(pending)

    def _emit(self, text: str) -> Iterator[Text | Reasoning]:
        if self._at_border:
            text = text.lstrip()
            self._at_border = not text
        if text:
            yield Reasoning(text) if self._closing else Text(text)


def without_reasoning(text: str) -> str:
    """The text of one round of an answer."""
    splitter = ThinkSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def without_think_elements(text: str) -> str:
    """``text`` without any such element, where the rounds are unknown."""
    return _ELEMENT.sub("", text)


__all__ = ["THINK", "ThinkSplitter", "without_reasoning", "without_think_elements"]
