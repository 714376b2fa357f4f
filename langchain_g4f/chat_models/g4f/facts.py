"""What a provider class says of itself, and how it may be called.

A provider is a class that is used without an instance, or an instance with the same methods
(docs/protocols/g4f-provider-interface.md, section 1). Any attribute may be missing, so each
is read with a default; nothing is ever written to the class.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from operator import attrgetter
from typing import Any

from langchain_g4f.chat_models.g4f.errors import translated
from langchain_g4f.errors import ConfigurationError, MissingDependencyError, StreamError

Provider = Any
"""A class or an instance of other people's, known by what it can do."""

ENTRY_POINTS = ("create_async_generator", "create_async", "create_completion")
"""Where an answer is asked for; which one counts says `Facts.entry`."""
AUTHED = "create_authed"

_POSITIONAL = ("model", "messages")


def load(given: object) -> Provider:
    """The provider that is meant: itself, or the one that ``"module:Name"`` names.

    Raises:
        ConfigurationError: There is none of that name, or it cannot answer.
        APIError: It asks its service when it is imported, which failed.
    """
    provider = _imported(given) if isinstance(given, str) else given
    if not any(callable(getattr(provider, name, None)) for name in ENTRY_POINTS):
        wanted = ", ".join(ENTRY_POINTS)
        msg = f"provider: {_name(provider)} has none of {wanted}"
        raise ConfigurationError(msg)
    return provider


def reference(provider: Provider) -> str | None:
    """``"module:Name"`` of a class that can be imported; None for anything else."""
    module, name = getattr(provider, "__module__", ""), getattr(provider, "__qualname__", "")
    if not (isinstance(provider, type) and module and name) or "<locals>" in name:
        return None
    return f"{module}:{name}"


def _imported(given: str) -> Provider:
    module, colon, name = given.partition(":")
    if not (module and colon and name):
        msg = f"provider: expected a class, an instance or 'module:Name', not {given!r}"
        raise ConfigurationError(msg)
    return loaded(given, lambda: attrgetter(name)(import_module(module)))


def loaded(name: str, get: Callable[[], Any]) -> Any:
    """What ``get`` gives; modules of providers may do anything when they are imported.

    Args:
        name: What is loaded, for errors.
        get: Loads it.

    Raises:
        ConfigurationError: It cannot be imported.
        APIError: It asks its service when it is imported, which failed.
    """
    try:
        return get()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- SystemExit, too
        failure = translated(error, name)
    if isinstance(failure, StreamError | MissingDependencyError):
        msg = f"provider: {name!r} cannot be imported: {failure}"
        raise ConfigurationError(msg) from failure.__cause__
    raise failure  # out here: it is not to have the original as its context


def _name(provider: Provider) -> str:
    own = getattr(provider, "__name__", None)
    return own if isinstance(own, str) else type(provider).__name__


@dataclass(frozen=True)
class Facts:
    """What is known of a provider."""

    provider: Provider

    def _read(self, name: str, default: Any) -> Any:
        return getattr(self.provider, name, default)

    def _text(self, name: str) -> str:
        found = self._read(name, "")
        return found if isinstance(found, str) else ""

    def _flag(self, name: str, *, default: bool = False) -> bool:
        return bool(self._read(name, default))

    def _list(self, name: str) -> list[str]:
        found = self._read(name, ())
        if isinstance(found, Mapping | Sequence | set) and not isinstance(found, str):
            return [str(each) for each in found]
        return []

    @property
    def name(self) -> str:
        """Of the class."""
        return _name(self.provider)

    @property
    def label(self) -> str:
        """For people."""
        return self._text("label") or self.name

    @property
    def url(self) -> str:
        """Where a person finds the service."""
        return self._text("url")

    @property
    def working(self) -> bool:
        """Whether it is said to work."""
        return self._flag("working", default=True)

    @property
    def needs_auth(self) -> bool:
        """Whether it wants to know who calls."""
        return self._flag("needs_auth")

    @property
    def streams(self) -> bool:
        """Whether it can give its answer in pieces."""
        return self._flag("supports_stream", default=True)

    @property
    def takes_system(self) -> bool:
        """Whether it takes system messages."""
        return self._flag("supports_system_message")

    @property
    def takes_history(self) -> bool:
        """Whether it takes more than one message."""
        return self._flag("supports_message_history")

    @property
    def has_tools(self) -> bool:
        """Whether it calls tools itself."""
        return self._flag("supports_native_tools")

    @property
    def default_model(self) -> str:
        """Whom it asks if nobody is named."""
        return self._text("default_model")

    @property
    def default_vision_model(self) -> str:
        """The same, for a question with a picture."""
        return self._text("default_vision_model")

    @property
    def aliases(self) -> dict[str, list[str]]:
        """Other names of its models."""
        found = self._read("model_aliases", None)
        if not isinstance(found, Mapping):
            return {}
        return {str(n): list(t) if isinstance(t, list | tuple) else [t] for n, t in found.items()}

    @property
    def models(self) -> list[str]:
        """Models that stand in its attributes."""
        names = ("models", "image_models", "vision_models", "video_models", "audio_models")
        return list(dict.fromkeys(name for attribute in names for name in self._list(attribute)))

    @property
    def takes_media(self) -> bool:
        """Whether it may take pictures or sound."""
        listed = self._list("vision_models") or self._list("image_models")
        seeing = bool(listed or self.default_vision_model) and self.takes_anything
        return "media" in self.parameters or seeing

    @property
    def authed(self) -> Callable[..., Any] | None:
        """The entry point that takes credentials as they are."""
        found = self._read(AUTHED, None)
        return found if callable(found) else None

    @property
    def entry(self) -> tuple[str, Callable[..., Any]]:
        """The entry point that counts, and its name: the nearest along the provider's classes.

        The bases of the older generation have wrappers by the other names.
        """
        found = {name: self._read(name, None) for name in ENTRY_POINTS}
        nearest = min((name for name in found if callable(found[name])), key=self._distance)
        return nearest, found[nearest]

    def _distance(self, name: str) -> int:
        """How far up the provider's classes an attribute is defined."""
        kind = self.provider if isinstance(self.provider, type) else type(self.provider)
        has = [name in getattr(each, "__dict__", ()) for each in (self.provider, *kind.__mro__)]
        return has.index(True) if True in has else len(has)

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What the entry points name, model and messages left out."""
        found: dict[str, inspect.Parameter] = {}
        for entry in (self.entry[1], self.authed):
            for name, parameter in (_signature(entry) or {}).items():
                if parameter.kind not in _VARIADIC and name not in (*_POSITIONAL, "self", "cls"):
                    found.setdefault(name, parameter)
        return found

    @cached_property
    def takes_anything(self) -> bool:
        """Whether it takes parameters that it does not name, and may ignore them."""
        return takes_anything(self.entry[1])


_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def takes_anything(entry: Callable[..., Any]) -> bool:
    """Whether a function takes keywords that it does not name."""
    signature = _signature(entry)
    if signature is None:  # it does not say
        return True
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.values())


def named_by(entry: Callable[..., Any]) -> set[str]:
    """The parameters that a function names."""
    return {n for n, p in (_signature(entry) or {}).items() if p.kind not in _VARIADIC}


def check_call(
    provider: str, entry: Callable[..., Any], model: str, given: Mapping[str, Any]
) -> None:
    """Refuse a call that a function cannot take.

    Raises:
        ConfigurationError: It demands other arguments, or an instance.
    """
    try:
        signature = inspect.signature(entry)
    except (TypeError, ValueError):  # it does not say
        return
    try:
        signature.bind(model, [], **given)
    except TypeError as error:
        name = f"{provider}.{getattr(entry, '__name__', 'call')}()"
        msg = f"{name} cannot be called with model, messages and what was given: {error}"
        if next(iter(signature.parameters), "") == "self":
            msg = f"{name} is a method of instances: give an instance as provider="
        raise ConfigurationError(msg) from None


def _signature(entry: Callable[..., Any] | None) -> Mapping[str, inspect.Parameter] | None:
    """The parameters of a function; None if it does not say."""
    if entry is None:
        return {}
    try:
        return inspect.signature(entry).parameters
    except (TypeError, ValueError):
        return None


__all__ = [
    "ENTRY_POINTS",
    "Facts",
    "Provider",
    "check_call",
    "load",
    "loaded",
    "named_by",
    "reference",
    "takes_anything",
]
