"""Splits a streamed answer into text, reasoning and tool calls.

`langchain_g4f.text.think` decides what is reasoning; a call inside it is reasoning, too. A call
stands in a ``<tool_call>`` element. Only the model is told the id of the element: an element with
the id is a call wherever it stands, even in a code fence. An element without it may be a
quotation. It is a call only where a model calls as it was asked to: on a line of its own, in no
fence, code, quotation or artifact, and with nothing behind it but more calls.

Text is given out without delay and never withdrawn: only a suffix that may be the beginning of a
tag waits, so ``a < b`` goes out at once. A call with the id is given out when it is closed, others
when the answer ends; an element that turns out to be no call is text. White space beside a call
belongs to neither side. However an answer is cut, the events are the same, apart from the borders
between pieces of text.

An argument may contain ``</tool_call>``, so such a tag inside a JSON string is doubtful. It is
content if the JSON continues and is complete at a later tag; otherwise it ends a call with a
broken string. The end of the line decides at the latest, because a JSON string has no line breaks;
until then the following text waits, and is read again if need be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.core.http import parse_json
from langchain_g4f.errors import TooLargeError
from langchain_g4f.text.think import ThinkSplitter
from langchain_g4f.tools.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CALL, END_CALL = "<tool_call>", "</tool_call>"

_TAG = re.compile(r"<tool_call(?:\s[^<>]{0,80})?>")
_TAG_BEGUN = re.compile(r"<tool_call(?:\s[^<>]{0,80})?")
_ID = re.compile(r"""\sid\s*=\s*["']?([\w-]+)["']?\s*/?>""")
_MARK = re.compile(r'</tool_call>|<tool_call(?:\s[^<>]{0,80})?>|["\x00-\x1f]|\\[^<\x00-\x1f]')


@dataclass(frozen=True, slots=True)
class RawCall:
    """The content of a ``<tool_call>`` element.

    Attributes:
        text: Content of the element.
        closed: Whether its end was seen; an element that was cut off may lack half an argument.
        marked: Whether it has the id that only the model was told.
    """

    text: str
    closed: bool
    marked: bool = True


class ToolCallParser:
    """Incremental; ``feed`` pieces, then ``close``.

    Args:
        nonce: Id that the model was told to write; empty if it was not told one.
        strict: Whether every element without the id is text.
        limit: Largest length of a call in characters.
    """

    def __init__(
        self, nonce: str = "", *, strict: bool = False, limit: int = 8 * 1024 * 1024
    ) -> None:
        self._nonce = nonce
        self._strict = strict
        self._limit = limit
        self._splitter = ThinkSplitter()
        self._pending = ""
        self._at_border = False
        self._surroundings = Surroundings()
        self._call: _Content | None = None
        self._unmarked: list[RawCall] = []
        self._source: list[str] = []

    def feed(self, text: str) -> Iterable[Text | Reasoning | RawCall]:
        """The events that are certain now.

        Raises:
            TooLargeError: A call is longer than the limit.
        """
        if self._splitter.flowing:
            if "<" in text or self._pending or self._at_border or self._call or self._unmarked:
                return self._split(text)
            if text:
                self._surroundings.add(text)
                return (Text(text),)
            return ()
        return self._rest(self._splitter.feed(text))

    def close(self) -> Iterator[Text | Reasoning | RawCall]:
        """The events that waited; unfinished reasoning stays reasoning.

        Raises:
            TooLargeError: A call is longer than the limit.
        """
        yield from self._rest(self._splitter.close())
        pending, self._pending = self._pending, ""
        if self._call is None:
            yield from self._said(pending)
            yield from self._unmarked
            self._unmarked = []
            return
        call = self._call
        call.add(pending)
        if not self._fits(call) or (call.doubt >= 0 and not _is_whole(call.text)):
            raw, text, at = self._go_back(call, "", 0)
            yield from self._made(raw)
            yield from self._split(text[at:])
            yield from self.close()
            return
        yield from self._unmarked
        self._call, self._unmarked = None, []
        yield RawCall(call.text, closed=False, marked=call.marked)

    def _rest(self, events: Iterable[Text | Reasoning]) -> Iterator[Text | Reasoning | RawCall]:
        for event in events:
            if isinstance(event, Text):
                yield from self._split(event.text)
            else:
                yield event

    def _split(self, text: str) -> Iterator[Text | RawCall]:
        text, self._pending = self._pending + text, ""
        at = 0
        while True:
            if self._call is not None:
                raw, text, at = self._read_call(self._call, text, at)
                if raw is None:
                    return
                yield from self._made(raw)
            found = _TAG.search(text, at)
            if found is None:
                break
            yield from self._said(text[at : found.start()])
            tag, at = found.group(), found.end()
            if self._is_marked(tag):
                yield from self._quoted()
                self._strict = True  # a model that knows the id writes it on every call
                self._call = _Content(tag, marked=True)
            elif not self._strict and (self._unmarked or self._surroundings.alone()):
                self._call = _Content(tag, marked=False)
            else:
                yield from self._said(tag)
        end = _certain(text, at, CALL)
        self._pending = text[end:]
        yield from self._said(text[at:end])

    def _is_marked(self, tag: str) -> bool:
        found = _ID.search(tag)
        return found is not None and bool(self._nonce) and found[1] == self._nonce

    def _made(self, raw: RawCall) -> Iterator[RawCall]:
        """Give out a closed call; without the id it waits for the end of the answer."""
        call, self._call = self._call, None
        if raw.marked:
            self._at_border = True
            yield raw
        elif call is not None:
            self._unmarked.append(raw)
            self._source.append(f"{call.tag}{raw.text}{END_CALL}")

    def _said(self, text: str) -> Iterator[Text]:
        if self._unmarked:
            self._source.append(text)
            if text.strip():
                yield from self._quoted()
            return
        if self._at_border:
            text = text.lstrip()
            self._at_border = not text
        if text:
            self._surroundings.add(text)
            yield Text(text)

    def _quoted(self) -> Iterator[Text]:
        """Give out as text the elements that waited for the end of the answer."""
        text = "".join(self._source)
        self._source, self._unmarked = [], []
        if text:
            self._surroundings.add(text)
            yield Text(text)

    def _read_call(self, call: _Content, text: str, begin: int) -> tuple[RawCall | None, str, int]:
        """Read more of a call: the call if it ends here, then text and index to read next."""
        seen = begin
        for mark in _MARK.finditer(text, begin):
            seen = mark.end()
            if call.goes_on(mark.group(), mark.start() - begin):
                continue
            if mark.group() != END_CALL or not self._fits(call, mark.start() - begin):
                return self._go_back(call, text, begin)
            content = call.text + text[begin : mark.start()]
            if call.doubt >= 0 and not _is_whole(content):
                return self._go_back(call, text, begin)
            return call.raw(content), text, seen
        end = _certain(text, seen, END_CALL, CALL)
        if end == len(text) > seen and text[-1] == "\\":
            end -= 1  # what it escapes is still to come
        if not self._fits(call, end - begin):
            return self._go_back(call, text, begin)
        call.add(text[begin:end])
        self._pending = text[end:]
        return None, "", 0

    def _go_back(self, call: _Content, text: str, begin: int) -> tuple[RawCall, str, int]:
        """The call up to its doubtful end, then the text and the index to read next."""
        self._fits(call, call.doubt - call.size)
        if call.doubt < call.size:  # it ends before this text
            text, end = call.text + text[begin:], call.doubt
            return call.raw(text[:end]), text, end + len(END_CALL)
        end = begin + call.doubt - call.size
        return call.raw(call.text + text[begin:end]), text, end + len(END_CALL)

    def _fits(self, call: _Content, more: int = 0) -> bool:
        """Whether the call may grow by ``more``; if not, its doubtful end is its end.

        Raises:
            TooLargeError: It is too long up to that end, or has no doubtful end.
        """
        if call.size + more <= self._limit:
            return True
        if not 0 <= call.doubt <= self._limit:
            raise TooLargeError(f"a tool call is longer than {self._limit} characters")
        return False


class _Content:
    """The part of a call that was read, and whether it ends inside a JSON string.

    Args:
        tag: Tag with which it begins.
        marked: Whether the tag has the id.

    Attributes:
        size: Number of characters read.
        doubt: Index of a closing tag inside a string, or -1.
    """

    def __init__(self, tag: str, *, marked: bool) -> None:
        self.tag = tag
        self.marked = marked
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

    def raw(self, text: str) -> RawCall:
        """The call with this content."""
        return RawCall(text, closed=True, marked=self.marked)

    def goes_on(self, mark: str, ahead: int) -> bool:
        """Whether the call continues after this mark, which stands so many characters ahead."""
        if mark == '"':
            self._in_string = self._has_strings and not self._in_string
        elif mark == END_CALL:
            if not self._in_string:
                return False
            if self.doubt < 0:
                self.doubt = self.size + ahead
        elif mark.startswith("<"):
            return self._in_string or self.doubt < 0
        elif self._in_string and mark < " ":  # no JSON: the next tag is the end of it
            self._in_string = self._has_strings = False
            return self.doubt < 0
        return True


def _certain(text: str, begin: int, *tags: str) -> int:
    """Index of a suffix that may become a tag, or the end of the text."""
    at = text.rfind("<", begin)
    if at < 0:
        return len(text)
    begun = any(tag.startswith(text[at : at + len(tag)]) for tag in tags)
    return at if begun or _TAG_BEGUN.fullmatch(text, at) else len(text)


def _is_whole(text: str) -> bool:
    try:
        value = parse_json(text.strip())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


__all__ = ["RawCall", "ToolCallParser"]
