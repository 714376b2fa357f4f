"""Snapshots of an answer -> its growth (docs/protocols/gradio-space.md, section 4).

An app shows its whole answer again and again. The caller is given only what is new; an
answer that no longer begins with what was given is a rewritten one: nothing more is
given then, unless it comes to begin so again, and its last version is told at the end.
"""

from __future__ import annotations

from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from langchain_g4f.core.events import Event, File, FinalText, Finish, Progress, Reasoning, Text
from langchain_g4f.errors import EmptyResponseError, MalformedStreamError, StreamInterruptedError
from langchain_g4f.providers.gradio_space.content import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langchain_g4f.core.http import JSON
    from langchain_g4f.providers.gradio_space.content import Snapshot
    from langchain_g4f.providers.gradio_space.stream import Growth

_UNIQUE = 2  # characters: Python shares shorter strings


class AnswerReader:
    """Gives out an answer as it grows.

    Args:
        find: Finds the answer in the output.
        output: Which output that is.
        files: Where the app's files are, up to their path.
        before: What the output is before the app answers.

    Attributes:
        text: The text given so far.
        spoken: Whether anything visible was given.
        outputs: The outputs at the end; None if there was no regular end.
    """

    def __init__(
        self, find: Callable[[JSON], Snapshot], output: int, files: str, before: JSON = None
    ) -> None:
        self.text = ""
        self.spoken = False
        self.outputs: list[JSON] | None = None
        self._find = find
        self._output = output
        self._files = files
        self._shown = before
        self._placeholder = find(before).text
        self._reasoning = ""
        self._rewritten = False
        self._given: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._end: tuple[int, list[JSON]] | None = None

    def update(self, data: list[JSON], grown: Growth | None = None) -> Iterator[Event]:
        """What is new in the outputs; see `Reader`."""
        if grown is not None and grown[2] and grown[:2] == self._end:
            # so most of an answer comes, and looking takes longer than all else
            self._shown = shown(data[self._output], self._shown)
            self.text += grown[2]
            yield Text(grown[2])
            return
        found = self._look(data)
        if not found.text or found.text != self._placeholder:
            yield from self._grow(found)
        self._end = self._end_of(found.text, data, grown)

    def _end_of(
        self, text: str, data: list[JSON], grown: Growth | None
    ) -> tuple[int, list[JSON]] | None:
        """Where ``text`` ends, if it was given, and is what has just grown and nothing else."""
        if grown is None or text != self.text or len(text) < _UNIQUE:
            return None
        at, path, _ = grown
        # the very object, for another place may hold an equal text
        return (at, path) if reduce(getitem, path, cast("Any", data[at])) is text else None

    def _look(self, data: list[JSON]) -> Snapshot:
        if len(data) <= self._output:
            msg = f"'data' has {len(data)} outputs, the answer is number {self._output}"
            raise MalformedStreamError(msg)
        self._shown = shown(data[self._output], self._shown)
        return self._find(self._shown)

    def _grow(self, found: Snapshot) -> Iterator[Event]:
        if len(found.reasoning) > len(self._reasoning):
            yield from self._think(found.reasoning)
        if found.text != self.text:
            yield from self._say(found.text)
        for file in found.files:
            yield from self._show(file)

    def complete(self, data: list[JSON] | None) -> Iterator[Event]:
        """What is new at the end."""
        if data is None:
            if not self.spoken:
                msg = "the app cancelled the call before it had said anything"
                raise StreamInterruptedError(msg)
            yield Finish("interrupted")
            return
        found = self._look(data)
        yield from self._grow(found)
        if found.text != self.text:
            yield FinalText(found.text)
        if not (self.spoken or found.text):
            raise EmptyResponseError("the app has finished, and its answer is empty")
        self.outputs = data
        self.outputs[self._output] = self._shown
        yield Finish()

    def _think(self, reasoning: str) -> Iterator[Event]:
        if reasoning.startswith(self._reasoning):
            self.spoken = True
            yield Reasoning(reasoning[len(self._reasoning) :])
            self._reasoning = reasoning

    def _say(self, text: str) -> Iterator[Event]:
        if text.startswith(self.text):
            self.spoken = True
            yield Text(text[len(self.text) :])
            self.text = text
        elif not self._rewritten:
            self._rewritten = True
            yield Progress("rewritten", "the app has replaced what it had said")

    def _show(self, file: Mapping[str, JSON]) -> Iterator[Event]:
        path, url = _text(file.get("path")), _text(file.get("url"))
        if (path, url) in self._seen:  # at every change, of every file
            return
        self._seen.add((path, url))
        # `url` may name an inner address (obligation 22); the path is good at our own
        inside = path and "://" not in path
        where = self._files + quote(path) if inside else url or path
        if not where or where in self._given:
            return
        self._given.add(where)
        self.spoken = True
        kind = file.get("mime_type")
        name = file.get("orig_name") or where.rpartition("/")[2]
        yield File(str(name), kind if isinstance(kind, str) else "", where)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


class OutputReader:
    """Waits for the outputs of a function that prepares the answer."""

    def __init__(self) -> None:
        self.outputs: list[JSON] | None = None

    def update(
        self,
        data: list[JSON],
        grown: Growth | None = None,
    ) -> Iterator[Event]:
        """Nothing: only the end counts."""
        yield from ()

    def complete(self, data: list[JSON] | None) -> Iterator[Event]:
        """Keep the outputs."""
        if data is None:
            msg = "the app cancelled the call before it had said anything"
            raise StreamInterruptedError(msg)
        self.outputs = data
        yield from ()


__all__ = ["AnswerReader", "OutputReader"]
