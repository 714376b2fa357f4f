"""Calls the functions of an app as its page in a browser does.

The page keeps a value for every component. It runs some functions when it opens, then those
that a message starts: to prepare the answer, to answer, and after the answer
(docs/protocols/gradio-space.md, section 8).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON
from langchain_g4f.core.plan import Plan
from langchain_g4f.errors import APIError, ConfigurationError, ModelNotFoundError
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer, OutputCollector
from langchain_g4f.providers.gradio_space.app import App, Component, Function
from langchain_g4f.providers.gradio_space.client import FunctionClient
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.discovery import Chat
from langchain_g4f.providers.gradio_space.settings import find_setting, named_setting


class ComponentValues:
    """The values of an app's components during a call, as in a browser page.

    Args:
        app: The app.
        chat: One of its chats.
        changed: Components as earlier calls of the session left them.

    Attributes:
        changed: Components that a function of the app has changed, by id.
        files: Files that the caller has given for an input, by its id.
    """

    def __init__(self, app: App, chat: Chat, changed: Mapping[int, Component]) -> None:
        self._app = app
        self._chat = chat
        self._given: dict[int, JSON] = {}
        self.changed = {**changed}
        self.files: dict[int, tuple[Media, ...]] = {}

    @property
    def settings(self) -> list[Component]:
        """The inputs that the caller may set."""
        return [self.changed.get(each.id, each) for each in self._chat.settings(self._app)]

    def put(self, component: Component, value: JSON) -> None:
        """Set the value of ``component`` for this call."""
        self._given[component.id] = value

    def keep(self, component: Component, value: JSON) -> None:
        """Set the value of ``component`` for the session."""
        current = self.changed.get(component.id, component).updated(self.get(component))
        self.changed[component.id] = current.updated(value)
        self._given.pop(component.id, None)

    def get(self, component: Component) -> JSON:
        """The value of ``component``."""
        if component.id in self._given:
            return self._given[component.id]
        return self.changed.get(component.id, component).value

    def inputs_of(self, function: Function) -> list[JSON]:
        """The inputs of ``function``; state is null, because the server has it."""
        inputs = (self._app.components[id_] for id_ in function.inputs)
        return [None if each.type == "state" else self.get(each) for each in inputs]

    def apply(self, function: Function, data: list[JSON]) -> None:
        """Store the outputs of ``function``."""
        for id_, value in zip(function.outputs, data, strict=False):
            component = self._app.components[id_]
            if component.type != "state":
                self.keep(component, value)

    def set_all(self, inputs: Mapping[str, object], parameters: Mapping[str, object]) -> None:
        """Set the app's own inputs.

        Args:
            inputs: Values by label or name of an input; files as a tuple of `Media`.
            parameters: LangChain's parameters by name; None leaves the default.

        Raises:
            ConfigurationError: There is no such input, or it does not take the value.
        """
        for name, value in parameters.items():
            if value is None:
                continue
            component = find_setting(self.settings, name)
            if component is None:
                warnings.warn(f"the app has no input for {name!r}: it is ignored", stacklevel=2)
            else:
                self._set(component, value)
        for name, value in inputs.items():
            self._set(self._named(name), value)

    def set_system(self, text: str) -> bool:
        """Put ``text`` into the input for a system prompt; False if there is no such input."""
        component = find_setting(self.settings, "system")
        if component is not None and text:
            self.put(component, text)
        return component is not None

    def set_model(self, model: str) -> None:
        """Select the model.

        Raises:
            ModelNotFoundError: The app does not offer it.
        """
        component = find_setting(self.settings, "model")
        if component is None or _problem(component, model):
            names = [str(c) for c in component.choices] if component else [self._app.space_id]
            known = ", ".join(filter(None, names)) or "one, without a name"
            raise ModelNotFoundError(f"the app has no model {model!r}; it has: {known}")
        self.put(component, model)

    def _named(self, name: str) -> Component:
        component = named_setting(self.settings, name)
        if component is not None:
            return component
        names = ", ".join(repr(component.name) for component in self.settings) or "none"
        raise ConfigurationError(f"inputs: the app has no input {name!r}; its inputs are: {names}")

    def _set(self, component: Component, value: object) -> None:
        if is_files(value):
            self.files[component.id] = value
            return
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


def is_files(value: object) -> TypeGuard[tuple[Media, ...]]:
    """Whether ``value`` is files of the caller, not JSON."""
    if not isinstance(value, tuple) or not value:
        return False
    return all(isinstance(each, Media) for each in value)


@dataclass(frozen=True, slots=True)
class Page:
    """Calls the functions of a chat as the app's page does."""

    chat: Chat
    values: ComponentValues
    client: FunctionClient
    context: CallContext

    def load(self) -> Plan:
        """Run what the page runs when it opens; the chat may do without what fails."""
        for function in self.chat.loads:
            try:
                yield from self.call(function)
            except APIError as error:
                yield Progress("load_failed", f"what the page runs when it opens failed: {error}")

    def call(self, function: Function) -> Plan:
        """Run ``function`` with what the earlier ones returned."""
        collector = OutputCollector()
        inputs = self.values.inputs_of(function)
        yield from self.client.call(function, inputs, collector, self.context)
        self.values.apply(function, collector.outputs)

    def differ(self, tags: Sequence[tuple[str, str]]) -> AnswerDiffer:
        """What reads the answer; ``tags`` begin and end its reasoning."""
        chat, files = self.chat, f"{self.client.api}/file="
        if chat.chatbot is None:
            return AnswerDiffer(read_output, chat.output, files, tags=tags)
        before: JSON = self.values.get(chat.chatbot)
        has_prompt = any(chat.shown.id in function.outputs for function in chat.preparation)
        find = ChatbotReader(before, has_prompt=has_prompt)
        return AnswerDiffer(find, chat.output, files, before, tags)

    def answer(self, differ: AnswerDiffer) -> Plan:
        """Answer, and run what follows: it may change the answer, its failure does not."""
        shown = self.chat.shown.id
        changing = [f for f in self.chat.followers if shown in f.outputs]
        differ.goes_on = bool(changing)
        yield from self._answer(self.chat.answer, differ)
        for function in self.chat.followers if differ.outputs is not None else ():
            try:
                if function in changing:
                    output, goes_on = function.outputs.index(shown), function is not changing[-1]
                    differ.follow(output, goes_on=goes_on)
                    yield from self._answer(function, differ)
                else:
                    yield from self.call(function)
            except APIError as error:
                text = f"what the page runs after the answer failed: {error}"
                yield Progress("follow_up_failed", text)
        if not differ.ended:
            yield from differ.end()

    def _answer(self, function: Function, differ: AnswerDiffer) -> Plan:
        inputs = self.values.inputs_of(function)
        yield from self.client.call(function, inputs, differ, self.context)
        self.values.apply(function, differ.outputs or [])
