"""What a chat can be given: values for its settings, a choice of models, kinds of files.

LangChain's parameters belong to the input with a fitting label. A file that the app would
refuse, or drop without an error, is refused before anything is sent.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import JSON
from langchain_g4f.errors import ConfigurationError, MediaTooLargeError, UnsupportedMediaError
from langchain_g4f.providers.gradio_space.app import BOXES, App, Component, keyword
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.discovery import find_chat

_FAMILIES = ("image", "audio", "video", "pdf")

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


def find_setting(settings: list[Component], parameter: str) -> Component | None:
    """The input for ``parameter``, found by its label or a part of the label."""
    label, types = _LABELS[parameter], _TYPES.get(parameter, _NUMBERS)
    found = [
        (part, component)
        for component in settings
        if component.type in types
        for part, name in enumerate(_names(component))
        if re.fullmatch(label, name)
    ]
    return min(found, key=lambda each: each[0] > 0)[1] if found else None


def _names(component: Component) -> list[str]:
    """The label in snake case, then its parts: ``Top-p (nucleus sampling)`` has two."""
    parts = re.split(r"[()\[\]{}:|/,]|\s[-\u2013\u2014]\s", component.label)
    return [component.name, *filter(None, map(keyword, parts))]


def models_of(app: App, config: SpaceConfig) -> list[str]:
    """The models that the chat lets its users select; empty without such an input."""
    try:
        settings = find_chat(app, config.api_name).settings(app)
    except ConfigurationError:
        return []
    component = find_setting(settings, "model")
    return [str(choice) for choice in component.choices] if component else []


def input_modalities(app: App, config: SpaceConfig) -> frozenset[str]:
    """Which of image, audio, video and pdf can be sent with a message."""
    try:
        box = find_chat(app, config.api_name).box
    except ConfigurationError:
        return frozenset()
    if box.type != BOXES[0]:
        return frozenset()
    if config.file_types:
        types = list(config.file_types)
    else:
        kinds = _file_types(box)
        if not kinds or "file" in kinds:
            return frozenset(_FAMILIES)
        types = [f"{kind} {mimetypes.guess_type(f'x{kind}')[0]}" for kind in kinds]
    return frozenset(family for family in _FAMILIES if any(family in each for each in types))


def check_file_types(messages: Sequence[Message], config: SpaceConfig) -> None:
    """Refuse files that the Space is known not to accept, before anything is sent.

    Raises:
        UnsupportedMediaError: There is such a file.
    """
    for file in (file for message in messages for file in message.media):
        if config.file_types and isinstance(file, Media) and not _has_prefix(file, config):
            raise _not_accepted(file, config.file_types)


def check_files(
    files: Sequence[Media], box: Component, app: App, config: SpaceConfig, context: CallContext
) -> None:
    """Refuse files that the message box does not accept.

    Raises:
        UnsupportedMediaError: The app accepts no files, or not this type or number.
        MediaTooLargeError: A file is larger than the app accepts.
    """
    if files and box.type != BOXES[0]:
        raise UnsupportedMediaError(
            "the app takes text only: its message box has no place for files"
        )
    if len(files) > 1 and box.props.get("file_count") == "single":
        raise UnsupportedMediaError(f"the app takes one file in a message, not {len(files)}")
    limit = context.limits.sizes.attachment
    limit = min(limit, app.max_file_size or limit)
    for file in files:
        if not (_has_prefix(file, config) if config.file_types else _is_accepted(file, box)):
            raise _not_accepted(file, config.file_types or _file_types(box))
        if len(file.data) > limit:
            raise MediaTooLargeError(
                f"{file.name} has {len(file.data)} bytes, the limit is {limit}"
            )


def _file_types(box: Component) -> list[JSON]:
    types = box.props.get("file_types")
    return types if isinstance(types, list) else []


def _not_accepted(file: Media, types: Sequence[JSON]) -> UnsupportedMediaError:
    accepted = ", ".join(map(str, types))
    return UnsupportedMediaError(f"the app takes {accepted}, not {file.mime_type} ({file.name})")


def _has_prefix(file: Media, config: SpaceConfig) -> bool:
    """Whether the Space takes the type; SVG may hold scripts, and does not count as an image."""
    return file.mime_type.startswith(config.file_types) and file.mime_type != "image/svg+xml"


def _is_accepted(file: Media, box: Component) -> bool:
    types = {str(kind).lower() for kind in _file_types(box)}
    if not types or "file" in types:
        return True
    family = file.mime_type.partition("/")[0]
    endings = mimetypes.guess_all_extensions(file.mime_type)
    ending = "." + file.name.lower().rpartition(".")[2]
    return not types.isdisjoint({family, f"{family}/*", file.mime_type, ending, *endings})
