"""What the functions of a chat are given (docs/protocols/gradio-space.md, sections 7 and 8).

Every input of every function has a value: the message, the history, null for what the
server keeps, and for the app's own settings their defaults or what the caller wants.
LangChain's parameters are set where a label says so; the rest goes by name.
"""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING

from langchain_g4f.errors import ConfigurationError, ModelNotFoundError
from langchain_g4f.providers.gradio_space.app import keyword
from langchain_g4f.providers.gradio_space.content import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_g4f.core.http import JSON
    from langchain_g4f.providers.gradio_space.app import App, Component, Function
    from langchain_g4f.providers.gradio_space.discovery import Chat

STANDARD = ("temperature", "max_tokens", "top_p", "top_k", "seed")
"""Parameters that many apps have an input for."""

_ANSWER = r"(?:new|output|response|generated|generation|completion|answer|reply)"
_LABELS = {
    "temperature": r"(?:(?:sampling|model|generation|llm)_)?temp(?:erature)?(?:_value)?",
    "max_tokens": (
        rf"max(?:imum)?_?(?:(?:number|amount|no)_of_|num_)?(?:{_ANSWER}_?)*(?:tokens?|length)"
        rf"(?:_(?:to_)?(?:generate|produce|output|count|limit)"
        rf"|_(?:in|of|per)_(?:the_)?{_ANSWER})?"
        rf"|(?:number_of_|num_)?(?:{_ANSWER}_tokens|tokens_to_generate)"
        rf"|{_ANSWER}_length|token_limit"
    ),
    "top_p": r"top_?p(?:_.*)?|nucleus(?:_.*)?",
    # not any more words: many apps have such an input for what they look up
    "top_k": r"top_?k(?:_(?:value|sampling|filtering|tokens?))?",
    "seed": r"(?:(?:random|rng|manual|sampling|generation)_)*seed(?:_(?:value|number))?",
    "system": (
        r"(?:(?:custom|optional|enter|set|edit|your|the|an?|initial|default|chatbot|bot|assistant"
        r"|ai|model|llm)_)*sys(?:tem)?(?:_?(?:prompt|message|instructions?|text|context|role))*"
        r"|custom_instructions?"
    ),
    "model": (
        r"(?:(?:choose|select|pick|which|your|an?|the|chat|language|llm|ai|base|current)_)*"
        r"(?:model|llm)s?(?:_(?:name|id|choice|selection|selector|to_use))*"
    ),
}
_NUMBERS = ("slider", "number", "textbox", "dropdown", "radio")
_TYPES = {
    "system": ("textbox",),
    "model": ("dropdown", "radio", "textbox"),
}
"""What such an input is; a checkbox "Random seed" is no seed."""


def setting(extras: list[Component], parameter: str) -> Component | None:
    """The input that ``parameter`` sets, by its label or the label's parts."""
    label, types = _LABELS[parameter], _TYPES.get(parameter, _NUMBERS)
    found = [
        (part, component)
        for component in extras
        if component.type in types
        for part, name in enumerate(_names(component))
        if re.fullmatch(label, name)
    ]
    return min(found, key=lambda each: each[0] > 0)[1] if found else None


def _names(component: Component) -> list[str]:
    """The whole label as a keyword, then its parts: ``Top-p (nucleus sampling)`` is two."""
    parts = re.split(r"[()\[\]{}:|/,]|\s[-\u2013\u2014]\s", component.label)
    return [component.name, *filter(None, map(keyword, parts))]


class Values:
    """What every component holds in the course of a call, as a browser's page would.

    Args:
        app: The app.
        chat: The chat in it.
    """

    def __init__(self, app: App, chat: Chat) -> None:
        self._app = app
        self._extras = chat.extras(app)
        taken = (app.components[id_] for function in chat.functions for id_ in function.inputs)
        self._values: dict[int, JSON] = {c.id: c.props.get("value") for c in taken}

    def put(self, component: Component, value: JSON) -> None:
        """Let ``component`` hold ``value``."""
        self._values[component.id] = value

    def get(self, component: Component) -> JSON:
        """What ``component`` holds."""
        return self._values.get(component.id)

    def of(self, function: Function) -> list[JSON]:
        """The inputs of ``function``; what the server keeps itself is null."""
        return [
            None if self._app.components[id_].type == "state" else self._values.get(id_)
            for id_ in function.inputs
        ]

    def take(self, function: Function, data: list[JSON]) -> None:
        """Keep the outputs of ``function``."""
        for id_, value in zip(function.outputs, data, strict=False):
            self._values[id_] = shown(value, self._values.get(id_))

    def set_all(self, given: Mapping[str, object], parameters: Mapping[str, object]) -> None:
        """Set the app's own inputs.

        Args:
            given: By label or name of an input.
            parameters: LangChain's, by name; those that are None are left alone.

        Raises:
            ConfigurationError: There is no such input, or it does not take the value.
        """
        for name, value in parameters.items():
            if value is None:
                continue
            component = setting(self._extras, name)
            if component is None:
                warnings.warn(f"the app has no input for {name!r}: it is ignored", stacklevel=2)
            else:
                self._set(component, value)
        for name, value in given.items():
            self._set(self._named(name), value)

    def set_system(self, text: str) -> bool:
        """Give the system prompt to the input that is there for it, if one is."""
        component = setting(self._extras, "system")
        if component is not None and text:
            self.put(component, text)
        return component is not None

    def set_model(self, model: str) -> None:
        """Choose the model.

        Raises:
            ModelNotFoundError: The app does not offer it.
        """
        component = setting(self._extras, "model")
        if component is None or _problem(component, model):
            names = [str(c) for c in component.choices] if component else [self._app.space]
            known = ", ".join(filter(None, names)) or "one, without a name"
            msg = f"the app has no model {model!r}; it has: {known}"
            raise ModelNotFoundError(msg)
        self.put(component, model)

    def _named(self, name: str) -> Component:
        for component in self._extras:
            if name and name in (component.label, component.name):
                return component
        names = ", ".join(repr(component.name) for component in self._extras) or "none"
        msg = f"inputs: the app has no input {name!r}; its inputs are: {names}"
        raise ConfigurationError(msg)

    def _set(self, component: Component, value: object) -> None:
        problem = _problem(component, value)
        if problem:
            msg = f"inputs: {component.name!r} {problem}"
            raise ConfigurationError(msg)
        self.put(component, value)  # type: ignore[arg-type]  # a problem where it is no JSON


def _problem(component: Component, value: object) -> str:
    """Why ``component`` cannot hold ``value``; empty if it can."""
    if not _is_json(value):
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


def _is_json(value: object) -> bool:
    """Whether it can be sent; what is no number, or half a character, cannot."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


__all__ = ["STANDARD", "Values", "setting"]
