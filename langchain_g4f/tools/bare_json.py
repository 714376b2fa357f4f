"""Passes on the JSON of an answer without the fences and words around it.

A caller who asks for JSON parses the whole answer. The JSON begins with the first ``{``, or with a
``[`` just before that or before everything else, and ends with its closing bracket. An answer
without JSON is passed on whole, at its end.
"""

from __future__ import annotations

import re

_BEGIN = re.compile(r"\A\s*+(?:```\w*+\s*+)?(\[)|(\[\s*+\{|\{)")
_MARK = re.compile(r'[{}\[\]"\\]')


class BareJSON:
    """Incremental; ``feed`` pieces, then ``close``."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._bracketed = False
        self._begun = False
        self._ended = False
        self._depth = 0
        self._in_string = False
        self._skip = 0

    def feed(self, text: str) -> str:
        """The text that certainly belongs to the JSON."""
        if not self._begun:
            text = self._beginning(text)
        if self._ended or not text:
            return ""
        return text[: self._end(text)]

    def close(self) -> str:
        """The text that waited: everything, if there was no JSON."""
        before, self._before = self._before, []
        return "".join(before)

    def _beginning(self, text: str) -> str:
        """The text so far from the beginning of the JSON on; empty before that."""
        self._before.append(text)
        # searched at the first bracket and at the first brace, and so in linear time
        if "{" in text or ("[" in text and not self._bracketed):
            self._bracketed = True
            before = "".join(self._before)
            if found := _BEGIN.search(before):
                self._begun = True
                self._before.clear()
                return before[found.start(found.lastindex or 0) :]
        return ""

    def _end(self, text: str) -> int:
        """Index at which the value ends in ``text``, or the length of the text."""
        at, self._skip = self._skip, 0
        while found := _MARK.search(text, at):
            at = found.end()
            char = found.group()
            if char == '"':
                self._in_string = not self._in_string
            elif self._in_string:
                if char == "\\":  # the character after it is no mark, here or in the next piece
                    self._skip = max(0, at + 1 - len(text))
                    at += 1
            elif char in "{[":
                self._depth += 1
            elif char in "}]":
                self._depth -= 1
                if not self._depth:
                    self._ended = True
                    return at
        return len(text)


__all__ = ["BareJSON"]
