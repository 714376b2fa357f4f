"""Sessions that an app keeps state in, and when one may be gone on with.

A session is the app's own memory (docs/protocols/gradio-space.md, sections 2 and 3): it
moves on with every message, and cannot be read or turned back. So a call goes on in one
only where this very process saw its last answer complete, where the history still leads
there, and where the app has not been restarted. It takes the session out of the memory,
and puts it back when its own answer is complete: what was cancelled, dropped or is in
use by another call is never used again, and the history is sent to a fresh one. If the
app is not asked after all, the session is put back as it was.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, need_id
from langchain_g4f.core.chat_request import history_digest
from langchain_g4f.errors import ConfigurationError, MalformedStreamError, SessionLostError

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest, Message
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON

KEPT = 1000
"""Sessions that are remembered, the latest; each holds what its chatbot shows."""


@dataclass(frozen=True, slots=True)
class Handle:
    """An answer in a session.

    Attributes:
        server: Address of the app.
        session: The ``session_hash``.
        turn: How many messages the session had with this one.
        digest: Of everything that was said before the answer.
    """

    server: str
    session: str
    turn: int
    digest: str

    def to_json(self, provider: str) -> dict[str, JSON]:
        """The form that stands in the metadata."""
        return {"provider": provider, **asdict(self)}

    @classmethod
    def from_json(cls, value: object, provider: str) -> Handle | None:
        """The handle in an answer's metadata, if it is one of this provider."""
        if not isinstance(value, Mapping) or value.get("provider") != provider:
            return None
        found: dict[str, JSON] = dict(value)
        try:
            return cls(
                need(found, "server", str),
                need_id(found, "session"),
                need(found, "turn", int),
                need(found, "digest", str),
            )
        except MalformedStreamError:
            return None


@dataclass(frozen=True, slots=True)
class Kept:
    """A session between two calls.

    Attributes:
        turn: How many messages it has had.
        app_id: Of the app that keeps it.
        shown: What its chatbot shows.
        route: Names the replica that has it, by the cookies that lead there.
        tools: Names the tools that the model was told of last.
    """

    turn: int
    app_id: int
    shown: JSON = field(repr=False)
    route: str
    tools: str = ""


class Sessions:
    """The sessions that can be gone on with; one of several callers gets one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def take(self, handle: Handle, route: str) -> Kept | None:
        """The session of ``handle``, if that is its latest answer; it is the caller's now."""
        key = (handle.server, handle.session)
        found = self._kept.pop(key, None)  # at once: whoever comes second finds nothing
        if found is None or (found.turn == handle.turn and found.route == route):
            return found
        self._kept[key] = found
        return None

    def put(self, handle: Handle, kept: Kept) -> None:
        """Remember the session of ``handle``, whose answer is complete."""
        self._kept[handle.server, handle.session] = kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def sessions_of(context: CallContext) -> Sessions:
    """The sessions this process has had with apps."""
    found = context.memory.setdefault("gradio sessions", Sessions())
    if not isinstance(found, Sessions):
        raise TypeError(found)
    return found


def route_to(base_url: str, context: CallContext) -> str:
    """Names the cookies that an app with several replicas has set (section 2)."""
    cookies = context.cookies.header_for(f"{base_url}/")
    return hashlib.sha256(cookies.encode()).hexdigest()[:16] if cookies else ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a call goes on.

    Attributes:
        handle: Of the answer it goes on from.
        kept: The session.
        new: The messages that the app does not have yet.
    """

    handle: Handle
    kept: Kept
    new: tuple[Message, ...]


@contextmanager
def untouched(continuation: Continuation | None, context: CallContext) -> Generator[None]:
    """Put the session back if the app is not asked after all."""
    try:
        yield
    except BaseException:
        if continuation is not None:
            sessions_of(context).put(continuation.handle, continuation.kept)
        raise


def take_continuation(
    chat_request: ChatRequest, conversation: object, server: str, context: CallContext
) -> Continuation | None:
    """The session of the newest answer that the history leads to, if it can be gone on with.

    Raises:
        ConfigurationError: The caller names a session, and it is none of this app.
        SessionLostError: It cannot be gone on with, and the history is not there instead.
    """
    route, kept_sessions = route_to(server, context), sessions_of(context)
    given = None
    if conversation != "auto":
        given = Handle.from_json(conversation, context.provider)
        if given is None or given.server != server:
            msg = (
                f"conversation= takes 'auto', 'new', an answer of {server} or the handle in its"
                " response_metadata['conversation']"
            )
            raise ConfigurationError(msg)
    for at in range(len(chat_request.messages) - 1, -1, -1):
        message = chat_request.messages[at]
        handle = Handle.from_json(message.handle, context.provider)
        if handle is None or handle.server != server:
            continue
        whole = message.state == "whole"
        if given is None:
            said = history_digest(
                chat_request.messages[:at], chat_request.system, chat_request.model
            )
            if not whole or handle.digest != said:
                continue
        elif handle != given:
            continue
        new = chat_request.messages[at + 1 :]
        kept = kept_sessions.take(handle, route) if whole and new else None
        return Continuation(handle, kept, new) if kept is not None else None
    if given is None:
        return None
    kept = kept_sessions.take(given, route)
    if kept is None:
        msg = "the session of that answer cannot be gone on with; send the whole history"
        raise SessionLostError(msg)
    return Continuation(given, kept, chat_request.messages)


__all__ = [
    "Continuation",
    "Handle",
    "Kept",
    "Sessions",
    "route_to",
    "sessions_of",
    "take_continuation",
    "untouched",
]
