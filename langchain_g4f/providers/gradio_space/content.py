"""How messages and files look in a Gradio app, by its version.

Follows docs/protocols/gradio-space.md, section 7: a shape of the other line fails
without a reason, so what is sent is shaped exactly. What is read may have any of the
shapes, for an app may answer with more than its chatbot's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_g4f.providers.gradio_space.app import Shape
    from langchain_g4f.wire import JSON

FILE_META: Mapping[str, JSON] = {"_type": "gradio.FileData"}


@dataclass(frozen=True, slots=True)
class Line:
    """One message to be shown in a chatbot.

    Attributes:
        role: ``"user"`` or ``"assistant"``.
        text: What it says.
        files: ``FileData`` of what goes with it.
    """

    role: str
    text: str
    files: tuple[dict[str, JSON], ...] = ()


def history(lines: Sequence[Line], shape: Shape) -> list[JSON]:
    """The value of a chatbot that shows ``lines``; files stand before their text."""
    found: list[JSON] = []
    for line in lines:
        contents: list[JSON] = [_file_content(file, shape) for file in line.files]
        if line.text or not line.files:
            contents.append(
                [{"type": "text", "text": line.text}] if shape == "parts" else line.text
            )
        for content in contents:
            if shape == "tuples":
                _pair(found, line.role, content)
            else:
                found.append({"role": line.role, "content": content})
    return found


def _file_content(file: dict[str, JSON], shape: Shape) -> JSON:
    part: dict[str, JSON] = {"file": file, "alt_text": None}
    return [{"type": "file", **part}] if shape == "parts" else part


def _pair(found: list[JSON], role: str, content: JSON) -> None:
    last = found[-1] if found else None
    if role == "user":
        found.append([content, None])
    elif isinstance(last, list) and last[1] is None and isinstance(last[0], str):
        last[1] = content
    else:
        found.append([None, content])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An answer as far as it has come.

    Attributes:
        text: What the model says.
        reasoning: What stands in thoughts, messages with a title (section 4).
        files: ``FileData`` of what belongs to it.
    """

    text: str
    reasoning: str
    files: tuple[Mapping[str, JSON], ...] = ()


def _is_file(value: dict[str, JSON]) -> bool:
    return isinstance(value.get("path"), str) or ("url" in value and "meta" in value)


class _Reading:
    """Collects what the messages of an answer hold."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.files: list[Mapping[str, JSON]] = []

    def message(self, value: JSON) -> None:
        """A message, or what an interface gives in place of one."""
        if isinstance(value, dict) and "content" in value:
            metadata = value.get("metadata")
            thought = isinstance(metadata, dict) and bool(metadata.get("title"))
            self._content(value["content"], self.thoughts if thought else self.texts)
        else:
            self._content(value, self.texts)

    def _content(self, value: JSON, texts: list[str]) -> None:
        match value:
            case str():
                texts.append(value)
            case None:
                pass
            case list():
                for part in value:
                    self._content(part, texts)
            # first, and by hand: it is read again at every chunk, and patterns are slow
            case dict(part) if part.get("type") == "text" and isinstance(
                text := part.get("text"), str
            ):
                texts.append(text)
            case dict(file) if _is_file(file):
                self.files.append(file)
            case {"file": dict(file)}:
                self.files.append(file)
            case {"component": str(), "value": held}:
                self._content(held, texts)
            case {"text": str(text), "files": list(files)}:
                texts.append(text)
                self._content(files, texts)
            case {"text": str(text)}:
                texts.append(text)
            case _:
                texts.append(json.dumps(value, ensure_ascii=False))

    def snapshot(self) -> Snapshot:
        return Snapshot(
            "\n\n".join(filter(None, self.texts)),
            "\n\n".join(filter(None, self.thoughts)),
            tuple(self.files),
        )


def shown(value: JSON, before: JSON = None) -> JSON:
    """What a component holds after a function has given ``value`` for it."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return value.get("value", before)
    return value


def answer_in_output(value: JSON) -> Snapshot:
    """The answer that an interface's function gives: text, a message, or several."""
    reading = _Reading()
    for message in value if isinstance(value, list) else [value]:
        reading.message(message)
    return reading.snapshot()


class AnswerInHistory:
    """Finds the answer in the value of a chatbot: what follows the newest user message.

    Args:
        sent: What the chatbot held when the answering function was called.
        asked: Whether the question stood in there already.
    """

    def __init__(self, sent: JSON, *, asked: bool) -> None:
        end = len(messages := _flat(sent))
        while asked and end and _role(messages[end - 1]) != "user":
            end -= 1  # a preparation may have put a place holder there
        self._known = [_essence(message) for message in messages[:end]]
        self._first: JSON = None

    def __call__(self, value: JSON) -> Snapshot:
        """The answer in ``value``."""
        messages = _flat(value)
        known, at = self._known_of(messages), len(messages)
        while at > known and _role(messages[at - 1]) != "user":
            at -= 1
        reading = _Reading()
        for message in messages[at:]:
            reading.message(message)
        return reading.snapshot()

    def _known_of(self, messages: list[JSON]) -> int:
        """How many of ``messages`` were there before; an app may have forgotten the oldest."""
        count = len(self._known)
        if len(messages) > count:
            if not count or messages[0] is self._first:  # mostly: only the answer has changed
                return count
            if _essence(messages[0]) == self._known[0]:
                self._first = messages[0]
                return count
        found = [_essence(message) for message in messages[:count]]
        rest = range(len(found), 0, -1)
        return next((n for n in rest if found[:n] == self._known[count - n :]), 0)


def _flat(value: JSON) -> list[JSON]:
    """The messages of a chatbot; the pairs of older apps are taken apart."""
    if not isinstance(value, list):
        return []
    if list not in map(type, value):  # at every chunk, and the history may be long
        return value
    found: list[JSON] = []
    for pair in value:
        if isinstance(pair, list) and len(pair) == 2:
            for role, content in zip(("user", "assistant"), pair, strict=True):
                if content is not None:
                    found.append({"role": role, "content": _of_pair(content)})
    return found


def _of_pair(content: JSON) -> JSON:
    """In pairs, a file may be a list of path and description."""
    if isinstance(content, list) and content and isinstance(content[0], str):
        return {"path": content[0]}
    return content


def _essence(message: JSON) -> tuple[JSON, str, int]:
    """What stays the same of a message when an app gives it back."""
    reading = _Reading()
    reading.message(message)
    found = reading.snapshot()
    return _role(message), "".join((found.text + found.reasoning).split()), len(found.files)


def _role(message: JSON) -> JSON:
    return message.get("role") if isinstance(message, dict) else None


__all__ = [
    "FILE_META",
    "AnswerInHistory",
    "Line",
    "Snapshot",
    "answer_in_output",
    "history",
    "shown",
]
