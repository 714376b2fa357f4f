"""The conversation of `langchain-g4f chat`, and the file it is saved in.

The file holds questions and answers, images included, and the place of the answers: provider,
server, and ids on the server. It holds no credentials, so only the same user can continue the
conversation on the server. Otherwise a new one starts there, with the history in the first message.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    messages_from_dict,
    messages_to_dict,
)

from langchain_g4f.chat_models.attachments import given_media
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.cli.providers import DEFAULT
from langchain_g4f.core.chat_request import Media
from langchain_g4f.providers.registry import PROVIDERS


@dataclass(slots=True)
class Conversation:
    """The messages so far, and where they were exchanged.

    Attributes:
        messages: Questions and answers, after the system prompt if there is one.
        model: Name of the model to ask; None for the server's default.
        files: Content blocks that are sent with each question, until one is answered.
        place: Provider, server and account of the last answer.
        saved_in: File that is written after each answer; None for no file.
    """

    messages: list[BaseMessage] = field(default_factory=list)
    model: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    place: dict[str, str] = field(default_factory=dict)
    saved_in: Path | None = None

    @property
    def questions(self) -> int:
        """Number of answered questions."""
        return sum(isinstance(message, HumanMessage) for message in self.messages)

    def ask(self, question: str) -> list[BaseMessage]:
        """The messages of a call that asks `question`, with the files."""
        if not self.files:
            return [*self.messages, HumanMessage(question)]
        blocks: list[str | dict[str, Any]] = [{"type": "text", "text": question}, *self.files]
        return [*self.messages, HumanMessage(blocks)]

    def keep(self, asked: list[BaseMessage], answer: AIMessage) -> bool:
        """Add an answered question, and write the file.

        Returns:
            False if the server has started another conversation than the last answer's.

        Raises:
            CommandError: The file cannot be written.
        """
        before = self.last_ids()
        self.messages = [*asked, answer]
        self.files = []
        if self.saved_in is not None:
            said = messages_to_dict(self.messages)
            _write(self.saved_in, {"place": self.place, "model": self.model, "messages": said})
        return not all(before) or before == self.last_ids()

    def last_ids(self) -> tuple[str, str]:
        """The server and its conversation id, as the last answer names them; empty if unknown."""
        for message in reversed(self.messages):
            place = message.response_metadata.get("conversation")
            if isinstance(place, dict):
                server, found = place.get("server"), place.get("conversation", place.get("session"))
                if isinstance(server, str) and isinstance(found, str):
                    return server, found
        return "", ""


def open_conversation(
    load: Path | None,
    save: Path | None,
    *,
    system: str | None = None,
    model: str | None = None,
    files: Sequence[Path] = (),
) -> Conversation:
    """A new conversation, or the one in a file.

    Args:
        load: File to read.
        save: File to write; a conversation that it already holds is continued.
        system: System prompt of a new conversation.
        model: Name of the model; None for the model of the file.
        files: Images, sound and text files for the first question.

    Raises:
        CommandError: A file cannot be used, or the options contradict each other.
    """
    source = load or save
    found = Conversation()
    if source is not None and (load is not None or _is_used(source)):
        found = _read(source)
    if save is not None:
        if load is not None and _is_used(save) and not save.samefile(load):
            raise CommandError(f"--save: {save} already holds another conversation")
        found.saved_in = _writable(save)
    if system and found.messages:
        raise CommandError(f"--system is for a new conversation; {source} already holds one")
    if system:
        found.messages = [SystemMessage(system)]
    found.model = model or found.model
    found.files = [_block(path) for path in files]
    return found


def _is_used(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _read(path: Path) -> Conversation:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        found = Conversation(messages_from_dict(value["messages"]), value.get("model"))
        server, _ = found.last_ids()
        found.place = {**value.get("place", {"base_url": server} if server else {})}
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        found = Conversation()
    texts = [*found.place.values(), found.model or ""]
    known = all(isinstance(text, str) for text in texts)
    if not (known and found.messages and found.place.get("provider", DEFAULT) in PROVIDERS):
        raise CommandError(f"{path} does not hold a conversation that `chat --save` wrote")
    return found


def _writable(path: Path) -> Path:
    """The file that `path` is or links to. Raises CommandError before a question is sent."""
    found = path.resolve()
    reason = ""
    if found.exists() and not found.is_file():
        reason = "it is not a file"
    elif not found.parent.is_dir():
        reason = f"there is no folder {found.parent}"
    elif not os.access(found.parent, os.W_OK):
        reason = f"you may not write to the folder {found.parent}"
    if reason:
        raise CommandError(f"cannot write {path}: {reason}")
    return found


def _write(path: Path, value: object) -> None:
    """Replace the file by a complete new one that only its owner can read."""
    unfinished: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(  # its mode is 0600
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            json.dump(value, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise CommandError(f"cannot write {path}: {error.strerror}") from None


def _block(path: Path) -> dict[str, Any]:
    """A file as a content block.

    It is not passed as `media=`, which is not part of the history: the next call would lack the
    file, so its history would not match the conversation on the server.
    """
    try:
        (media,) = given_media([(path, path.name)])
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    assert isinstance(media, Media)  # noqa: S101 -- a path is read at once
    kind = media.mime_type.partition("/")[0]
    return {
        "type": kind if kind in ("image", "audio", "video") else "file",
        "base64": base64.b64encode(media.data).decode("ascii"),
        "mime_type": media.mime_type,
        "extras": {"filename": media.name},
    }
