"""Chat models by the name of their provider."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from langchain_g4f.errors import ConfigurationError
from langchain_g4f.providers.registry import PROVIDERS

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F


def chat_model_class(name: str) -> type[BaseChatG4F]:
    """The class of a service's chat models; nothing is imported before it is asked for.

    Raises:
        ConfigurationError: No provider has that name.
    """
    if name not in PROVIDERS:
        msg = f"there is no provider {name!r}; there are: {', '.join(PROVIDERS)}"
        raise ConfigurationError(msg)
    row = PROVIDERS[name]
    found: type[BaseChatG4F] = getattr(import_module(row.module), row.chat_model)
    return found


def g4f_chat_model(name: str, *, providers: object = None, **settings: Any) -> BaseChatG4F:
    """A chat model by one string, ``"provider:model"``; the model may be left out.

    The provider is one of ours (``"huggingchat:omni"``), the name of a class of ``providers``,
    or where a class can be imported from (``"package.module:Name:model"``).

    Args:
        name: Provider and model.
        providers: A module or a mapping with provider classes by name. Without one, that of an
            installed g4f is looked at if the program has imported it.
        settings: Fields of the chat model.

    Raises:
        ConfigurationError: There is no such provider; the message has the names there are.
        APIError: It asks its service when it is named, which failed.
    """
    provider, _, model = name.partition(":")
    if "." in provider:
        class_name, _, model = model.partition(":")
        provider = f"{provider}:{class_name}"
    if model:
        settings.setdefault("model", model)
    if provider in PROVIDERS:
        return chat_model_class(provider)(**settings)
    from langchain_g4f.chat_models.g4f import ChatG4F

    if ":" in provider:
        return ChatG4F(provider=provider, **settings)
    known = sys.modules.get("g4f.Provider") if providers is None else providers
    found = _named(known, provider)
    if not _can_answer(found):
        there_are = ", ".join([*PROVIDERS, *_names(known)])
        msg = f"there is no provider {provider!r}; there are: {there_are}"
        raise ConfigurationError(msg)
    return ChatG4F(provider=found, **settings)


def _named(known: object, name: str) -> object:
    """What a module or a mapping has by that name.

    A module may load it only now; one that it does not list it may look for in the network.
    """
    if isinstance(known, Mapping):
        return known.get(name)
    listed = {*getattr(known, "__dict__", ()), *getattr(known, "__all__", ())}
    from langchain_g4f.g4f_adapter.provider import loaded

    return loaded(name, lambda: getattr(known, name, None)) if name in listed else None


def _names(known: object) -> list[str]:
    """The providers in a module or a mapping; what a module has not loaded is believed."""
    named = known if isinstance(known, Mapping) else getattr(known, "__dict__", {})
    later = [name for name in getattr(known, "__all__", ()) if name not in named]
    return [str(name) for name, each in named.items() if _can_answer(each)] + later


def _can_answer(found: object) -> bool:
    from langchain_g4f.g4f_adapter.provider import ENTRY_POINTS

    return any(callable(getattr(found, entry, None)) for entry in ENTRY_POINTS)


__all__ = ["chat_model_class", "g4f_chat_model"]
