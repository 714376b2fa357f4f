"""Handles: where an answer stands on the server, and whether a history still leads there.

A handle travels in the answer's metadata, through checkpointers and processes. It holds no
secret: only ids, and a digest of everything that was said before the answer. A later call
continues from the newest answer whose digest still fits its own history; an edited or trimmed
history, another system prompt or another model has another digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, need_id, want
from langchain_g4f.core.chat_request import Message, history_digest
from langchain_g4f.errors import ConfigurationError, MalformedStreamError
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.text.transcript import GO_ON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.http import JSON


@dataclass(frozen=True, slots=True)
class Handle:
    """One answer in one conversation.

    Attributes:
        server: Base URL of the server.
        conversation: Id of the conversation.
        anchor: Id of a message above the answer.
        position: Lowest index of the answer in the order of creation.
        run_id: The client's id of the run; servers before July 2026 do not keep it.
        digest: Digest of what was said before the answer.
        files: SHA-256 of the files sent with the message, in order.
        continued: Whether the answer was appended to an earlier one (9.2).
        tools: Digest of the tools that the model was last told of.
    """

    server: str
    conversation: str
    anchor: str
    position: int
    run_id: str
    digest: str
    files: tuple[str, ...] = ()
    continued: bool = False
    tools: str = ""

    def to_json(self) -> dict[str, JSON]:
        """The form that stands in the metadata."""
        return {"provider": NAME, **asdict(self), "files": list(self.files)}

    @classmethod
    def from_json(cls, value: object) -> Handle | None:
        """The handle in an answer's metadata, if it is one of this provider."""
        if not isinstance(value, Mapping) or value.get("provider") != NAME:
            return None
        found: dict[str, JSON] = dict(value)
        with suppress(MalformedStreamError):
            return cls(
                need(found, "server", str),
                need_id(found, "conversation"),
                need(found, "anchor", str),
                need(found, "position", int),
                need(found, "run_id", str),
                need(found, "digest", str),
                tuple(str(file) for file in want(found, "files", list, default=[])),
                want(found, "continued", bool, default=False),
                want(found, "tools", str, default=""),
            )
        return None


@dataclass(frozen=True, slots=True)
class Continuation:
    """The answer that a call continues from.

    Attributes:
        handle: Handle of the answer.
        answer: The answer as the caller has it; None if the caller gave only a handle.
        new: The messages that the server does not have yet.
    """

    handle: Handle
    answer: Message | None
    new: tuple[Message, ...]

    def unsent(self, chat_request: ChatRequest) -> tuple[Message, ...]:
        """The messages to send; a wanted format alone is sent as a request to continue."""
        note = chat_request.messages[-1].note
        return self.new or ((Message("user", GO_ON, note=note),) if note else ())


def find_continuation(chat_request: ChatRequest, server: str, model: str) -> Continuation | None:
    """The newest answer in the history whose digest still fits, if there is one."""
    messages, system = chat_request.messages, chat_request.system
    for at, handle in _handles(messages):
        if handle.server != server:
            continue
        before = [messages[:at]]
        if handle.continued and at:  # the history may still have the answer it was appended to
            before.append(messages[: at - 1])
        if handle.digest in [history_digest(said, system, model) for said in before]:
            return Continuation(handle, messages[at], messages[at + 1 :])
    return None


def given_continuation(chat_request: ChatRequest, given: object, server: str) -> Continuation:
    """The answer that the caller names with ``conversation=``.

    Raises:
        ConfigurationError: It is no handle of this server.
    """
    handle, messages = Handle.from_json(given), chat_request.messages
    if handle is None or handle.server != server:
        msg = (
            f"{NAME}: conversation= takes 'auto', 'new', an answer of {server} or the"
            " handle in its response_metadata['conversation']"
        )
        raise ConfigurationError(msg)
    at = next((at for at, found in _handles(messages) if found == handle), None)
    if at is None:
        return Continuation(handle, None, messages)
    return Continuation(handle, messages[at], messages[at + 1 :])


def _handles(messages: tuple[Message, ...]) -> Iterator[tuple[int, Handle]]:
    """The answers of this provider in a history: index and handle, the newest first."""
    for at in range(len(messages) - 1, -1, -1):
        if handle := Handle.from_json(messages[at].handle):
            yield at, handle


__all__ = ["Continuation", "Handle", "find_continuation", "given_continuation"]
