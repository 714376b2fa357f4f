"""The place of a message: in a conversation that the server has, or in a new one.

Follows docs/protocols/huggingchat.md, sections 5.1, 5.2 and 9.3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need_id
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Defer, Lock, Sleep, send
from langchain_g4f.errors import (
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    G4FError,
    MalformedStreamError,
    NotFoundError,
    PermissionDeniedError,
)
from langchain_g4f.providers.huggingchat.conversation import (
    StoredConversation,
    StoredMessage,
    deletion,
    embedded_conversation,
    is_same_answer,
    read_conversation,
)
from langchain_g4f.providers.huggingchat.files import files_of, with_files_fetched
from langchain_g4f.providers.huggingchat.handle import (
    Handle,
    find_continuation,
    given_continuation,
)
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.requests import CONVERSATIONS_FULL, explain, no_server
from langchain_g4f.providers.huggingchat.server import (
    check_tools,
    check_vision,
    remember_version,
    unknown_model,
)
from langchain_g4f.text.transcript import render

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest, Media, Message
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.huggingchat.handle import Continuation
    from langchain_g4f.providers.huggingchat.options import Options

_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Waits for the end of an answer that a caller left: the server takes its time (6.1, 6.2)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes, and what it says.

    Attributes:
        conversation: Id of the conversation.
        model: Name of the model that answers in it.
        parent: Id of the message it is appended to, or of the answer to make again.
        anchor: Id of a message above the answer to come.
        position: Lowest index of the answer to come, in the order of creation.
        created: Whether this call created the conversation.
        inputs: The text; None where an answer is regenerated or continued.
        files: The files that go with it.
        known_files: The server's names of files it has already, by SHA-256.
    """

    conversation: str
    model: str
    parent: str
    anchor: str
    position: int
    created: bool
    inputs: str | None
    files: tuple[Media, ...] = ()
    known_files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Call:
    chat_request: ChatRequest
    options: Options
    model: str
    context: CallContext
    base_url: str


def find_destination(
    chat_request: ChatRequest, options: Options, model: str, context: CallContext, base_url: str
) -> PlanOf[Destination]:
    """The place for the newest messages; locks the conversation.

    Raises:
        ConfigurationError: The caller names a conversation that does not fit.
        MediaError: A file cannot be sent.
        AuthenticationError: The server wants a login.
    """
    call = _Call(chat_request, options, model, context, base_url)
    destination = None
    if options.conversation == "auto":
        if found := find_continuation(chat_request, base_url, model):
            destination = yield from _continue(call, found)
    elif options.conversation != "new":
        given = given_continuation(chat_request, options.conversation, base_url)
        destination = yield from _continue(call, given)
    if destination is not None:
        return destination
    if options.again:
        msg = f"{NAME}: the last message is no answer that the server still has"
        raise ConfigurationError(msg)
    return (yield from _create(call))


def _continue(call: _Call, continuation: Continuation) -> PlanOf[Destination | None]:
    """The place after the answer of a handle; None where a new conversation is better."""
    auto = call.options.conversation == "auto"
    conversation = continuation.handle.conversation
    yield _lock(call.base_url, conversation)
    try:
        stored = yield from _read_when_over(call, continuation)
    except (NotFoundError, PermissionDeniedError) as error:
        if not auto:
            raise
        yield Progress("conversation_lost", str(error))
        return None
    except APIStatusError as error:
        raise explain(error, call.base_url) from None
    phase = "read the conversation"
    answer = stored.answer_to(continuation.handle)
    if answer is None or not is_same_answer(answer, continuation):
        if not auto:
            msg = f"{NAME}: the conversation no longer has that answer"
            raise NotFoundError(msg, provider=NAME, phase=phase)
        yield Progress("conversation_changed", "the answer differs from the one on the server")
        return None
    if answer.run_id and not answer.ended:
        if not auto:
            msg = f"{NAME}: the answer to go on from is still being made"
            raise ConflictError(msg, provider=NAME, phase=phase)
        yield Progress("conversation_busy", "its last answer is still being made")
        return None
    if auto and stored.model not in ("", call.model):  # switched by another client (5.3)
        yield Progress("conversation_changed", f"its model is now {stored.model}")
        return None
    if not auto and not stored.has_system(call.chat_request.system):
        msg = f"{NAME}: a system prompt is set when a conversation begins, not later"
        raise ConfigurationError(msg)
    yield from check_tools(stored.model or call.model, call.options, call.context, call.base_url)
    if call.options.again:
        return _regenerate(call, continuation, stored, answer)
    return (yield from _append(call, continuation, stored, answer))


def _regenerate(
    call: _Call, continuation: Continuation, stored: StoredConversation, answer: StoredMessage
) -> Destination:
    """The place of another answer to the same question, or of more of this one."""
    if continuation.new:
        msg = f"{NAME}: only the last message can be regenerated or continued"
        raise ConfigurationError(msg)
    if call.chat_request.messages[-1].note or call.chat_request.reminder(continuation.handle.tools):
        msg = f"{NAME}: new tools or a wanted format need a new message, which is missing"
        raise ConfigurationError(msg)
    position = len(stored.messages)
    if call.options.continue_answer:  # the answer stays where it is and grows
        position = stored.messages.index(answer)
    return Destination(
        continuation.handle.conversation,
        stored.model or call.model,
        answer.id,
        answer.ancestors[-1] if answer.ancestors else "",
        position,
        created=False,
        inputs=None,
    )


def _append(
    call: _Call, continuation: Continuation, stored: StoredConversation, answer: StoredMessage
) -> PlanOf[Destination]:
    """The place of the new messages, under the answer."""
    messages = continuation.unsent(call.chat_request)
    if not messages:
        msg = f"{NAME}: there is no new message after the last answer"
        raise ConfigurationError(msg)
    model = stored.model or call.model  # it belongs to the conversation (5.3)
    files = yield from _files(call, messages, model)
    return Destination(
        continuation.handle.conversation,
        model,
        answer.id,
        answer.id,
        len(stored.messages),
        created=False,
        inputs=render(messages, call.chat_request.reminder(continuation.handle.tools)),
        files=files,
        known_files=_known_files(call.chat_request, stored, answer),
    )


def _read_when_over(call: _Call, continuation: Continuation) -> PlanOf[StoredConversation]:
    """The conversation, once the run of the answer has ended, or the waits have.

    An answer that its caller left takes a moment to end, and so does a run whose title is being
    made: at its end it writes back the messages it knows, and later ones are lost.
    """
    handle, waits = continuation.handle, iter(_WAITS_S)
    while True:
        stored = yield from read_conversation(handle.conversation, call.context, call.base_url)
        answer = stored.answer_to(handle)
        if answer is None or answer.over:
            return stored
        if not answer.run_id and is_same_answer(answer, continuation):
            return stored  # an older server never says more of an answer that was stopped
        if (wait := next(waits, None)) is None:
            return stored
        yield Sleep(wait)


def _create(call: _Call) -> PlanOf[Destination]:
    """A new conversation, with everything said so far in its first message."""
    chat_request, model, base_url = call.chat_request, call.model, call.base_url
    yield from check_tools(model, call.options, call.context, base_url)
    files = yield from _files(call, chat_request.messages, model)
    payload: dict[str, JSON] = {"model": model}
    if chat_request.instructions:
        payload["preprompt"] = chat_request.instructions
    request = Request(
        "POST",
        f"{base_url}/conversation",
        {"accept": "application/json", "content-type": "application/json"},
        json.dumps(payload, ensure_ascii=False).encode(),
        RetryWhen.NOT_PROCESSED,
        "create the conversation",
        final=CONVERSATIONS_FULL,
    )
    try:
        created = (yield from send(lambda: request)).json()
    except BadRequestError as error:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            raise no_server(error, base_url) from None
        raise (yield from unknown_model(error, model, base_url)) from None
    except (NotFoundError, MalformedStreamError) as error:
        raise no_server(error, base_url) from None
    except APIStatusError as error:
        raise explain(error, base_url) from None
    conversation = need_id(created, "conversationId")
    yield _lock(base_url, conversation)
    stored = embedded_conversation(created)
    if stored is not None:
        remember_version(call.context, base_url, "current")
    else:  # servers before July 2026 do not send it along
        try:
            stored = yield from read_conversation(conversation, call.context, base_url)
        except G4FError:
            yield Defer(lambda: deletion(conversation, base_url))
            raise
    return Destination(
        conversation,
        model,
        stored.root,
        stored.root,
        len(stored.messages),
        created=True,
        inputs=render(chat_request.messages),
        files=files,
    )


def _lock(base_url: str, conversation: str) -> Lock:
    """A server writes back its own copy of a conversation: of two sends, one is lost (5.4)."""
    return Lock(f"{base_url}/conversation/{conversation}")


def _files(call: _Call, messages: tuple[Message, ...], model: str) -> PlanOf[tuple[Media, ...]]:
    """The files of the messages, downloaded where the messages only name them."""
    hosts = call.options.trusted_media_hosts
    files = files_of((yield from with_files_fetched(messages, hosts)))
    yield from check_vision(model, files, call.context, call.base_url)
    return files


def _known_files(
    chat_request: ChatRequest, stored: StoredConversation, answer: StoredMessage
) -> dict[str, str]:
    """The server's names of the files that were sent earlier on this branch.

    Its name for a file is no digest of the bytes (5.4), so it is read, not computed.
    """
    known: dict[str, str] = {}
    for message in chat_request.messages:
        handle = Handle.from_json(message.handle)
        earlier = stored.answer_to(handle) if handle is not None and handle.files else None
        if handle is None or earlier is None:
            continue
        question = stored.question_of(earlier)
        on_branch = earlier.id == answer.id or earlier.id in answer.ancestors
        if question is not None and on_branch and len(question.files) == len(handle.files):
            known.update(zip(handle.files, question.files, strict=True))
    return known


__all__ = ["Destination", "find_destination"]
