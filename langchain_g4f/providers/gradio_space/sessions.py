"""Sessions in which an app keeps state, and when a call may continue one.

The app's memory of a session (docs/protocols/gradio-space.md, sections 2 and 3) changes with
every message, and can be neither read nor reset. So a call continues a session only if this
process received its last answer in full, the history still leads to that answer, and the app
has not restarted. The call takes the session out of the cache and puts it back when its own
answer is complete. After a cancelled or lost answer, or while another call uses the session,
the history is sent in a new session. If a call fails before it reaches the app, the session
is put back unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from langchain_g4f.codecs.fields import need, need_id
from langchain_g4f.core.cache import Kind
from langchain_g4f.core.chat_request import ChatRequest, Message, history_digest
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import ConfigurationError, MalformedStreamError, SessionLostError
from langchain_g4f.providers.gradio_space.app import Component


@dataclass(frozen=True, slots=True)
class SessionHandle:
    """An answer in a session, as it stands in the answer's metadata.

    Attributes:
        server: URL of the app.
        session: The ``session_hash``.
        turn: Number of the answer in the session, from 1.
        digest: Digest of the history before the answer.
    """

    server: str
    session: str
    turn: int
    digest: str

    def to_json(self, provider: str) -> dict[str, JSON]:
        """The form that stands in the metadata."""
        return {"provider": provider, **asdict(self)}

    @classmethod
    def from_json(cls, value: object, provider: str) -> SessionHandle | None:
        """The handle in an answer's metadata; None if it is not this provider's."""
        if not isinstance(value, Mapping) or value.get("provider") != provider:
            return None
        found: dict[str, JSON] = dict(value)
        try:
            server, session = need(found, "server", str), need_id(found, "session")
            return cls(server, session, need(found, "turn", int), need(found, "digest", str))
        except MalformedStreamError:
            return None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session between two calls.

    Attributes:
        turn: Number of its answers.
        app_id: The ``app_id`` of the app that keeps it.
        changed: Components that the app has changed, by id.
        route: Digest of the cookies that lead to its replica of the app.
        tools: Digest of the tools that the model was last told about.
    """

    turn: int
    app_id: int
    changed: Mapping[int, Component] = field(repr=False)
    route: str
    tools: str = ""


_SESSIONS = Kind[StoredSession](1000)  # each holds the messages of its chatbot


def take_session(handle: SessionHandle, route: str, context: CallContext) -> StoredSession | None:
    """Remove and return the session of ``handle``, if that is its latest answer."""
    found = context.cache.pop(_SESSIONS, (handle.server, handle.session))
    if found is None or (found.turn == handle.turn and found.route == route):
        return found
    put_session(handle, found, context)
    return None


def put_session(handle: SessionHandle, stored: StoredSession, context: CallContext) -> None:
    """Store the session of ``handle``, whose answer is complete."""
    context.cache.put(_SESSIONS, (handle.server, handle.session), stored)


def route_to(base_url: str, context: CallContext) -> str:
    """Digest of the cookies by which an app with several replicas finds one (section 2)."""
    cookies = context.cookies.header_for(f"{base_url}/")
    return hashlib.sha256(cookies.encode()).hexdigest()[:16] if cookies else ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A session to continue.

    Attributes:
        handle: Handle of its latest answer.
        stored: The session.
        new: Messages that the app does not have yet.
    """

    handle: SessionHandle
    stored: StoredSession
    new: tuple[Message, ...]


@contextmanager
def restore_on_error(continuation: Continuation | None, context: CallContext) -> Generator[None]:
    """Put the session back if the call fails in this block, before it reaches the app."""
    try:
        yield
    except BaseException:
        if continuation is not None:
            put_session(continuation.handle, continuation.stored, context)
        raise


def take_continuation(
    chat_request: ChatRequest, conversation: object, server: str, context: CallContext
) -> Continuation | None:
    """The session of the newest answer that the history leads to, if it can be continued.

    Raises:
        ConfigurationError: ``conversation`` does not name a session of this app.
        SessionLostError: The named session cannot be continued, and there is no history.
    """
    route = route_to(server, context)
    given = None
    if conversation != "auto":
        given = SessionHandle.from_json(conversation, context.provider)
        if given is None or given.server != server:
            raise ConfigurationError(
                f"conversation= takes 'auto', 'new', an answer of {server} or the handle in its"
                " response_metadata['conversation']"
            )
    messages = chat_request.messages
    for at, message in reversed(list(enumerate(messages))):
        handle = SessionHandle.from_json(message.handle, context.provider)
        if handle is None or handle.server != server:
            continue
        whole = message.state == "whole"
        if given is None:
            digest = history_digest(messages[:at], chat_request.system, chat_request.model)
            if not whole or handle.digest != digest:
                continue
        elif handle != given:
            continue
        new = messages[at + 1 :]
        stored = take_session(handle, route, context) if whole and new else None
        return Continuation(handle, stored, new) if stored is not None else None
    if given is None:
        return None
    stored = take_session(given, route, context)
    if stored is None:
        raise SessionLostError(
            "the session of that answer cannot be continued; send the whole history"
        )
    return Continuation(given, stored, messages)
