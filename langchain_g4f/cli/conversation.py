"""The conversation of `langchain-g4f chat`, and the file it is kept in.

The file holds what was asked and answered, images included, and where the answers are: provider,
server, and ids there. It holds no credentials, so going on there takes the same identity again. A
conversation that cannot be gone on with on the server is begun anew there, with its history in the
first message.
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
from langchain_g4f.cli.providers import DEFAULT, PROVIDERS
from langchain_g4f.core.chat_request import Media


@dataclass(slots=True)
class Conversation:
    """What was said, and who says it.

    Attributes:
        messages: The questions with their answers, after the system prompt if there is one.
        model: Name of the model that was asked for; None for the server's default.
        files: Content blocks that go with the next question, until one is answered.
        place: Who answered the last question, and where.
        kept_in: Where it is written after each answer; None for nowhere.
    """

    messages: list[BaseMessage] = field(default_factory=list)
    model: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    place: dict[str, str] = field(default_factory=dict)
    kept_in: Path | None = None

    @property
    def questions(self) -> int:
        """How many were answered."""
        return sum(isinstance(message, HumanMessage) for message in self.messages)

    @property
    def known_place(self) -> dict[str, str]:
        """The server of the last answer, for a file that does not name its place."""
        server, _ = self._last_place()
        return {"base_url": server} if server else {}

    def ask(self, question: str) -> list[BaseMessage]:
        """The messages that ask `question`; the files go with it."""
        if not self.files:
            return [*self.messages, HumanMessage(question)]
        blocks: list[str | dict[str, Any]] = [{"type": "text", "text": question}, *self.files]
        return [*self.messages, HumanMessage(blocks)]

    def keep(self, asked: list[BaseMessage], answer: AIMessage) -> bool:
        """Add an answered question, and write the file.

        Returns:
            Whether the server goes on with the same conversation, as far as it said.

        Raises:
            CommandError: The file cannot be written.
        """
        before = self._last_place()
        self.messages = [*asked, answer]
        self.files = []
        if self.kept_in is not None:
            said = messages_to_dict(self.messages)
            _write(self.kept_in, {"place": self.place, "model": self.model, "messages": said})
        return None in before or before == self._last_place()

    def _last_place(self) -> tuple[str | None, str | None]:
        """The server and its id of the conversation, of the last answer that names them."""
        for message in reversed(self.messages):
            place = message.response_metadata.get("conversation")
            if isinstance(place, dict):
                server, found = place.get("server"), place.get("conversation", place.get("session"))
                if isinstance(server, str) and isinstance(found, str):
                    return server, found
        return None, None


def open_conversation(
    load: Path | None,
    save: Path | None,
    *,
    system: str | None = None,
    model: str | None = None,
    files: Sequence[Path] = (),
) -> Conversation:
    """A new conversation, or the one of a file.

    Args:
        load: The file to go on with.
        save: The file to write; what it holds already is gone on with.
        system: System prompt of a new conversation.
        model: Whom to ask; None for the one that was asked last.
        files: Images, sound and text files for the first question.

    Raises:
        CommandError: A file cannot be used, or the options contradict each other.
    """
    source = load if load is not None else save
    found = Conversation()
    if source is not None and (load is not None or _holds_something(source)):
        found = _read(source)
    if save is not None:
        if load is not None and _holds_something(save) and not save.samefile(load):
            raise CommandError(f"--save: {save} holds another conversation; nothing was asked")
        found.kept_in = _writable(save)
    if system and found.messages:
        raise CommandError(f"--system is for a new conversation, and {source} holds one")
    if system:
        found.messages = [SystemMessage(system)]
    found.model = model or found.model
    found.files = [_block(path) for path in files]
    return found


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _read(path: Path) -> Conversation:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        found = Conversation(messages_from_dict(value["messages"]), value.get("model"))
        found.place = {**value["place"]} if "place" in value else found.known_place
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        found = Conversation()
    texts = [*found.place.values(), found.model or ""]
    known = all(isinstance(text, str) for text in texts)
    if not (known and found.messages and found.place.get("provider", DEFAULT) in PROVIDERS):
        raise CommandError(f"{path} holds no conversation that `chat --save` wrote")
    return found


def _writable(path: Path) -> Path:
    """The file itself, where `path` is a link to it; found out before anything is asked."""
    found = path.resolve()
    reason = ""
    if found.exists() and not found.is_file():
        reason = "it is not a file"
    elif not found.parent.is_dir():
        reason = f"there is no folder {found.parent}"
    elif not os.access(found.parent, os.W_OK):
        reason = f"the folder {found.parent} is not yours to write to"
    if reason:
        raise CommandError(f"cannot write {path}: {reason}")
    return found


def _write(path: Path, value: object) -> None:
    """Put a whole new file, for its owner alone, in the place of the old one."""
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

    Not as `media=`, which is no part of the history: the next call would lack the file, and its
    history lead to no answer on the server.
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


__all__ = ["Conversation", "open_conversation"]
