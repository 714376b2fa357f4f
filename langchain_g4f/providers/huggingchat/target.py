"""Where a message goes: on in a conversation the server has, or to a new one.

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
from langchain_g4f.providers.huggingchat.files import files_of, with_files_fetched
from langchain_g4f.providers.huggingchat.handle import (
    Handle,
    find_continuation,
    given_continuation,
)
from langchain_g4f.providers.huggingchat.login import explained
from langchain_g4f.providers.huggingchat.models import (
    check_tools,
    check_vision,
    unknown_model,
)
from langchain_g4f.providers.huggingchat.reader import NAME
from langchain_g4f.providers.huggingchat.refusals import CONVERSATIONS_FULL, no_server, refused
from langchain_g4f.providers.huggingchat.stored import (
    StoredConversation,
    StoredMessage,
    deletion,
    embedded_conversation,
    is_same_answer,
    read_conversation,
    remember,
)
from langchain_g4f.text.transcript import render

if TYPE_CHECKING:
    from langchain_g4f.core.chat_request import ChatRequest, Media, Message
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.huggingchat.handle import Continuation
    from langchain_g4f.providers.huggingchat.options import Options

_PATIENCE_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Waits for an answer that is given up to end: the server takes its time (6.1, 6.2)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes and what it says.

    Attributes:
        conversation: Id of the conversation.
        model: Who answers in it.
        parent: Id of the message it is appended to, or that is answered again.
        anchor: Id of a message above the answer to come.
        position: Where in the order of creation the answer is to be found, at the earliest.
        created: Whether this call created the conversation.
        inputs: The text; None where an answer is regenerated or continued.
        files: What goes with it.
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


def find_target(
    chat_request: ChatRequest, options: Options, model: str, context: CallContext, base_url: str
) -> PlanOf[Target]:
    """Where the turn goes; locks the conversation.

    Raises:
        ConfigurationError: The caller names a conversation that does not fit.
        MediaError: A file that is to be sent cannot be.
        AuthenticationError: The server wants a login.
    """
    call = _Call(chat_request, options, model, context, base_url)
    if options.conversation == "new":
        continuation = None
    elif call.auto:
        continuation = find_continuation(chat_request, base_url, model)
    else:
        continuation = given_continuation(chat_request, options.conversation, base_url)
    if continuation is not None:
        target = yield from _go_on(call, continuation)
        if target is not None:
            return target
    if options.again:
        msg = f"{NAME}: the last message is no answer that the server still has"
        raise ConfigurationError(msg)
    return (yield from _begin(call))


@dataclass(frozen=True, slots=True)
class _Call:
    """What is looked for a place for."""

    chat_request: ChatRequest
    options: Options
    model: str
    context: CallContext
    base_url: str

    @property
    def auto(self) -> bool:
        """Whether a new conversation will do, too."""
        return self.options.conversation == "auto"


def _go_on(call: _Call, continuation: Continuation) -> PlanOf[Target | None]:
    """The place after the answer of a handle; None where a new conversation is better."""
    handle = continuation.handle
    yield _lock(call.base_url, handle.conversation)
    try:
        stored = yield from _read_when_ended(call, continuation)
    except (NotFoundError, PermissionDeniedError) as error:
        if not call.auto:
            raise
        yield Progress("conversation_lost", str(error))
        return None
    except APIStatusError as error:
        raise explained(error, call.base_url) from None
    answer = stored.answer_to(handle)
    if answer is None or not is_same_answer(answer, continuation):
        if not call.auto:
            msg = f"{NAME}: the conversation no longer has that answer"
            raise NotFoundError(msg, provider=NAME, phase="read the conversation")
        yield Progress("conversation_changed", "the answer differs from the one on the server")
        return None
    if answer.generation and not answer.ended:
        if not call.auto:
            msg = f"{NAME}: the answer to go on from is still being made"
            raise ConflictError(msg, provider=NAME, phase="read the conversation")
        yield Progress("conversation_busy", "its last answer is still being made")
        return None
    if call.auto and stored.model not in ("", call.model):  # switched elsewhere (5.3)
        yield Progress("conversation_changed", f"its model is now {stored.model}")
        return None
    if not (call.auto or stored.was_told(call.chat_request.system)):
        msg = f"{NAME}: a system prompt is set when a conversation begins, not later"
        raise ConfigurationError(msg)
    model = stored.model or call.model
    yield from check_tools(model, call.options, call.context, call.base_url)
    if call.options.again:
        return _again(call, continuation, stored, answer)
    return (yield from _after(call, continuation, stored, answer))


def _again(
    call: _Call, continuation: Continuation, stored: StoredConversation, answer: StoredMessage
) -> Target:
    """The place of another answer to the same question, or of more of this one."""
    if continuation.new:
        msg = f"{NAME}: only the last message can be regenerated or continued"
        raise ConfigurationError(msg)
    if call.chat_request.messages[-1].note or call.chat_request.reminder(continuation.handle.tools):
        msg = f"{NAME}: new tools or a wanted format need a new message, which there is not"
        raise ConfigurationError(msg)
    position = len(stored.messages)
    if call.options.continue_answer:  # the answer stays where it is and grows
        position = stored.messages.index(answer)
    return Target(
        continuation.handle.conversation,
        stored.model or call.model,
        answer.id,
        answer.ancestors[-1] if answer.ancestors else "",
        position,
        created=False,
        inputs=None,
    )


def _after(
    call: _Call, continuation: Continuation, stored: StoredConversation, answer: StoredMessage
) -> PlanOf[Target]:
    """The place of what is new, under the answer."""
    asked = continuation.asked(call.chat_request)
    if not asked:
        msg = f"{NAME}: there is no new message after the last answer"
        raise ConfigurationError(msg)
    model = stored.model or call.model  # it belongs to the conversation (5.3)
    files = yield from _files(call, asked, model)
    return Target(
        continuation.handle.conversation,
        model,
        answer.id,
        answer.id,
        len(stored.messages),
        created=False,
        inputs=render(asked, call.chat_request.reminder(continuation.handle.tools)),
        files=files,
        known_files=_known_files(call.chat_request, stored, answer),
    )


def _read_when_ended(call: _Call, continuation: Continuation) -> PlanOf[StoredConversation]:
    """The conversation, when the answer in question is no longer being written.

    An answer that the caller has given up takes a moment to end, and so does a run whose title
    is being made: at its end it writes back the messages it knows, and later ones are lost.
    """
    handle = continuation.handle
    stored = yield from read_conversation(handle.conversation, call.context, call.base_url)
    for wait in _PATIENCE_S:
        answer = stored.answer_to(handle)
        if answer is None or answer.over:
            break
        if not answer.generation and is_same_answer(answer, continuation):
            break  # all that an older server tells of an answer that was stopped
        yield Sleep(wait)
        stored = yield from read_conversation(handle.conversation, call.context, call.base_url)
    return stored


def _begin(call: _Call) -> PlanOf[Target]:
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
        response = yield from send(lambda: request)
        created = response.json()
    except BadRequestError as error:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            raise no_server(error, base_url) from None
        raise (yield from unknown_model(error, model, base_url)) from None
    except (NotFoundError, MalformedStreamError) as error:
        raise no_server(error, base_url) from None
    except APIStatusError as error:
        raise refused(error, base_url) from None
    conversation = need_id(created, "conversationId")
    yield _lock(base_url, conversation)
    stored = embedded_conversation(created)
    if stored is None:  # servers before July 2026 do not send it along
        try:
            stored = yield from read_conversation(conversation, call.context, base_url)
        except G4FError:
            yield Defer(lambda: deletion(conversation, base_url))
            raise
    else:
        remember(call.context, base_url, "current")
    return Target(
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
    """The files of what is to be sent, fetched where they are elsewhere."""
    hosts = call.options.trusted_media_hosts
    files = files_of((yield from with_files_fetched(messages, hosts)))
    yield from check_vision(model, files, call.context, call.base_url)
    return files


def _known_files(
    chat_request: ChatRequest, stored: StoredConversation, answer: StoredMessage
) -> dict[str, str]:
    """What the server calls the files that earlier turns of the branch sent.

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
            values = (file.value for file in question.files)
            known.update(zip(handle.files, values, strict=True))
    return known


__all__ = ["Target", "find_target"]
