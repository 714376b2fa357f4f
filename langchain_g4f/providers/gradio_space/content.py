"""The shape of messages and files in each Gradio version.

Follows docs/protocols/gradio-space.md, section 7. An app fails without a reason on the shape
of another version, so messages are sent in exactly its own. Any shape is read, because an app
may answer in another one than its chatbot's. The whole answer is read again after every
change, so its size is limited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TypeGuard, cast

from langchain_g4f.core.events import File
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import ConfigurationError, MalformedStreamError, TooLargeError
from langchain_g4f.media.data_url import parse_data_url
from langchain_g4f.media.sniff import sniff
from langchain_g4f.providers.gradio_space.app import App, Component, Shape

MAX_MESSAGES = 10_000
"""Largest number of messages in a chatbot."""
MAX_PARTS = 1_000
"""Largest number of messages and parts in an answer, values inside unknown parts included."""
_MAX_TAGS = 20
_COMPARED = 10_000
"""Number of leading characters by which a returned message is recognized."""

FILE_META: Mapping[str, JSON] = {"_type": "gradio.FileData"}


@dataclass(frozen=True, slots=True)
class ChatbotMessage:
    """A message for a chatbot.

    Attributes:
        role: ``"user"`` or ``"assistant"``.
        text: Its text.
        files: ``FileData`` of its files.
    """

    role: str
    text: str
    files: tuple[dict[str, JSON], ...] = ()


def chatbot_value(messages: Sequence[ChatbotMessage], shape: Shape) -> list[JSON]:
    """The value of a chatbot with ``messages``; files come before their text."""
    found: list[JSON] = []
    for message in messages:
        text = message.text
        contents: list[JSON] = [_file_content(file, shape) for file in message.files]
        if text or not message.files:
            contents.append([{"type": "text", "text": text}] if shape == "parts" else text)
        for content in contents:
            if shape == "tuples":
                _pair(found, message.role, content)
            else:
                found.append({"role": message.role, "content": content})
    return found


def file_value(files: Sequence[dict[str, JSON]], component: Component, app: App) -> JSON:
    """The value of a ``component`` that holds files."""
    if component.type == "gallery":
        return [{"image": file, "caption": None} for file in files]
    if component.type in ("file", "uploadbutton") and component.props.get("file_count") != "single":
        return [*files]
    if component.type == "imageeditor":
        return {"background": files[0], "layers": [], "composite": files[0], "id": None}
    if component.type == "video" and app.numbers < (6, 0):
        return {"video": files[0], "subtitles": None}
    return files[0]


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
    """An answer at one moment.

    Attributes:
        text: Its text.
        reasoning: The text of its thoughts, which are messages with a title (section 4).
        files: ``FileData`` of its files; ``"kind"`` and ``"about"`` are added where the
            component that holds a file says more, and a plot is as Gradio has it.
    """

    text: str
    reasoning: str
    files: tuple[Mapping[str, JSON], ...] = ()


_KINDS = {"file": "", "image": "image", "video": "video", "audio": "audio"}
"""What a file is under these keys, which are names of components, too."""


def _is_file(value: JSON) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("path"), str) or ("url" in value and "meta" in value)


def _described(value: dict[str, JSON], key: str) -> dict[str, JSON]:
    """The file at ``key``, with what the texts beside it say, a caption for example."""
    about = {k: v for k, v in value.items() if isinstance(v, str) and k not in ("type", key)}
    file: JSON = value[key]
    more: dict[str, JSON] = {"kind": _KINDS[key], "about": {**about}}
    return {**cast("dict[str, JSON]", file), **{k: v for k, v in more.items() if v}}


def _of_component(name: str, value: JSON) -> JSON:
    """The value of a component that stands in a message."""
    if _KINDS.get(name) and _is_file(value):
        return {name: value}
    if name == "gallery" and isinstance(value, list):  # some versions have pairs
        return [
            {"image": each[0], "caption": each[-1]} if _is_pair(each) else each for each in value
        ]
    return value


def _is_pair(value: JSON) -> TypeGuard[list[JSON]]:
    return isinstance(value, list) and len(value) == 2 and _is_file(value[0])


def _label(label: JSON, classes: Sequence[JSON]) -> str | None:
    """A classification as lines; without confidences, its label. None for another value."""
    lines = []
    for each in classes:
        match each:
            case {"label": str() | int() | float() as name, "confidence": int() | float() as part}:
                lines.append(f"{name}: {part if isinstance(part, int) else format(part, '.4g')}")
            case _:
                return None
    if label is None or isinstance(label, str | int | float):
        return "\n".join(lines) or ("" if label is None else str(label))
    return None


class _ContentReader:
    """Collects text, thoughts and files of an answer, of `MAX_PARTS` parts at most."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.files: list[Mapping[str, JSON]] = []
        self._left = MAX_PARTS

    def messages(self, values: list[JSON]) -> None:
        """Read messages, or the bare contents that an interface returns instead."""
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
                # no `match`: this runs after every change, and is faster so
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
        """Read ``value``; the result is nested content that has to be read, too."""
        found: list[JSON] = []
        match value:
            case dict(file) if _is_file(file):
                self.files.append(file)
            case {"component": str(name), "value": held}:
                found = [_of_component(name, held)]
            case {"type": str(kind), "plot": str(plot)}:
                self.files.append({"type": kind, "plot": plot})
            case {"label": label, "confidences": list() | None as classes} if (
                len(value) == 2 and (lines := _label(label, classes or ())) is not None
            ):
                self._count(len(classes or ()))
                texts.append(lines)
            case {"text": str(text)} if value.keys() <= {"text", "files"}:
                texts.append(text)
                files = value.get("files")
                found = [files] if isinstance(files, list) else []
            case _ if key := next((key for key in _KINDS if _is_file(value.get(key))), ""):
                self._count(len(value))
                self.files.append(_described(value, key))
                found = [[v for k, v in value.items() if k != key and isinstance(v, dict | list)]]
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
            pass
        raise TooLargeError("the answer is nested too deeply")

    def _count(self, parts: int) -> None:
        self._left -= parts
        if self._left < 0:
            raise TooLargeError(f"the answer has more than {MAX_PARTS} parts")

    def snapshot(self) -> Snapshot:
        return Snapshot(
            "\n\n".join(filter(None, self.texts)),
            "\n\n".join(filter(None, self.thoughts)),
            tuple(self.files),
        )


def plot_file(plot: Mapping[str, JSON]) -> File:
    """A plot as a file: the picture, or the JSON of which a page makes one."""
    kind, content = str(plot["type"]), str(plot["plot"])
    if content.startswith("data:"):
        with suppress(ConfigurationError):
            data, mime_type = parse_data_url(content, len(content))
            return File("plot", sniff(data) or mime_type, data=data)
    data = content.encode("utf-8", "replace")
    return File(f"{kind}.json", "application/json", data=data)


def reasoning_tags(app: App) -> list[tuple[str, str]]:
    """Opening and closing tags of what the app's chatbots show as reasoning."""
    chatbots = (each for each in app.components.values() if each.type == "chatbot")
    found = (each.props.get("reasoning_tags") for each in chatbots)
    pairs = [pair for tags in found if isinstance(tags, list) for pair in tags[:_MAX_TAGS]]
    return [
        (opening, closing)
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2
        for opening, closing in [pair]
        if isinstance(opening, str) and isinstance(closing, str) and opening and closing
    ]


def applied(value: JSON, before: JSON = None) -> JSON:
    """The value of a component after a function returned ``value``, perhaps an update."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return value.get("value", before)
    return value


def read_output(value: JSON) -> Snapshot:
    """The answer that an interface returns: a text, a message, or several."""
    reading = _ContentReader()
    reading.messages(value if isinstance(value, list) else [value])
    return reading.snapshot()


class ChatbotReader:
    """Finds the answer in the value of a chatbot: what follows the newest user message.

    Args:
        sent: Value of the chatbot when the answering function was called.
        has_prompt: Whether the caller's message was part of it.
    """

    def __init__(self, sent: JSON, *, has_prompt: bool) -> None:
        end = len(messages := _flat(sent))
        while has_prompt and end and _role(messages[end - 1]) != "user":
            end -= 1  # an earlier function may have added a placeholder
        self._known = messages[:end]
        self._essence = cache(lambda at: _essence(self._known[at]))
        self._first: JSON = None
        self._found: dict[int, int] = {}

    def __call__(self, value: JSON) -> Snapshot:
        """The answer in ``value``.

        Raises:
            MalformedStreamError: A chatbot cannot hold ``value``.
            TooLargeError: It has more than `MAX_MESSAGES` or `MAX_PARTS`.
        """
        if value is not None and not isinstance(value, list):
            kind = type(value).__name__
            raise MalformedStreamError(f"the chatbot should hold a list, holds {kind}")
        messages = _flat(value)
        known, at = self._known_of(value, messages), len(messages)
        while at > known and _role(messages[at - 1]) != "user":
            at -= 1
        reading = _ContentReader()
        reading.messages(messages[at:])
        return reading.snapshot()

    def _known_of(self, value: JSON, messages: list[JSON]) -> int:
        """The number of ``messages`` sent to the app, which may have dropped the oldest."""
        if not messages or not isinstance(value, list):
            return 0
        if value[0] is not self._first:
            self._first, self._found = value[0], {}
        seen = min(len(messages), len(self._known) + 1)
        if seen not in self._found:  # most changes are in the answer only
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
    """The messages of a chatbot; pairs of older apps become two messages."""
    if not isinstance(value, list):
        return []
    if len(value) > MAX_MESSAGES:
        raise TooLargeError(f"the chatbot has more than {MAX_MESSAGES} messages")
    if list not in map(type, value):  # the fast path: this runs for every chunk
        return value
    found: list[JSON] = []
    for pair in value:
        if isinstance(pair, list) and len(pair) == 2:
            for role, content in zip(("user", "assistant"), pair, strict=True):
                if content is not None:
                    found.append({"role": role, "content": _of_pair(content)})
    return found


def _of_pair(content: JSON) -> JSON:
    """The content of one side of a pair; a list is a file: path and description."""
    if isinstance(content, list) and content and isinstance(content[0], str):
        return {"file": {"path": content[0]}, "alt_text": content[1] if content[1:] else None}
    return content


def _essence(message: JSON) -> tuple[JSON, str, int]:
    """The parts of a message that stay equal when an app returns it."""
    reading = _ContentReader()
    reading.messages([message])
    found = reading.snapshot()
    text = found.text[:_COMPARED] + found.reasoning[:_COMPARED]
    return _role(message), "".join(text.split()), len(found.files)


def _role(message: JSON) -> JSON:
    return message.get("role") if isinstance(message, dict) else None
