"""What a call puts into the app: the message, what was said before, and in which session.

An app that keeps state is gone on with where that is safe (`sessions`); everywhere else
the history is sent, in one text or as the messages of the chatbot
(docs/protocols/gradio-space.md, sections 7, 8 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.core.chat_request import Media, Message, history_digest
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIError, SessionLostError
from langchain_g4f.providers.gradio_space.content import Line, history
from langchain_g4f.providers.gradio_space.files import check_files, media_of, upload
from langchain_g4f.providers.gradio_space.inputs import Values
from langchain_g4f.providers.gradio_space.sessions import Handle, take_continuation
from langchain_g4f.providers.gradio_space.space import app_id, forget_app
from langchain_g4f.text.transcript import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.gradio_space.app import App, Component
    from langchain_g4f.providers.gradio_space.discovery import Chat
    from langchain_g4f.providers.gradio_space.options import Options
    from langchain_g4f.providers.gradio_space.sessions import Continuation
    from langchain_g4f.providers.gradio_space.where import Where


@dataclass(frozen=True, slots=True)
class Question:
    """What is put into the app.

    Attributes:
        values: What its components hold.
        handle: Of the answer to come.
    """

    values: Values
    handle: Handle


@dataclass(frozen=True, slots=True)
class Call:
    """What a call is made of."""

    chat_request: ChatRequest
    options: Options
    app: App
    chat: Chat
    context: CallContext
    where: Where

    @property
    def lasting(self) -> bool:
        """Whether the app keeps state that a later call may go on with."""
        return self.options.conversation != "new" and self.chat.keeps_state(self.app)


def find_question(call: Call, continuation: Continuation | None) -> PlanOf[Question]:
    """The question that the call puts, its files uploaded.

    Raises:
        ConfigurationError: The app has no such input.
        MediaError: A file cannot be fetched, or is not what the app takes.
    """
    chat_request, app, chat, where = call.chat_request, call.app, call.chat, call.where
    values = Values(app, chat)
    values.set_all(call.options.inputs, call.options.parameters)
    if chat_request.model and chat_request.model not in (
        app.space,
        app.title,
        where.space,
        *where.models,
    ):
        values.set_model(chat_request.model)
    has_place = values.set_system(chat_request.instructions)
    digest = history_digest(chat_request.messages, chat_request.system, chat_request.model)
    if continuation is not None:
        before, number = continuation.handle, continuation.handle.turn + 1
        handle = Handle(where.base_url, before.session, number, digest)
        reminder = "" if has_place else chat_request.reminder(continuation.kept.tools)
        text = render(continuation.new, reminder)
        if chat.chatbot is not None:
            values.put(chat.chatbot, continuation.kept.shown)
        (files,) = yield from _files(call, [continuation.new])
        yield from _write(call, values, handle.session, text, files)
        return Question(values, handle)
    handle = Handle(where.base_url, call.context.new_id().replace("-", ""), 1, digest)
    said = "" if has_place else chat_request.instructions
    system = [Message("system", said)] if said else []
    chatbot = _chatbot_for_history(call)
    if chatbot is not None:
        *earlier, last = chat_request.messages
        *media, files = yield from _files(call, [[message] for message in chat_request.messages])
        shown = yield from _show(call, chatbot, earlier, media, handle.session)
        text = render([*system, last])
    else:
        (files,) = yield from _files(call, [chat_request.messages])
        shown = []
        text = render([*system, *chat_request.messages])
    if chat.chatbot is not None:
        values.put(chat.chatbot, shown)
    yield from _write(call, values, handle.session, text, files)
    return Question(values, handle)


def find_continuation(call: Call) -> PlanOf[Continuation | None]:
    """The session to go on in; an app that was restarted has none, and is forgotten.

    Raises:
        ConfigurationError: The caller names a session, and it is none of this app.
        SessionLostError: It cannot be gone on with, and the history is not there instead.
    """
    conversation = call.options.conversation
    if not call.lasting and conversation in ("auto", "new"):
        return None
    where, context = call.where, call.context
    found = take_continuation(call.chat_request, conversation, where.base_url, context)
    if found is None:
        return None
    try:
        same = (yield from app_id(where, call.app)) == found.kept.app_id
    except APIError:
        same = False
    if same:
        return found
    forget_app(where, context)
    if found.new == call.chat_request.messages:
        msg = "the app has been restarted, and its session is lost; send the whole history"
        raise SessionLostError(msg)
    yield Progress("conversation_lost", "the app has been restarted, the history is sent again")
    return None


def _chatbot_for_history(call: Call) -> Component | None:
    """Where what was said before goes, message by message; None if it goes in one text."""
    chatbot, mode = call.chat.chatbot, call.options.history
    if chatbot is None or mode == "flattened" or call.chat_request.messages[-1].role != "user":
        return None
    filling = [f for f in call.chat.functions if chatbot.id in f.outputs]
    if not all(chatbot.id in function.inputs for function in filling):
        return None  # what it is given is not what it goes on from
    # an app with a memory of its own may not look at what its chatbot shows
    return None if mode == "auto" and call.chat.keeps_state(call.app) else chatbot


def _files(call: Call, groups: Sequence[Sequence[Message]]) -> PlanOf[list[list[Media]]]:
    """The files of each group of messages, each file once; all of them can be uploaded."""
    found = []
    for messages in groups:
        media = yield from media_of(messages, call.context, call.options.trusted_hosts)
        files: dict[str, Media] = {}
        for file in (file for each in media for file in each):
            files.setdefault(file.digest, file)
        found.append(list(files.values()))
    for each in found:
        check_files(each, call.chat.box, call.app, call.where, call.context)
    return found


def _show(
    call: Call,
    chatbot: Component,
    messages: Sequence[Message],
    media: Sequence[Sequence[Media]],
    session_hash: str,
) -> PlanOf[list[JSON]]:
    """What ``chatbot`` shows of ``messages``, which have these files."""
    lines = []
    for message, files in zip(messages, media, strict=True):
        uploaded = yield from upload(files, call.app, call.where, call.context, session_hash)
        lines.append(Line(message.role, message.text, tuple(uploaded)))
    return history(lines, call.app.shape(chatbot))


def _write(
    call: Call, values: Values, session_hash: str, text: str, files: Sequence[Media]
) -> PlanOf[None]:
    """Write ``text`` into the message box, with these files."""
    box = call.chat.box
    if box.type != "multimodaltextbox":
        values.put(box, text)
        return
    uploaded = yield from upload(files, call.app, call.where, call.context, session_hash)
    values.put(box, {"text": text, "files": list(uploaded)})


__all__ = ["Call", "Question", "find_continuation", "find_question"]
