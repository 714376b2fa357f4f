"""Conversations as the server keeps them: a tree of messages, stored in order of creation.

Follows docs/protocols/huggingchat.md, sections 5.2 to 5.4. Ids are made by a seeded generator, so
two runs of a test see the same ones. Threads other than the server's may read what is here at any
time.
"""

from __future__ import annotations

import itertools
import random
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

Update: TypeAlias = dict[str, Any]
"""One object of the answer stream (section 6)."""

Role: TypeAlias = Literal["system", "user", "assistant"]


def now() -> datetime:
    """Return the time in UTC, to the millisecond as the wire has it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Ids:
    """Makes ids of every kind, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        # A test's thread makes ids as well: counting must be atomic.
        self._objects = itertools.count(1)

    def uuid(self) -> str:
        """Return a version 4 UUID: messages, generations, sessions, errors."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def object_id(self) -> str:
        """Return 24 hexadecimal digits: conversations and users."""
        return f"6affab1e{next(self._objects):016x}"


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file as a message mentions it. `value` is the hash the server made."""

    value: str
    mime: str
    name: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The bytes of an uploaded file and the type the client gave it."""

    content: bytes
    mime: str


@dataclass(slots=True)
class Message:
    """One node of the tree.

    Attributes:
        id: UUID.
        role: "system" for the root, else "user" or "assistant".
        content: Text; of an unfinished answer, the part that is stored so far.
        ancestors: Ids from the root down to the parent.
        children: Ids of the replies; more than one after a retry or an edit.
        files: Files of a user message; None for other roles.
        updates: Stored updates of an answer; None where none were ever written.
        generation_id: UUID of the run that made this answer.
        interrupted: Whether a stop cut it short; None while unknown.
        materialized_seq: The event of the run's log that `content` reaches (section 6.1).
        router_metadata: What the router or provider said about itself.
        reasoning: Thoughts kept apart from the text (legacy).
    """

    id: str
    role: Role
    content: str = ""
    ancestors: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    files: list[FileRef] | None = None
    updates: list[Update] | None = None
    generation_id: str | None = None
    interrupted: bool | None = None
    materialized_seq: int | None = None
    router_metadata: dict[str, Any] | None = None
    reasoning: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def parent(self) -> str | None:
        """Id of the message this one answers; None for the root."""
        return self.ancestors[-1] if self.ancestors else None

    def copy(self) -> Message:
        """Return a copy whose lists can grow independently."""
        return replace(self, ancestors=list(self.ancestors), children=list(self.children))


@dataclass(frozen=True, slots=True)
class StopMark:
    """A request to stop, kept until a run obeys it or it is too old (section 6.2).

    Attributes:
        at_s: Monotonic time of the request, in seconds.
        generation_id: UUID of the run that the client saw.
        seen_units: UTF-16 code units of its answer that the client saw.
    """

    at_s: float
    generation_id: str | None = None
    seen_units: int | None = None


@dataclass(slots=True)
class Conversation:
    """One conversation and its files.

    Attributes:
        id: 24 hexadecimal digits.
        owner: `user:<id>` or `session:<cookie value>`.
        model: Model id; belongs to the conversation, not to a message.
        messages: The tree in order of creation, the root first.
        files: Uploaded files by hash.
        generations: Ids of its runs, oldest first.
        stop: The stop marker, if one is pending.
    """

    id: str
    owner: str
    model: str
    preprompt: str
    messages: list[Message]
    title: str = "New Chat"
    files: dict[str, UploadedFile] = field(default_factory=dict)
    generations: list[str] = field(default_factory=list)
    stop: StopMark | None = None
    updated_at: datetime = field(default_factory=now)

    @property
    def root(self) -> Message:
        """The system message, ancestor of all others."""
        return self.messages[0]

    def branch(self, message_id: str) -> list[Message]:
        """Return the messages from the root to `message_id`, which must exist."""
        last = next(message for message in self.messages if message.id == message_id)
        wanted = {*last.ancestors, last.id}
        return [message for message in self.messages if message.id in wanted]

    def remove(self, message_id: str) -> None:
        """Remove a message with its descendants, if it is there."""
        gone = {m.id for m in self.messages if message_id == m.id or message_id in m.ancestors}
        self.messages = [message for message in self.messages if message.id not in gone]
        for message in self.messages:
            message.children = [child for child in message.children if child not in gone]


class Store:
    """All conversations of one server."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.conversations: dict[str, Conversation] = {}

    def create(self, owner: str, model: str, preprompt: str) -> Conversation:
        """Add a conversation with its root message."""
        root = Message(self._ids.uuid(), "system", preprompt)
        made = Conversation(self._ids.object_id(), owner, model, preprompt, [root])
        self.conversations[made.id] = made
        return made

    def of(self, owner: str) -> list[Conversation]:
        """Return the owner's conversations."""
        return [found for found in self.conversations.values() if found.owner == owner]
