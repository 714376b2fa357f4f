"""Handles: where an answer stands on the server, and whether a history still leads there.

A handle travels in the answer's metadata, through checkpointers and processes, and holds
no secret: ids, and a digest of everything that was said before the answer. A later call
goes on from the newest answer whose digest its own history still has; an edited or
trimmed history, another system prompt or another model has another digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, need_id, want
from langchain_g4f.core.chat_request import Message, history_digest
from langchain_g4f.errors import ConfigurationError, MalformedStreamError
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.text.transcript import GO_ON

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.http import JSON


@dataclass(frozen=True, slots=True)
class Handle:
    """One answer in one conversation.

    Attributes:
        server: Base URL of the server.
        conversation: Id of the conversation.
        anchor: Id of a message above the answer.
        position: Where in the order of creation the answer is, at the earliest.
        generation: The client's name for the run; servers before July 2026 do not keep it.
        digest: Of what was said before the answer.
        files: SHA-256 of the files sent with the turn, in order.
        continued: The answer was appended to an earlier one (9.2).
        tools: Names the tools that the model was told of last.
    """

    server: str
    conversation: str
    anchor: str
    position: int
    generation: str
    digest: str
    files: tuple[str, ...] = ()
    continued: bool = False
    tools: str = ""

    def to_json(self) -> dict[str, JSON]:
        """The form that stands in the metadata."""
        value: dict[str, JSON] = {"provider": NAME, **asdict(self)}
        return value | {"files": list(self.files)}

    @classmethod
    def from_json(cls, value: object) -> Handle | None:
        """The handle in an answer's metadata, if it is one of this provider."""
        if not isinstance(value, Mapping) or value.get("provider") != NAME:
            return None
        found: dict[str, JSON] = dict(value)
        try:
            return cls(
                need(found, "server", str),
                need_id(found, "conversation"),
                need(found, "anchor", str),
                need(found, "position", int),
                need(found, "generation", str),
                need(found, "digest", str),
                tuple(str(file) for file in want(found, "files", list, default=[])),
                want(found, "continued", bool, default=False),
                want(found, "tools", str, default=""),
            )
        except MalformedStreamError:
            return None


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a call goes on.

    Attributes:
        handle: Of the answer it goes on from.
        answer: That answer as the caller has it; None if the caller gave only a handle.
        new: The messages that the server does not have yet.
    """

    handle: Handle
    answer: Message | None
    new: tuple[Message, ...]

    def asked(self, chat_request: ChatRequest) -> tuple[Message, ...]:
        """What is sent: if nothing is new but the form of the answer, a request for that."""
        note = chat_request.messages[-1].note
        return self.new or ((Message("user", GO_ON, note=note),) if note else ())


def find_continuation(chat_request: ChatRequest, server: str, model: str) -> Continuation | None:
    """The newest answer in the history whose digest still fits, if there is one."""
    for at in range(len(chat_request.messages) - 1, -1, -1):
        message = chat_request.messages[at]
        handle = Handle.from_json(message.handle)
        if handle is None or handle.server != server:
            continue
        before = [chat_request.messages[:at]]
        if handle.continued and at:  # the answer that it went on with may still stand there
            before.append(chat_request.messages[: at - 1])
        if handle.digest in [history_digest(said, chat_request.system, model) for said in before]:
            return Continuation(handle, message, chat_request.messages[at + 1 :])
    return None


def given_continuation(chat_request: ChatRequest, given: object, server: str) -> Continuation:
    """Where the caller says that the call goes on.

    Raises:
        ConfigurationError: It is no handle of this server.
    """
    handle = Handle.from_json(given)
    if handle is None or handle.server != server:
        msg = (
            f"{NAME}: conversation= takes 'auto', 'new', an answer of {server} or the"
            " handle in its response_metadata['conversation']"
        )
        raise ConfigurationError(msg)
    for at in range(len(chat_request.messages) - 1, -1, -1):
        if Handle.from_json(chat_request.messages[at].handle) == handle:
            return Continuation(handle, chat_request.messages[at], chat_request.messages[at + 1 :])
    return Continuation(handle, None, chat_request.messages)


__all__ = ["Continuation", "Handle", "find_continuation", "given_continuation"]
