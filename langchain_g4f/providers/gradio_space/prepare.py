"""Fills the app's inputs for one call.

Every input of every function needs a value: the message, the history, null for state on the
server, and for the app's own settings their defaults or the caller's values. A session that
can be continued gets the new messages only. Otherwise the history is sent, as one text or as
messages of the chatbot (docs/protocols/gradio-space.md, sections 7, 8 and 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_g4f.core.chat_request import ChatRequest, Media, Message, history_digest
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.errors import (
    APIError,
    SessionLostError,
)
from langchain_g4f.providers.gradio_space.app import FILE_BOX, App, Component, Function
from langchain_g4f.providers.gradio_space.capabilities import check_files, inputs_for
from langchain_g4f.providers.gradio_space.config import CallOptions, SpaceConfig
from langchain_g4f.providers.gradio_space.content import ChatbotMessage, chatbot_value, file_value
from langchain_g4f.providers.gradio_space.discovery import Chat
from langchain_g4f.providers.gradio_space.files import FileData, fetch_media, upload
from langchain_g4f.providers.gradio_space.page import ComponentValues
from langchain_g4f.providers.gradio_space.sessions import (
    Continuation,
    SessionHandle,
    take_continuation,
)
from langchain_g4f.providers.gradio_space.settings import find_setting, named_setting
from langchain_g4f.providers.gradio_space.space import app_id, forget_app
from langchain_g4f.text.transcript import render


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A request, and the chat of the app that it goes to."""

    chat_request: ChatRequest
    options: CallOptions
    app: App
    chat: Chat
    context: CallContext
    config: SpaceConfig

    @property
    def keeps_session(self) -> bool:
        """Whether a later call may continue the session of this one.

        A page with a chatbot may keep its memory where no description shows it. A function
        without chatbot and state has none, so it is sent the whole history each time.
        """
        has_memory = self.chat.chatbot is not None or self.chat.keeps_state
        return self.options.conversation != "new" and has_memory

    @property
    def needs_names(self) -> bool:
        """Whether an input is meant that the app's description does not show under this name."""
        settings = self.chat.settings(self.app)
        given = [name for name, value in self.options.parameters.items() if value is not None]
        given += ["system"] if self.chat_request.instructions else []
        return bool(settings) and (
            any(find_setting(settings, name) is None for name in given)
            or any(named_setting(settings, name) is None for name in self.options.inputs)
        )


def find_continuation(call: ChatCall) -> PlanOf[Continuation | None]:
    """The session to continue, taken from the store; none if the app has restarted.

    Raises:
        ConfigurationError: The caller names a session that is not of this app.
        SessionLostError: The named session cannot be continued, and there is no history.
    """
    conversation = call.options.conversation
    if not call.keeps_session and conversation in ("auto", "new"):
        return None
    config, context = call.config, call.context
    found = take_continuation(call.chat_request, conversation, config.base_url, context)
    if found is None:
        return None
    try:
        if (yield from app_id(config, call.app)) == found.stored.app_id:
            return found
    except APIError:
        pass
    forget_app(config, context)
    if found.new == call.chat_request.messages:
        raise SessionLostError(
            "the app has been restarted, and its session is lost; send the whole history"
        )
    yield Progress("conversation_lost", "the app has been restarted, the history is sent again")
    return None


def next_handle(call: ChatCall, continuation: Continuation | None) -> SessionHandle:
    """The handle of the answer to come, in the session of ``continuation`` or a new one."""
    request = call.chat_request
    digest = history_digest(request.messages, request.system, request.model)
    if continuation is None:
        session, turn = call.context.new_id().replace("-", ""), 1
    else:
        session, turn = continuation.handle.session, continuation.handle.turn + 1
    return SessionHandle(call.config.base_url, session, turn, digest)


def prepare(
    call: ChatCall, continuation: Continuation | None, values: ComponentValues, session: str
) -> PlanOf[tuple[Function, ...]]:
    """Fill the inputs of a call, and upload its files.

    Returns:
        The functions that have to run first, so that files and history reach the app.

    Raises:
        ConfigurationError: The app has no such input.
        MediaError: A file cannot be fetched, or the app does not accept it.
    """
    request, chat, config = call.chat_request, call.chat, call.config
    values.set_all(call.options.inputs, call.options.parameters)
    own_names = (call.app.space_id, call.app.title, config.space, *config.models)
    if request.model and request.model not in own_names:
        values.set_model(request.model)
    has_input = values.set_system(request.instructions)
    earlier: Sequence[Message] = ()
    system: list[Message] = []
    reminder = ""
    if continuation is not None:
        new = continuation.new
        reminder = "" if has_input else request.reminder(continuation.stored.tools)
    else:
        new = request.messages
        if _history_goes_into_chatbot(call):
            earlier, new = new[:-1], new[-1:]
        if request.instructions and not has_input:
            system = [Message("system", request.instructions)]
    *media, files = yield from _fetch(call, [*([message] for message in earlier), new])
    takes_files, attached = chat.box.type == FILE_BOX, list[FileData]()
    if not takes_files:  # an input shows the newest file of the conversation
        files = files or next(filter(None, reversed(media)), [])
    targets = inputs_for(files, chat, call.app, config, call.context)
    for id_, own in values.files.items():
        component = call.app.components[id_]
        check_files(own, component, call.app, config, call.context)
        targets.append((component, [*own]))
    if earlier and chat.chatbot is not None:
        shown = yield from _show(call, chat.chatbot, earlier, media, session)
        values.put(chat.chatbot, shown)
    text = render([*system, *new], reminder)
    for component, its_files in targets:
        uploaded = yield from upload(its_files, call.app, config, call.context, session)
        if component.id == chat.box.id:
            attached = uploaded
        else:
            values.keep(component, file_value(uploaded, component, call.app))
    values.put(chat.box, {"text": text, "files": [*attached]} if takes_files else text)
    first = chat.seeds if earlier else ()
    return (*first, *(f for component, _ in targets for f in chat.uploads.get(component.id, ())))


def _history_goes_into_chatbot(call: ChatCall) -> bool:
    """Whether earlier messages become messages of the chatbot, and not one text."""
    chat, mode = call.chat, call.options.history
    if chat.chatbot is None or mode == "flattened" or call.chat_request.messages[-1].role != "user":
        return False
    # an app that keeps state may ignore what its chatbot shows
    return chat.takes_history and (mode == "messages" or not chat.keeps_state)


def _fetch(call: ChatCall, groups: Sequence[Sequence[Message]]) -> PlanOf[list[list[Media]]]:
    """The files of each group of messages; all are checked before the first is uploaded."""
    found: list[list[Media]] = []
    for messages in groups:
        files = yield from fetch_media(messages, call.context, call.options.trusted_hosts)
        found.append(files)
    for files in found:
        inputs_for(files, call.chat, call.app, call.config, call.context)
    return found


def _show(
    call: ChatCall,
    chatbot: Component,
    messages: Sequence[Message],
    media: Sequence[Sequence[Media]],
    session: str,
) -> PlanOf[list[JSON]]:
    """The value of ``chatbot`` with ``messages``, whose files are uploaded."""
    found = []
    for message, files in zip(messages, media, strict=True):
        uploaded = yield from upload(files, call.app, call.config, call.context, session)
        found.append(ChatbotMessage(message.role, message.text, tuple(uploaded)))
    return chatbot_value(found, call.app.shape(chatbot))
