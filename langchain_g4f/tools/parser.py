"""Splits a streamed answer into text, reasoning and tool calls.

Two kinds of element are known, ``<think>`` and ``<tool_call>``, and neither nests: a call
inside reasoning is reasoning. Text flows without delay and is never taken back: only a
suffix that may be the beginning of a tag waits, so ``a < b`` goes out at once. Blanks
beside a tag belong to neither side. A call is given out when it is closed. Any way of
cutting the same answer gives the same events, but for the borders between pieces of text.

An argument may say ``</tool_call>``. So such a tag inside a JSON string is doubtful: it is
content if the JSON goes on and is whole at a later tag, and the end of a call with a
broken string if not. That is known at the end of the line at the latest, for a JSON
string has no line breaks; until then what follows waits, and is read again if need be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.errors import TooLargeError
from langchain_g4f.events import Reasoning, Text
from langchain_g4f.wire import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CALL, END_CALL = "<tool_call>", "</tool_call>"
THINK, END_THINK = "<think>", "</think>"

_TAGS = {"": (CALL, THINK), THINK: (END_THINK,), CALL: (END_CALL, CALL)}
_TAG = {element: re.compile("|".join(tags)) for element, tags in _TAGS.items()}
_MARK = re.compile(r'</?tool_call>|["\x00-\x1f]|\\[^<\x00-\x1f]')


@dataclass(frozen=True, slots=True)
class RawCall:
    """What stands in a ``<tool_call>`` element.

    Attributes:
        text: Its content.
        closed: Whether its end was seen; what is cut off may lack half an argument.
    """

    text: str
    closed: bool


class ToolCallParser:
    """Incremental; ``feed`` pieces, then ``close``.

    Args:
        limit: Characters one call may have.
    """

    def __init__(self, limit: int = 8 * 1024 * 1024) -> None:
        self._limit = limit
        self._element = ""
        self._pending = ""
        self._at_border = False
        self._call = _Content()

    def feed(self, text: str) -> Iterable[Text | Reasoning | RawCall]:
        """What is certain now.

        Raises:
            TooLargeError: A call is longer than the limit.
        """
        if "<" in text or self._pending or self._at_border or self._element == CALL or not text:
            return self._split(text)
        return (Reasoning(text) if self._element else Text(text),)

    def close(self) -> Iterator[Text | Reasoning | RawCall]:
        """What was held back; reasoning that is not closed stays reasoning.

        Raises:
            TooLargeError: A call is longer than the limit.
        """
        pending, self._pending = self._pending, ""
        if self._element != CALL:
            yield from self._said(pending)
            return
        call = self._call
        call.add(pending)
        if not self._fits() or (call.doubt >= 0 and not _is_whole(call.text)):
            raw, text, at = self._go_back("", 0)
            yield raw
            yield from self._split(text[at:])
            yield from self.close()
            return
        self._enter("")
        yield RawCall(call.text, closed=False)

    def _split(self, text: str) -> Iterator[Text | Reasoning | RawCall]:
        text, self._pending = self._pending + text, ""
        at = 0
        while True:
            if self._element == CALL:
                raw, text, at = self._read_call(text, at)
                if raw is None:
                    return
                yield raw
            found = _TAG[self._element].search(text, at)
            if found is None:
                break
            yield from self._said(text[at : found.start()])
            self._enter("" if self._element else found.group())
            at = found.end()
        end = _certain(text, at, _TAGS[self._element])
        self._pending = text[end:]
        yield from self._said(text[at:end])

    def _enter(self, element: str) -> None:
        self._element = element
        self._at_border = True
        self._call = _Content()

    def _said(self, text: str) -> tuple[Text | Reasoning, ...]:
        if self._at_border:
            text = text.lstrip()
            self._at_border = not text
        if not text:
            return ()
        return (Reasoning(text) if self._element else Text(text),)

    def _read_call(self, text: str, begin: int) -> tuple[RawCall | None, str, int]:
        """Read on in a call: the call if it ends here, and where to go on, in which text."""
        call, seen = self._call, begin
        for mark in _MARK.finditer(text, begin):
            seen = mark.end()
            if call.goes_on(mark.group(), mark.start() - begin):
                continue
            if mark.group() != END_CALL or not self._fits(mark.start() - begin):
                return self._go_back(text, begin)
            content = call.text + text[begin : mark.start()]
            if call.doubt >= 0 and not _is_whole(content):
                return self._go_back(text, begin)
            self._enter("")
            return RawCall(content, closed=True), text, seen
        end = _certain(text, seen, _TAGS[CALL])
        if end == len(text) > seen and text[-1] == "\\":
            end -= 1  # what it escapes is still to come
        if not self._fits(end - begin):
            return self._go_back(text, begin)
        call.add(text[begin:end])
        self._pending = text[end:]
        return None, "", 0

    def _go_back(self, text: str, begin: int) -> tuple[RawCall, str, int]:
        """The call up to its doubtful end, and where to go on, in which text."""
        call = self._call
        self._fits(call.doubt - call.size)
        self._enter("")
        if call.doubt < call.size:  # it ends before this text
            text, end = call.text + text[begin:], call.doubt
            return RawCall(text[:end], closed=True), text, end + len(END_CALL)
        end = begin + call.doubt - call.size
        return RawCall(call.text + text[begin:end], closed=True), text, end + len(END_CALL)

    def _fits(self, more: int = 0) -> bool:
        """Whether the call may be so much longer; if not, its doubtful end is its end.

        Raises:
            TooLargeError: It is too long up to there, or has no such end.
        """
        call = self._call
        if call.size + more <= self._limit:
            return True
        if not 0 <= call.doubt <= self._limit:
            raise TooLargeError(f"a tool call is longer than {self._limit} characters")
        return False


class _Content:
    """What has been read of a call, and whether that ends inside a JSON string.

    Attributes:
        size: Characters read.
        doubt: Where a closing tag stands inside a string, or -1.
    """

    def __init__(self) -> None:
        self.size = 0
        self.doubt = -1
        self._pieces: list[str] = []
        self._in_string = False
        self._has_strings = True

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self.size += len(text)

    def goes_on(self, mark: str, ahead: int) -> bool:
        """Whether the call is not at an end with this mark, so many characters ahead."""
        if mark == '"':
            self._in_string = self._has_strings and not self._in_string
        elif mark == END_CALL:
            if not self._in_string:
                return False
            if self.doubt < 0:
                self.doubt = self.size + ahead
        elif mark == CALL:
            return self._in_string or self.doubt < 0
        elif self._in_string and mark < " ":  # no JSON: the next tag is the end of it
            self._in_string = self._has_strings = False
            return self.doubt < 0
        return True


def _certain(text: str, begin: int, tags: tuple[str, ...]) -> int:
    """Where a suffix begins that may become a tag, or the end of the text."""
    at = text.rfind("<", begin)
    if at >= 0 and any(tag.startswith(text[at : at + len(tag)]) for tag in tags):
        return at
    return len(text)


def _is_whole(text: str) -> bool:
    try:
        value = parse_json(text.strip())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


__all__ = ["RawCall", "ToolCallParser"]
