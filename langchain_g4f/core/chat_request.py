"""What the caller wants said: the messages of one call, in the providers' terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from langchain_g4f.core.http import JSON

Role = Literal["system", "user", "assistant", "tool"]
AnswerState = Literal["whole", "part", "restarted"]


NO_TOOLS = "You have no tools any more."
"""What a model is told that had some earlier in the conversation."""


@dataclass(frozen=True, slots=True)
class Media:
    """An image or another file that goes with a message.

    Attributes:
        data: Its bytes.
        mime_type: What they are, found by looking at them where that is possible.
        name: A file name.
        in_history: Whether the caller's messages have it; a file of ``media=`` goes once.
    """

    data: bytes = field(repr=False)
    mime_type: str
    name: str
    in_history: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """A file that has to be fetched before it can be sent; see `Media`.

    Its ``mime_type`` is what the caller says, ``image/*`` for example.
    """

    url: str = field(repr=False)
    mime_type: str = ""
    in_history: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 of the address, in hex."""
        return hashlib.sha256(self.url.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One message; system messages are in `ChatRequest.system` instead.

    Attributes:
        role: Who says it.
        text: What is said; of an answer, without its reasoning.
        media: What goes with it.
        handle: Where the service keeps this answer, from the answer's metadata.
        note: What is told the service with the message, and is no part of the history.
        in_history: Whether the caller's messages have it; a request to try again is not there.
        name: Who says it, where a caller tells several apart.
        state: Whether the caller has the service's whole answer, a part of it (the
            stream was interrupted or stopped), or more (the service started again).
    """

    role: Role
    text: str
    media: tuple[Media | RemoteMedia, ...] = ()
    handle: Mapping[str, JSON] | None = None
    state: AnswerState = "whole"
    note: str = ""
    in_history: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call.

    Attributes:
        messages: The conversation, at least one message, the newest last.
        model: The model's name as the service knows it; empty for its default.
        system: The system prompt; may be empty.
        options: What the provider offers beyond that, by name.
        system_messages: The messages that ``system`` is made of, one by one.
        tools: What the model has to be told of its tools; empty if there are none.
    """

    messages: tuple[Message, ...]
    model: str = ""
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    system_messages: tuple[str, ...] = ()
    tools: str = ""

    @property
    def instructions(self) -> str:
        """What the model is told before everything else."""
        return "\n\n".join(filter(None, (self.system, self.tools)))

    @property
    def tools_digest(self) -> str:
        """Names the tools; empty if there are none."""
        return hashlib.sha256(self.tools.encode()).hexdigest()[:16] if self.tools else ""

    def reminder(self, known: str) -> str:
        """What has to be said of the tools where a conversation goes on.

        Args:
            known: `tools_digest` of the tools the model was told of last.
        """
        if known == self.tools_digest:
            return ""
        return self.tools or NO_TOOLS


def history_digest(messages: Sequence[Message], system: str, model: str) -> str:
    """Names a history: equal for equal messages, system prompt and model."""
    said = [
        [m.role, m.text, [f.digest for f in m.media if f.in_history]]
        for m in messages
        if m.in_history
    ]
    text = json.dumps([model, system, said], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


__all__ = [
    "NO_TOOLS",
    "AnswerState",
    "ChatRequest",
    "Media",
    "Message",
    "RemoteMedia",
    "Role",
    "history_digest",
]
