"""Turns snapshots of an answer into its growth (docs/protocols/gradio-space.md, section 4).

An app sends its whole answer again and again; the caller gets only what is new, as soon as it
will probably stay. An app may also replace text that the caller already has. Then nothing is
emitted until the answer begins with that text again, and the last version follows at the end.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain, islice
from operator import getitem
from typing import Any, Literal, cast
from urllib.parse import quote

from langchain_g4f.core.events import Event, File, FinalText, Finish, Progress, Reasoning, Text
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import (
    EmptyResponseError,
    MalformedStreamError,
    StreamInterruptedError,
    TooLargeError,
)
from langchain_g4f.providers.gradio_space.content import MAX_PARTS, Snapshot, applied, plot_file
from langchain_g4f.providers.gradio_space.stable import StableText, may_end_in_cursor
from langchain_g4f.providers.gradio_space.stream import Growth
from langchain_g4f.text.stop import held_back
from langchain_g4f.text.think import THINK, ThinkSplitter

_UNIQUE = 2
"""Characters from which on equal strings are different objects; Python shares shorter ones."""
_THINK = (*THINK, ("<thinking>", "</thinking>"))
_KINDS: dict[str, Literal["image", "audio", "video"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
}
_CANCELLED = "the app cancelled the call before it had said anything"


class AnswerDiffer:
    """An `OutputHandler` that emits an answer as it grows.

    Args:
        find: Finds the answer in the output.
        output: Index of the output.
        files: URL of the app's files, up to their path.
        before: Value of the output before the app answers.
        tags: Opening and closing tags of reasoning, where the app names them.

    Attributes:
        text: The text emitted so far.
        visible: Whether the caller was given any text, reasoning or file.
        outputs: The final outputs; None without a regular end.
        goes_on: Whether another function will change the answer.
        ended: Whether the end was emitted.
    """

    def __init__(
        self,
        find: Callable[[JSON], Snapshot],
        output: int,
        files: str,
        before: JSON = None,
        tags: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.text = ""
        self.visible = False
        self.outputs: list[JSON] | None = None
        self.goes_on = False
        self.ended = False
        self._last = Snapshot("", "")
        self._find = find
        self._output = output
        self._files = files
        self._value = before
        self._placeholder = find(before).text
        self._splitter = ThinkSplitter(tags or _THINK, anywhere=bool(tags))
        self._closing = tuple(closing for _, closing in tags)
        self._stable = StableText()
        self._stable_thoughts = StableText()
        self._reasoning = ""
        self._rewritten = False
        self._emitted: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._end: tuple[int, list[JSON]] | None = None
        self._is_all_text = False

    def update(self, data: list[JSON], grown: Growth | None = None) -> Iterator[Event]:
        """Emit what is new in the outputs."""
        if grown is not None and grown[:2] == self._end:
            added = grown[2]
            if added and not may_end_in_cursor(added):
                # the usual case; finding the answer takes longer than everything else
                self._value = applied(data[self._output], self._value)
                self._stable.grow(added)
                self.text += added
                yield Text(added)
                return
        found = self._find_in(data)
        yield from self._show(found)
        if self._is_all_text:
            self._end = self._end_of(found.text, data, grown)

    def _show(self, found: Snapshot) -> Iterator[Event]:
        """Emit what will probably stay of ``found``."""
        self._end, self._is_all_text = None, False
        if found.text and found.text == self._placeholder:
            return
        stable = self._stable.feed(found.text)
        text, reasoning, flowing = self._split(stable)
        yield from self._think(self._thoughts(found), reasoning)
        yield from self._write(text)
        for file in found.files:
            yield from self._attach(file)
        is_whole = text == self.text and stable == found.text
        self._is_all_text = flowing and self._stable.steady and is_whole

    def _end_of(
        self, text: str, data: list[JSON], grown: Growth | None
    ) -> tuple[int, list[JSON]] | None:
        """Output and path of ``text``, if that has just grown, and was emitted in full."""
        if grown is None or len(text) < _UNIQUE:
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

    def follow(self, output: int, *, goes_on: bool) -> None:
        """Let another function change the answer, as its output number ``output``."""
        self._output, self._end, self.goes_on = output, None, goes_on

    def complete(self, data: list[JSON] | None) -> Iterator[Event]:
        """Emit what is new when a function has ended, and the end after the last."""
        if data is None:
            self.ended = True
            yield from self.rest()
            if not self.visible:
                raise StreamInterruptedError(_CANCELLED)
            yield Finish("interrupted")
            return
        self._last = self._find_in(data)
        self.outputs = data
        self.outputs[self._output] = self._value
        yield from self._show(self._last) if self.goes_on else self.end()

    def rest(self) -> Iterator[Event]:
        """Emit what was held back, because no other version of it will come."""
        text, reasoning, _ = self._split(self._stable.rest(), whole=True)
        yield from self._think(self._stable_thoughts.rest(), reasoning)
        yield from self._write(text)

    def end(self) -> Iterator[Event]:
        """Emit the rest of the answer, and its end."""
        self.ended, found = True, self._last
        text, reasoning, _ = self._split(found.text, whole=True)
        yield from self._think(found.reasoning, reasoning)
        yield from self._write(text, whole=True)
        for file in found.files:
            yield from self._attach(file, whole=True)
        if not (self.visible or text):
            raise EmptyResponseError("the app has finished, and its answer is empty")
        yield Finish()

    def _split(self, text: str, *, whole: bool = False) -> tuple[str, str, bool]:
        """Text and reasoning in ``text``, and whether all that follows will be text."""
        splitter = self._splitter
        list(splitter.begin_round())  # what the snapshot before left is of no interest
        found = chain(splitter.feed(text), splitter.close() if whole else ())
        pieces = list(islice(found, MAX_PARTS + 1))
        if len(pieces) > MAX_PARTS:
            raise TooLargeError(f"the answer has more than {MAX_PARTS} parts")
        texts = (piece.text for piece in pieces if isinstance(piece, Text))
        reasoning = (piece.text for piece in pieces if isinstance(piece, Reasoning))
        return "".join(texts), "".join(reasoning), splitter.flowing

    def _thoughts(self, found: Snapshot) -> str:
        """The thoughts that will probably stay; those before a text are finished."""
        thoughts = self._stable_thoughts.feed(found.reasoning)
        if found.text:
            thoughts = self._stable_thoughts.rest()
        # Gradio 6 takes tags out of the text, but not one that is incomplete
        return thoughts[: len(thoughts) - held_back(thoughts, self._closing)]

    def _think(self, *reasoning: str) -> Iterator[Event]:
        now = "\n\n".join(filter(None, reasoning))
        if len(now) > len(self._reasoning) and now.startswith(self._reasoning):
            self.visible = True
            yield Reasoning(now[len(self._reasoning) :])
            self._reasoning = now

    def _write(self, text: str, *, whole: bool = False) -> Iterator[Event]:
        if text.startswith(self.text):
            if len(text) > len(self.text):
                self.visible = True
                yield Text(text[len(self.text) :])
                self.text = text
        elif whole or not self.text.startswith(text):
            if not self._rewritten:
                self._rewritten = True
                yield Progress("rewritten", "the app has replaced what it had said")
            if whole:
                yield FinalText(text)

    def _attach(self, file: Mapping[str, JSON], *, whole: bool = False) -> Iterator[Event]:
        if file.keys() == {"type", "plot"}:  # it may be drawn step by step
            if whole:
                self.visible = True
                yield plot_file(file)
            return
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
        name = _text(file.get("orig_name")) or address.rpartition("/")[2]
        about = file.get("about")
        yield File(
            name,
            _text(file.get("mime_type")) or _type_of(name) or _type_of(address),
            address,
            kind=_KINDS.get(_text(file.get("kind")), ""),
            about={k: _text(v) for k, v in about.items()} if isinstance(about, dict) else {},
        )


def _type_of(name: str) -> str:
    """The media type that a name or an address suggests."""
    last = name.partition("?")[0].rpartition("/")[2]  # the rest may be no valid URL
    return mimetypes.guess_type(last, strict=False)[0] or ""


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
