"""What a chat can be given: values for its settings, a choice of models, kinds of files.

LangChain's parameters belong to the input with a fitting label. A file that the app would
refuse, or drop without an error, is refused before anything is sent.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Sequence
from contextlib import suppress

from langchain_g4f.core.chat_request import Media, Message
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import JSON
from langchain_g4f.core.plan import PlanOf
from langchain_g4f.errors import ConfigurationError, MediaTooLargeError, UnsupportedMediaError
from langchain_g4f.providers.gradio_space.app import FILE_BOX, MEDIA, App, Component
from langchain_g4f.providers.gradio_space.client import FunctionClient
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.discovery import Chat, find_chat
from langchain_g4f.providers.gradio_space.page import ComponentValues, Page
from langchain_g4f.providers.gradio_space.settings import find_setting
from langchain_g4f.providers.gradio_space.space import with_parameter_names

_FAMILIES = ("image", "audio", "video", "pdf")
_NO_TITLE = "Gradio"
"""Title of an app to which its author gave none."""
_SINGLE = ("image", "imageeditor", "audio", "video")
"""Types of the components that hold one file."""


def describe(app: App, config: SpaceConfig, context: CallContext) -> PlanOf[str]:
    """The version of Gradio, and a line for each input of the chat that can be set."""
    if app is config.fallback_app:
        return "Gradio"
    app = yield from with_parameter_names(app, config, context)
    lines = [f"Gradio {app.version}"]
    with suppress(ConfigurationError):
        for each in find_chat(app, config.api_name).settings(app):
            value = json.dumps(each.value, ensure_ascii=False)
            choices = (
                f", one of {json.dumps(each.choices, ensure_ascii=False)}" if each.choices else ""
            )
            lines.append(f"input {each.name}: {each.type}, {value} by default{choices}")
    return "\n".join(lines)


def models_of(app: App, config: SpaceConfig, context: CallContext) -> PlanOf[list[str]]:
    """The models that users of the app choose from, or what the Space is called.

    Raises:
        ConfigurationError: The app has several chats.
    """
    values = ComponentValues(app, chat := find_chat(app, config.api_name), {})
    model = find_setting(values.settings, "model")
    if model is not None and any(model.id in function.outputs for function in chat.loads):
        session = context.new_id().replace("-", "")
        client = FunctionClient(config.api(app), session, chat.trigger, config.headers, {})
        yield from Page(chat, values, client, context).load()
        model = find_setting(values.settings, "model")
    title = "" if app.title == _NO_TITLE else app.title
    name = app.space_id or config.space or title
    choices = [str(choice) for choice in model.choices] if model else []
    return choices or ([name] if name else [])


def input_modalities(app: App, config: SpaceConfig) -> frozenset[str]:
    """Which of image, audio, video and pdf can be sent with a message."""
    try:
        chat = find_chat(app, config.api_name)
    except ConfigurationError:
        return frozenset()
    takers = _takers(chat, app)
    kinds = [config.file_types or _file_types(component) for component in takers]
    if any(not each or "file" in each for each in kinds):
        return frozenset(_FAMILIES)
    types = [f"{k} {mimetypes.guess_type(f'x{k}')[0]}" for each in kinds for k in map(str, each)]
    return frozenset(family for family in _FAMILIES if any(family in each for each in types))


def check_file_types(messages: Sequence[Message], config: SpaceConfig) -> None:
    """Refuse files that the Space is known not to accept, before anything is sent.

    Raises:
        UnsupportedMediaError: There is such a file.
    """
    for file in (file for message in messages for file in message.media):
        if config.file_types and isinstance(file, Media) and not _has_prefix(file, config):
            raise _not_accepted(file, config.file_types)


def inputs_for(
    files: Sequence[Media], chat: Chat, app: App, config: SpaceConfig, context: CallContext
) -> list[tuple[Component, list[Media]]]:
    """The inputs that take ``files``: the message box, or else the only one that fits each.

    Raises:
        UnsupportedMediaError: The app accepts no files, or not this type or number.
        MediaTooLargeError: A file is larger than the app accepts.
    """
    found: dict[int, tuple[Component, list[Media]]] = {}
    for file in files:
        taker = _taker(file, _takers(chat, app), config)
        found.setdefault(taker.id, (taker, []))[1].append(file)
    for component, its_files in found.values():
        check_files(its_files, component, app, config, context)
    return [*found.values()]


def _takers(chat: Chat, app: App) -> list[Component]:
    """The inputs that take files: the message box, or else those beside it."""
    if chat.box.type == FILE_BOX:
        return [chat.box]
    settings = (each for each in chat.settings(app) if each.type in MEDIA)
    return [each for each in settings if each.props.get("interactive") is not False]


def _taker(file: Media, takers: Sequence[Component], config: SpaceConfig) -> Component:
    if not takers:
        raise UnsupportedMediaError(
            "the app takes text only: neither its message box nor an input has a place for files"
        )
    fitting = [each for each in takers if _is_accepted(file, each, config)]
    if not fitting:
        raise _not_accepted(
            file, config.file_types or [kind for each in takers for kind in _file_types(each)]
        )
    special = [each for each in fitting if MEDIA.get(each.type)] or fitting
    if len(special) > 1:
        names = ", ".join(repr(each.name) for each in special)
        raise UnsupportedMediaError(
            f"several inputs of the app take {file.mime_type}: {names};"
            " name one with inputs={name: Path(...)}"
        )
    return special[0]


def check_files(
    files: Sequence[Media],
    component: Component,
    app: App,
    config: SpaceConfig,
    context: CallContext,
) -> None:
    """Refuse files that ``component`` does not accept.

    Raises:
        UnsupportedMediaError: It takes no files, or not this type or number.
        MediaTooLargeError: A file is larger than the app accepts.
    """
    if files and component.type not in (FILE_BOX, *MEDIA):
        raise UnsupportedMediaError(f"the input {component.name!r} takes no files")
    is_single = component.type in _SINGLE or component.props.get("file_count") == "single"
    if len(files) > 1 and is_single:
        raise UnsupportedMediaError(f"the app takes one file in a message, not {len(files)}")
    limit = context.limits.sizes.attachment
    limit = min(limit, app.max_file_size or limit)
    for file in files:
        if not _is_accepted(file, component, config):
            raise _not_accepted(file, config.file_types or _file_types(component))
        if len(file.data) > limit:
            raise MediaTooLargeError(
                f"{file.name} has {len(file.data)} bytes, the limit is {limit}"
            )


def _file_types(component: Component) -> list[JSON]:
    family, types = MEDIA.get(component.type), component.props.get("file_types")
    return [family] if family else types if isinstance(types, list) else []


def _not_accepted(file: Media, types: Sequence[JSON]) -> UnsupportedMediaError:
    accepted = ", ".join(map(str, types))
    return UnsupportedMediaError(f"the app takes {accepted}, not {file.mime_type} ({file.name})")


def _has_prefix(file: Media, config: SpaceConfig) -> bool:
    """Whether the Space takes the type; SVG may hold scripts, and does not count as an image."""
    return file.mime_type.startswith(config.file_types) and file.mime_type != "image/svg+xml"


def _is_accepted(file: Media, component: Component, config: SpaceConfig) -> bool:
    if config.file_types:
        return _has_prefix(file, config)
    types = {str(kind).lower() for kind in _file_types(component)}
    if not types or "file" in types:
        return True
    family = file.mime_type.partition("/")[0]
    endings = mimetypes.guess_all_extensions(file.mime_type)
    ending = "." + file.name.lower().rpartition(".")[2]
    return not types.isdisjoint({family, f"{family}/*", file.mime_type, ending, *endings})
