"""Passes the JSON of an answer on and leaves fences and words around it out.

Where JSON was asked for, whoever reads the answer parses all of it. JSON begins with the
first ``{``, or with a ``[`` just before that or before everything else, and ends with its
bracket. An answer with no JSON in it is passed on whole, at its end.
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
        """What is certain to belong to the JSON now."""
        if not self._begun:
            text = self._beginning(text)
        if self._ended or not text:
            return ""
        return text[: self._end(text)]

    def close(self) -> str:
        """What was held back: everything, if there was no JSON."""
        before, self._before = self._before, []
        return "".join(before)

    def _beginning(self, text: str) -> str:
        """What has come, from where the JSON begins; nothing as long as it does not."""
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
        """Where the value ends in ``text``, or the end of that."""
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
