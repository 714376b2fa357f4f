"""How messages and files look in a Gradio app, by its version.

Follows docs/protocols/gradio-space.md, section 7: a shape of the other line fails
without a reason, so what is sent is shaped exactly. What is read may have any of the
shapes, for an app may answer with more than its chatbot's own. An answer is read again
whenever the app has changed it, so what it may consist of is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from langchain_g4f.errors import TooLargeError

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON
    from langchain_g4f.providers.gradio_space.app import Shape

MAX_MESSAGES = 10_000
"""Messages a chatbot may show."""
MAX_PARTS = 1_000
"""Messages and parts of an answer; the values inside a part of an unknown kind count, too."""
_COMPARED = 10_000
"""Characters by which a message is recognized when an app gives it back."""

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
    """Collects what the messages of an answer hold: `MAX_PARTS`, or it is a TooLargeError."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.files: list[Mapping[str, JSON]] = []
        self._left = MAX_PARTS

    def messages(self, values: list[JSON]) -> None:
        """Messages, or what an interface gives in place of them."""
        self._count(len(values))
        for value in values:
            if isinstance(value, dict) and "content" in value:
                metadata = value.get("metadata")
                thought = isinstance(metadata, dict) and bool(metadata.get("title"))
                self._content(value["content"], self.thoughts if thought else self.texts)
            else:
                self._content(value, self.texts)

    def _content(self, content: JSON, texts: list[str]) -> None:
        waiting = [content]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, dict):
                # by hand: it is read again at every change, and patterns are slow
                text = value.get("text") if value.get("type") == "text" else None
                if isinstance(text, str):
                    texts.append(text)
                else:
                    waiting.extend(self._parts(value, texts))
            elif isinstance(value, list):
                self._count(len(value))
                waiting.extend(reversed(value))
            elif value is not None:
                texts.append(self._as_json(value))

    def _parts(self, value: dict[str, JSON], texts: list[str]) -> list[JSON]:
        """What ``value`` holds that has to be read, too."""
        found: list[JSON] = []
        match value:
            case dict(file) if _is_file(file):
                self.files.append(file)
            case {"file": dict(file)}:
                self.files.append(file)
            case {"component": str(), "value": held}:
                found = [held]
            case {"text": str(text)}:
                texts.append(text)
                files = value.get("files")
                found = [files] if isinstance(files, list) else []
            case _:
                texts.append(self._as_json(value))
        self._count(len(found))
        return found

    def _as_json(self, value: JSON) -> str:
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, list | dict):
                self._count(len(each))
                waiting.extend(each if isinstance(each, list) else each.values())
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            msg = "the answer is nested too deeply"
        raise TooLargeError(msg)

    def _count(self, parts: int) -> None:
        self._left -= parts
        if self._left < 0:
            msg = f"the answer has more than {MAX_PARTS} parts"
            raise TooLargeError(msg)

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
    reading.messages(value if isinstance(value, list) else [value])
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
        self._known = messages[:end]
        self._essence = cache(lambda at: _essence(self._known[at]))
        self._first: JSON = None
        self._found: dict[int, int] = {}

    def __call__(self, value: JSON) -> Snapshot:
        """The answer in ``value``.

        Raises:
            TooLargeError: There is more of it than `MAX_MESSAGES` or `MAX_PARTS`.
        """
        messages = _flat(value)
        known, at = self._known_of(value, messages), len(messages)
        while at > known and _role(messages[at - 1]) != "user":
            at -= 1
        reading = _Reading()
        reading.messages(messages[at:])
        return reading.snapshot()

    def _known_of(self, value: JSON, messages: list[JSON]) -> int:
        """How many of ``messages`` were there before; an app may have forgotten the oldest."""
        if not messages or not isinstance(value, list):
            return 0
        if value[0] is not self._first:
            self._first, self._found = value[0], {}
        seen = min(len(messages), len(self._known) + 1)
        if seen not in self._found:  # mostly only the answer has changed
            self._found[seen] = self._overlap(messages)
        return self._found[seen]

    def _overlap(self, messages: list[JSON]) -> int:
        count = len(self._known)
        essence = cache(lambda at: _essence(messages[at]))
        if count and len(messages) > count and essence(0) == self._essence(0):
            return count
        for start in range(max(0, count - len(messages)), count):
            if all(essence(at - start) == self._essence(at) for at in range(start, count)):
                return count - start
        return 0


def _flat(value: JSON) -> list[JSON]:
    """The messages of a chatbot; the pairs of older apps are taken apart."""
    if not isinstance(value, list):
        return []
    if len(value) > MAX_MESSAGES:
        msg = f"the chatbot has more than {MAX_MESSAGES} messages"
        raise TooLargeError(msg)
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
    reading.messages([message])
    found = reading.snapshot()
    text = found.text[:_COMPARED] + found.reasoning[:_COMPARED]
    return _role(message), "".join(text.split()), len(found.files)


def _role(message: JSON) -> JSON:
    return message.get("role") if isinstance(message, dict) else None


__all__ = [
    "FILE_META",
    "MAX_MESSAGES",
    "MAX_PARTS",
    "AnswerInHistory",
    "Line",
    "Snapshot",
    "answer_in_output",
    "history",
    "shown",
]
