"""Fills the app's inputs for one call.

Every input of every function needs a value: the message, the history, null for state on the
server, and for the app's own settings their defaults or the caller's values. A session that
can be continued gets the new messages only. Otherwise the history is sent, as one text or as
messages of the chatbot (docs/protocols/gradio-space.md, sections 7, 8 and 13).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_g4f.core.chat_request import ChatRequest, Media, Message, history_digest
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.errors import (
    APIError,
    ConfigurationError,
    ModelNotFoundError,
    SessionLostError,
)
from langchain_g4f.providers.gradio_space.app import App, Component, Function
from langchain_g4f.providers.gradio_space.capabilities import check_files, find_setting
from langchain_g4f.providers.gradio_space.config import CallOptions, SpaceConfig
from langchain_g4f.providers.gradio_space.content import ChatbotMessage, applied, chatbot_value
from langchain_g4f.providers.gradio_space.discovery import Chat
from langchain_g4f.providers.gradio_space.files import fetch_media, upload
from langchain_g4f.providers.gradio_space.sessions import (
    Continuation,
    SessionHandle,
    take_continuation,
)
from langchain_g4f.providers.gradio_space.space import app_id, forget_app
from langchain_g4f.text.transcript import render


class ComponentValues:
    """The values of an app's components during a call, as in a browser page."""

    def __init__(self, app: App, chat: Chat) -> None:
        self._app = app
        self._settings = chat.settings(app)
        inputs = (app.components[id_] for function in chat.functions for id_ in function.inputs)
        self._values: dict[int, JSON] = {each.id: each.props.get("value") for each in inputs}

    def put(self, component: Component, value: JSON) -> None:
        """Set the value of ``component``."""
        self._values[component.id] = value

    def get(self, component: Component) -> JSON:
        """The value of ``component``."""
        return self._values.get(component.id)

    def inputs_of(self, function: Function) -> list[JSON]:
        """The inputs of ``function``; state is null, because the server has it."""
        return [
            None if self._app.components[id_].type == "state" else self._values.get(id_)
            for id_ in function.inputs
        ]

    def apply(self, function: Function, data: list[JSON]) -> None:
        """Store the outputs of ``function``."""
        for id_, value in zip(function.outputs, data, strict=False):
            self._values[id_] = applied(value, self._values.get(id_))

    def set_all(self, inputs: Mapping[str, object], parameters: Mapping[str, object]) -> None:
        """Set the app's own inputs.

        Args:
            inputs: Values by label or name of an input.
            parameters: LangChain's parameters by name; None leaves the default.

        Raises:
            ConfigurationError: There is no such input, or it does not take the value.
        """
        for name, value in parameters.items():
            if value is None:
                continue
            component = find_setting(self._settings, name)
            if component is None:
                warnings.warn(f"the app has no input for {name!r}: it is ignored", stacklevel=2)
            else:
                self._set(component, value)
        for name, value in inputs.items():
            self._set(self._named(name), value)

    def set_system(self, text: str) -> bool:
        """Put ``text`` into the input for a system prompt; False if there is no such input."""
        component = find_setting(self._settings, "system")
        if component is not None and text:
            self.put(component, text)
        return component is not None

    def set_model(self, model: str) -> None:
        """Select the model.

        Raises:
            ModelNotFoundError: The app does not offer it.
        """
        component = find_setting(self._settings, "model")
        if component is None or _problem(component, model):
            names = [str(c) for c in component.choices] if component else [self._app.space_id]
            known = ", ".join(filter(None, names)) or "one, without a name"
            raise ModelNotFoundError(f"the app has no model {model!r}; it has: {known}")
        self.put(component, model)

    def _named(self, name: str) -> Component:
        for component in self._settings:
            if name and name in (component.label, component.name):
                return component
        names = ", ".join(repr(component.name) for component in self._settings) or "none"
        raise ConfigurationError(f"inputs: the app has no input {name!r}; its inputs are: {names}")

    def _set(self, component: Component, value: object) -> None:
        problem = _problem(component, value)
        if problem:
            raise ConfigurationError(f"inputs: {component.name!r} {problem}")
        self.put(component, value)  # type: ignore[arg-type]  # `_problem` found that it is JSON


def _problem(component: Component, value: object) -> str:
    """Why ``component`` cannot have ``value``; empty if it can."""
    try:  # NaN and lone surrogates cannot be sent
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return f"takes JSON, not {type(value).__name__}"
    choices = component.choices
    if choices and value not in choices and not component.props.get("allow_custom_value"):
        chosen = value if isinstance(value, list) else [value]
        if any(each not in choices for each in chosen):
            return f"takes one of {choices}, not {value!r}"
    if component.type not in ("slider", "number"):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"takes a number, not {value!r}"
    low, high = component.props.get("minimum"), component.props.get("maximum")
    if isinstance(low, int | float) and value < low:
        return f"is {low} at least, not {value}"
    if isinstance(high, int | float) and value > high:
        return f"is {high} at most, not {value}"
    return ""


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
        """Whether a later call may continue the session of this one."""
        return self.options.conversation != "new" and self.chat.keeps_state(self.app)


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A call whose inputs are filled.

    Attributes:
        values: Values of the app's components.
        handle: Handle of the answer to come.
    """

    values: ComponentValues
    handle: SessionHandle


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


def prepare(call: ChatCall, continuation: Continuation | None) -> PlanOf[PreparedCall]:
    """Fill the inputs of a call, and upload its files.

    Raises:
        ConfigurationError: The app has no such input.
        MediaError: A file cannot be fetched, or the app does not accept it.
    """
    request, chat, config = call.chat_request, call.chat, call.config
    values = ComponentValues(call.app, chat)
    values.set_all(call.options.inputs, call.options.parameters)
    own_names = (call.app.space_id, call.app.title, config.space, *config.models)
    if request.model and request.model not in own_names:
        values.set_model(request.model)
    has_input = values.set_system(request.instructions)
    earlier: Sequence[Message] = ()
    system: list[Message] = []
    chatbot, shown, reminder = None, None, ""
    if continuation is not None:
        session, number = continuation.handle.session, continuation.handle.turn + 1
        new, shown = continuation.new, continuation.stored.shown
        reminder = "" if has_input else request.reminder(continuation.stored.tools)
    else:
        session, number = call.context.new_id().replace("-", ""), 1
        new, shown = request.messages, []
        chatbot = _chatbot_for_history(call)
        if chatbot is not None:
            earlier, new = new[:-1], new[-1:]
        if request.instructions and not has_input:
            system = [Message("system", request.instructions)]
    *media, files = yield from _fetch(call, [*([message] for message in earlier), new])
    if chatbot is not None:
        shown = yield from _show(call, chatbot, earlier, media, session)
    if chat.chatbot is not None:
        values.put(chat.chatbot, shown)
    text = render([*system, *new], reminder)
    message: JSON = text
    if chat.box.type == "multimodaltextbox":
        uploaded = yield from upload(files, call.app, config, call.context, session)
        message = {"text": text, "files": [*uploaded]}
    values.put(chat.box, message)
    digest = history_digest(request.messages, request.system, request.model)
    return PreparedCall(values, SessionHandle(config.base_url, session, number, digest))


def _chatbot_for_history(call: ChatCall) -> Component | None:
    """The chatbot that takes earlier messages; None if they are sent as one text."""
    chatbot, mode = call.chat.chatbot, call.options.history
    if chatbot is None or mode == "flattened" or call.chat_request.messages[-1].role != "user":
        return None
    filling = [f for f in call.chat.functions if chatbot.id in f.outputs]
    if not all(chatbot.id in function.inputs for function in filling):
        return None  # the answer does not depend on the chatbot's value
    # an app that keeps state may ignore what its chatbot shows
    return None if mode == "auto" and call.chat.keeps_state(call.app) else chatbot


def _fetch(call: ChatCall, groups: Sequence[Sequence[Message]]) -> PlanOf[list[list[Media]]]:
    """The files of each group of messages; all are checked before the first is uploaded."""
    found: list[list[Media]] = []
    for messages in groups:
        files = yield from fetch_media(messages, call.context, call.options.trusted_hosts)
        found.append(files)
    for files in found:
        check_files(files, call.chat.box, call.app, call.config, call.context)
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
