"""Turns snapshots of an answer into its growth (docs/protocols/gradio-space.md, section 4).

An app sends its whole answer again and again; the caller gets only what is new. An app may
also replace text that the caller already has. Then nothing is emitted until the answer begins
with that text again, and the last version follows at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any, cast
from urllib.parse import quote

from langchain_g4f.core.events import Event, File, FinalText, Finish, Progress, Reasoning, Text
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import EmptyResponseError, MalformedStreamError, StreamInterruptedError
from langchain_g4f.providers.gradio_space.content import Snapshot, applied
from langchain_g4f.providers.gradio_space.stream import Growth

_UNIQUE = 2
"""Characters from which on equal strings are different objects; Python shares shorter ones."""
_CANCELLED = "the app cancelled the call before it had said anything"


class AnswerDiffer:
    """An `OutputHandler` that emits an answer as it grows.

    Args:
        find: Finds the answer in the output.
        output: Index of the output.
        files: URL of the app's files, up to their path.
        before: Value of the output before the app answers.

    Attributes:
        text: The text emitted so far.
        visible: Whether the caller was given any text, reasoning or file.
        outputs: The final outputs; None without a regular end.
    """

    def __init__(
        self, find: Callable[[JSON], Snapshot], output: int, files: str, before: JSON = None
    ) -> None:
        self.text = ""
        self.visible = False
        self.outputs: list[JSON] | None = None
        self._find = find
        self._output = output
        self._files = files
        self._value = before
        self._placeholder = find(before).text
        self._reasoning = ""
        self._rewritten = False
        self._emitted: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._end: tuple[int, list[JSON]] | None = None

    def update(self, data: list[JSON], grown: Growth | None = None) -> Iterator[Event]:
        """Emit what is new in the outputs."""
        if grown is not None and grown[2] and grown[:2] == self._end:
            # the usual case; finding the answer takes longer than everything else
            self._value = applied(data[self._output], self._value)
            self.text += grown[2]
            yield Text(grown[2])
            return
        found = self._find_in(data)
        if not found.text or found.text != self._placeholder:
            yield from self._grow(found)
        self._end = self._end_of(found.text, data, grown)

    def _end_of(
        self, text: str, data: list[JSON], grown: Growth | None
    ) -> tuple[int, list[JSON]] | None:
        """Output and path of ``text``, if it was emitted in full and has just grown."""
        if grown is None or text != self.text or len(text) < _UNIQUE:
            return None
        at, path, _ = grown
        # compares identity, because another place may hold an equal text
        return (at, path) if reduce(getitem, path, cast("Any", data[at])) is text else None

    def _find_in(self, data: list[JSON]) -> Snapshot:
        if len(data) <= self._output:
            raise MalformedStreamError(
                f"'data' has {len(data)} outputs, the answer is number {self._output}"
            )
        self._value = applied(data[self._output], self._value)
        return self._find(self._value)

    def _grow(self, found: Snapshot) -> Iterator[Event]:
        if len(found.reasoning) > len(self._reasoning):
            yield from self._think(found.reasoning)
        if found.text != self.text:
            yield from self._write(found.text)
        for file in found.files:
            yield from self._attach(file)

    def complete(self, data: list[JSON] | None) -> Iterator[Event]:
        """Emit what is new at the end."""
        if data is None:
            if not self.visible:
                raise StreamInterruptedError(_CANCELLED)
            yield Finish("interrupted")
            return
        found = self._find_in(data)
        yield from self._grow(found)
        if found.text != self.text:
            yield FinalText(found.text)
        if not (self.visible or found.text):
            raise EmptyResponseError("the app has finished, and its answer is empty")
        self.outputs = data
        self.outputs[self._output] = self._value
        yield Finish()

    def _think(self, reasoning: str) -> Iterator[Event]:
        if reasoning.startswith(self._reasoning):
            self.visible = True
            yield Reasoning(reasoning[len(self._reasoning) :])
            self._reasoning = reasoning

    def _write(self, text: str) -> Iterator[Event]:
        if text.startswith(self.text):
            self.visible = True
            yield Text(text[len(self.text) :])
            self.text = text
        elif not self._rewritten:
            self._rewritten = True
            yield Progress("rewritten", "the app has replaced what it had said")

    def _attach(self, file: Mapping[str, JSON]) -> Iterator[Event]:
        path, url = _text(file.get("path")), _text(file.get("url"))
        if (path, url) in self._seen:  # it comes again with every change
            return
        self._seen.add((path, url))
        # `url` may name an internal host (obligation 22); the path is valid below ours
        is_path = path and "://" not in path
        address = self._files + quote(path) if is_path else url or path
        if not address or address in self._emitted:
            return
        self._emitted.add(address)
        self.visible = True
        kind = file.get("mime_type")
        name = file.get("orig_name") or address.rpartition("/")[2]
        yield File(str(name), kind if isinstance(kind, str) else "", address)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


class OutputCollector:
    """An `OutputHandler` that keeps the final outputs only.

    Attributes:
        outputs: The final outputs; empty before the end.
    """

    def __init__(self) -> None:
        self.outputs: list[JSON] = []

    def update(self, data: list[JSON], grown: Growth | None = None) -> tuple[()]:
        """Ignore outputs before the end."""
        return ()

    def complete(self, data: list[JSON] | None) -> tuple[()]:
        """Keep the outputs."""
        if data is None:
            raise StreamInterruptedError(_CANCELLED)
        self.outputs = data
        return ()
