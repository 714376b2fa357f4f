"""Finds which part of a changing text will stay.

Many apps show something after the text while they write it: a cursor, perhaps a blinking one,
a note such as "*Generating...*", the end of a code block. Others show a note in place of the
text before they begin. Both go away. An app that only adds text waits for nothing, except for
a first snapshot that may be such a note.
"""

from __future__ import annotations

import re

_FIRST_WORD = re.compile(r"[\s\0]*(?!\w*ing\b)(?:[\w']{1,2}|[A-Za-z'\d]{1,12})[\s\0]*")
"""A first token. A note has more words, a mark at its end, or a form such as "Thinking"."""
_LONG, _MARGIN = 200, 32
"""A longer first snapshot is no note, unless it is HTML; a cursor at its end is shorter."""
_CURSORS = "|_\u2026`*"
_FIRST_SYMBOL, _LAST_SYMBOL = "\u2190", "\u2bff"
"""Arrows, lines, blocks, circles, hourglasses and the like."""


class StableText:
    """Fed with all snapshots of a text."""

    def __init__(self) -> None:
        self._text = ""
        self._stable = ""
        self._added: list[str] = []
        self._tail: str | None = None
        self._longest = 0

    @property
    def steady(self) -> bool:
        """Whether text was added, and nothing but that."""
        return self._tail == ""

    def feed(self, text: str) -> str:
        """The beginning of ``text`` that will probably stay."""
        self._join()
        if text != self._text:
            self._stable = text[: self._end(text)]
        return self._stable

    def grow(self, addition: str) -> None:
        """Note that a steady text, all of which was stable, has grown by ``addition``."""
        self._added.append(addition)

    def _join(self) -> None:
        """Add what the text has grown by; doing that each time would copy it as often."""
        if self._added:
            self._text = self._stable = self._text + "".join(self._added)
            self._added.clear()

    def rest(self) -> str:
        """The latest snapshot without what looks like a cursor."""
        self._join()
        text, tail = self._text, self._tail or ""
        if not tail[:1].isalnum():
            text = text.removesuffix(tail)
        return text[: len(text) - _cursor(text)]

    def _end(self, text: str) -> int:
        before, self._text = self._text, text
        common = _common(before, text)
        changed = before[common:]
        if changed:
            grown = common and _has_letters(text[common:]) and not _has_letters(changed)
            if self._tail is not None or grown or text.endswith(changed):
                self._tail, self._longest = changed, max(self._longest, len(changed))
        elif before and self._tail is None and _has_letters(text[common:]):
            self._tail = ""
        if self._tail is not None:
            end = len(text) - max(self._longest, _cursor(text))
            if self._tail and (at := text.rfind(self._tail, common)) >= 0:
                end = min(end, at)  # something else may follow it now
            return max(common, end)
        if _FIRST_WORD.fullmatch(text):
            return len(text)
        return len(text) - _MARGIN if len(text) > _LONG and not text.startswith("<") else 0


def may_end_in_cursor(text: str) -> bool:
    """Whether the last character of ``text``, which is not empty, may be one of a cursor."""
    last = text[-1]
    return last in _CURSORS or last == "." or _FIRST_SYMBOL <= last <= _LAST_SYMBOL


def _cursor(text: str) -> int:
    """Length of what looks like a cursor at the end of ``text``."""
    if not text or not may_end_in_cursor(text) or (text[-1] == "." and text[-3:] != "..."):
        return 0
    return len(text) - len(text.rstrip(text[-1]).rstrip())


def _has_letters(text: str) -> bool:
    return any(map(str.isalnum, text))


def _common(first: str, second: str) -> int:
    """Length of the common beginning, by comparing ever smaller parts of it."""
    if second.startswith(first):
        return len(first)
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
