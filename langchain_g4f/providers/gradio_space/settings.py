"""Which input of an app is meant by a parameter of LangChain, judged by its names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from langchain_g4f.providers.gradio_space.app import Component, keyword

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
    # no further words: many apps have a "top k" of retrieved documents
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
"""Types of components that hold a value for it; a checkbox "Random seed" holds no seed."""


def find_setting(settings: Iterable[Component], parameter: str) -> Component | None:
    """The input for ``parameter``, found by one of its names or a part of the label."""
    label, types = _LABELS[parameter], _TYPES.get(parameter, _NUMBERS)
    found = [
        (part, component)
        for component in settings
        if component.type in types
        for part, name in enumerate(_names(component))
        if re.fullmatch(label, name)
    ]
    return min(found, key=lambda each: each[0] > 0)[1] if found else None


def named_setting(settings: Iterable[Component], name: str) -> Component | None:
    """The input that ``name`` names: by label, parameter, ``elem_id`` or placeholder."""
    for component in settings:
        if name and (name == component.name or keyword(name) in component.names):
            return component
    return None


def _names(component: Component) -> list[str]:
    """Its names, then the parts of its label: ``Top-p (nucleus sampling)`` has two."""
    parts = re.split(r"[()\[\]{}:|/,]|\s[-\u2013\u2014]\s", component.label)
    return [*component.names, *filter(None, map(keyword, parts))]
