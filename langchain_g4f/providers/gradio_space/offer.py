"""What an app offers: models to choose from, kinds of files it takes."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.gradio_space.app import BOXES
from langchain_g4f.providers.gradio_space.discovery import find_chat
from langchain_g4f.providers.gradio_space.inputs import setting

if TYPE_CHECKING:
    from langchain_g4f.providers.gradio_space.app import App
    from langchain_g4f.providers.gradio_space.discovery import Chat
    from langchain_g4f.providers.gradio_space.where import Where

_FAMILIES = ("image", "audio", "video", "pdf")


def models_of(app: App, where: Where) -> list[str]:
    """The models that the chat's users choose from; empty where there is no choice."""
    chat = _chat(app, where)
    component = setting(chat.extras(app), "model") if chat else None
    return [str(choice) for choice in component.choices] if component else []


def takes_of(app: App, where: Where) -> frozenset[str]:
    """Which of image, audio, video and pdf can go with a message."""
    chat = _chat(app, where)
    if chat is None or chat.box.type != BOXES[0]:
        return frozenset()
    if where.takes:
        return frozenset(f for f in _FAMILIES if any(f in kind for kind in where.takes))
    kinds = chat.box.props.get("file_types")
    if not isinstance(kinds, list) or not kinds or "file" in kinds:
        return frozenset(_FAMILIES)
    types = [f"{kind} {mimetypes.guess_type(f'x{kind}')[0]}" for kind in kinds]
    return frozenset(f for f in _FAMILIES if any(f in each for each in types))


def _chat(app: App, where: Where) -> Chat | None:
    try:
        return find_chat(app, where.api_name)
    except ConfigurationError:
        return None


__all__ = ["models_of", "takes_of"]
