"""Whether a place in an answer begins a line, and whether it is inside a quotation.

A model that quotes a call puts it into a fence, into code, behind quotation marks, into a
quoted paragraph or into an artifact (an element in which chat-ui shows documents). This file
follows Markdown as far as that needs; a place in doubt counts as quoted.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*\Z)|~{3,})")
_FENCE_END = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*\Z")
_ARTIFACT = re.compile(r"<(/?)artifact\b", re.IGNORECASE)
_CODE = re.compile(r"`+")
_QUOTE = re.compile(r"""(?:\A|[\s:(\[])["'\u2018\u201a\u201c\u201e\u00ab]\s*\Z""")
_INDENT = 4
"""Spaces that begin an indented code block."""
_KEPT = 1000
"""Number of pieces of text that are kept before they are read."""


class Surroundings:
    """Incremental; ``add`` text, then ask whether the next character stands ``alone``."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._line: list[str] = []
        self._indent = 0
        self._blank = True
        self._fence = ""
        self._in_artifact = False
        self._code = 0
        self._quoting = False
        self._in_quote = False

    def add(self, text: str) -> None:
        """Add text."""
        self._unread.append(text)
        if len(self._unread) > _KEPT:
            self._read()

    def alone(self) -> bool:
        """Whether the next character begins a line, outside of every quotation."""
        self._read()
        inside = self._fence or self._in_artifact or self._code or self._quoting or self._in_quote
        return self._blank and self._indent < _INDENT and not inside

    def _read(self) -> None:
        text = "".join(self._unread)
        self._unread.clear()
        *lines, rest = text.split("\n")
        for line in lines:
            self._end("".join([*self._line, line]))
            self._line, self._blank, self._indent = [], True, 0
        self._line.append(rest)
        self._blank = self._blank and not rest.strip()
        self._indent += len(rest.replace("\t", " " * _INDENT))

    def _end(self, line: str) -> None:
        """Note the end of a line."""
        if self._fence:
            end = _FENCE_END.match(line)
            if end and end[1].startswith(self._fence):
                self._fence = ""
            return
        if fence := _FENCE.match(line):
            self._fence = fence[1]
            return
        for tag in _ARTIFACT.finditer(line):
            self._in_artifact = not tag[1]
        if not line.strip():
            self._code, self._in_quote = 0, False
            return
        for run in _CODE.findall(line):
            self._code = len(run) if not self._code else self._code * (self._code != len(run))
        self._in_quote = line.lstrip().startswith(">")
        self._quoting = bool(_QUOTE.search(line))


__all__ = ["Surroundings"]
