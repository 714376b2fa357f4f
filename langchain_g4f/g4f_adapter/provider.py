"""What a provider class says about itself, its models, and how it may be called.

A provider is a class that is used without an instance, or an instance with the same methods
(docs/protocols/g4f-provider-interface.md, sections 1 and 3). Any attribute may be missing, so each
has a default. Providers change their attributes, so each is read when it is needed. Nothing is
ever written to them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from operator import attrgetter
from typing import Any, Generic, TypeVar

from langchain_g4f.errors import ConfigurationError, MissingDependencyError, StreamError
from langchain_g4f.g4f_adapter.errors import translated

Provider = Any
"""Another project's class or instance, known by its attributes."""
T = TypeVar("T")

ENTRY_POINTS = ("create_async_generator", "create_async", "create_completion")
"""Methods that give an answer; `Facts.entry` chooses one."""
_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def load(given: object) -> Provider:
    """The provider itself, or the one that ``"module:Name"`` names.

    Raises:
        ConfigurationError: It cannot be imported, or has no entry point.
        APIError: It asked its service while it was imported, and that failed.
    """
    provider = _imported(given) if isinstance(given, str) else given
    if not any(callable(getattr(provider, name, None)) for name in ENTRY_POINTS):
        msg = f"provider: {_name(provider)} has none of {', '.join(ENTRY_POINTS)}"
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
    """The result of ``get``, which imports a provider; its module may raise anything.

    Args:
        name: Name of the provider, for errors.
        get: Imports it.

    Raises:
        ConfigurationError: It cannot be imported.
        APIError: It asked its service while it was imported, and that failed.
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
    raise failure  # outside of `except`: the original must not become its context


def _name(provider: Provider) -> str:
    own = getattr(provider, "__name__", None)
    return own if isinstance(own, str) else type(provider).__name__


class _Attribute(Generic[T]):
    """An attribute of a provider, read at each access and converted to one type."""

    def __init__(self, name: str, convert: Callable[[Any], T], default: object = None) -> None:
        self._name, self._convert, self._default = name, convert, default

    def __get__(self, facts: Facts, owner: type[Facts]) -> T:
        return self._convert(getattr(facts.provider, self._name, self._default))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[str]:
    if isinstance(value, Mapping | Sequence | set) and not isinstance(value, str):
        return [str(each) for each in value]
    return []


def _aliases(value: object) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        return {}
    return {str(n): list(t) if isinstance(t, list | tuple) else [t] for n, t in value.items()}


class Function:
    """A function of a provider, and what its signature says of the arguments that it takes.

    Attributes:
        parameters: The parameters that it names.
        takes_anything: Whether it takes any others, or has no signature.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call
        self._signature: inspect.Signature | None = None
        self.parameters: dict[str, inspect.Parameter] = {}
        self.takes_anything = True
        with suppress(TypeError, ValueError):  # it has no signature
            self._signature = inspect.signature(call)
            found = self._signature.parameters
            self.parameters = {n: p for n, p in found.items() if p.kind not in _VARIADIC}
            self.takes_anything = any(p.kind is p.VAR_KEYWORD for p in found.values())

    def takes(self, name: str) -> bool:
        """Whether it can be given a parameter of this name."""
        return self.takes_anything or name in self.parameters

    def check(self, provider: str, arguments: Mapping[str, Any]) -> None:
        """Refuse a call that it cannot take.

        Raises:
            ConfigurationError: It demands other arguments, or an instance.
        """
        if self._signature is None:
            return
        try:
            self._signature.bind("model", [], **arguments)
        except TypeError as error:
            name = f"{provider}.{getattr(self.call, '__name__', 'call')}()"
            msg = f"{name} cannot be called with model, messages and what was given: {error}"
            if next(iter(self._signature.parameters), "") == "self":
                msg = f"{name} is a method of instances: give an instance as provider="
            raise ConfigurationError(msg) from None


@dataclass(frozen=True)
class Facts:
    """What a provider says about itself.

    Attributes:
        provider: The class or instance.
        url: Address of the service, for people.
        working: Whether the provider claims to work.
        needs_auth: Whether it needs credentials.
        streams: Whether it can give its answer in pieces.
        takes_system: Whether it takes system messages.
        takes_history: Whether it takes more than one message.
        has_tools: Whether its service calls tools itself.
        default_model: Model it asks if none is named.
        default_vision_model: The same, for a question with a picture.
        aliases: Its models by their other names.
    """

    provider: Provider

    url = _Attribute("url", _text)
    working = _Attribute("working", bool, default=True)
    needs_auth = _Attribute("needs_auth", bool)
    streams = _Attribute("supports_stream", bool, default=True)
    takes_system = _Attribute("supports_system_message", bool)
    takes_history = _Attribute("supports_message_history", bool)
    has_tools = _Attribute("supports_native_tools", bool)
    default_model = _Attribute("default_model", _text)
    default_vision_model = _Attribute("default_vision_model", _text)
    aliases = _Attribute("model_aliases", _aliases)
    _label = _Attribute("label", _text)

    @property
    def name(self) -> str:
        """Name of the class."""
        return _name(self.provider)

    @property
    def label(self) -> str:
        """Name of the service, for people."""
        return self._label or self.name

    def _models_in(self, *attributes: str) -> list[str]:
        lists = (_list(getattr(self.provider, name, None)) for name in attributes)
        return list(dict.fromkeys(model for models in lists for model in models))

    @property
    def models(self) -> list[str]:
        """Models that its attributes list."""
        return self._models_in(
            "models", "image_models", "vision_models", "video_models", "audio_models"
        )

    @property
    def takes_media(self) -> bool:
        """Whether it may take pictures or sound."""
        if "media" in self.parameters:
            return True
        sees = self._models_in("vision_models", "image_models") or self.default_vision_model
        return bool(sees) and self.takes_anything

    @property
    def authed(self) -> Function | None:
        """The entry point that takes credentials as they are."""
        found = getattr(self.provider, "create_authed", None)
        return Function(found) if callable(found) else None

    @property
    def entry(self) -> Function:
        """The entry point that the class, or its nearest base, defines.

        The bases of the older generation have wrappers under the other names.
        """
        return Function(getattr(self.provider, self._entry_name()))

    @property
    def blocks(self) -> bool:
        """Whether the entry point is the one that may block."""
        return self._entry_name() == "create_completion"

    def _entry_name(self) -> str:
        names = (name for name in ENTRY_POINTS if callable(getattr(self.provider, name, None)))
        return min(names, key=self._distance)

    def _distance(self, name: str) -> int:
        """How many classes up an attribute is defined."""
        kind = self.provider if isinstance(self.provider, type) else type(self.provider)
        has = [name in getattr(each, "__dict__", ()) for each in (self.provider, *kind.__mro__)]
        return has.index(True) if True in has else len(has)

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Parameters that the entry points name, without model and messages."""
        found = (self.authed.parameters if self.authed else {}) | self.entry.parameters
        return {n: p for n, p in found.items() if n not in ("model", "messages", "self", "cls")}

    @cached_property
    def takes_anything(self) -> bool:
        """Whether it takes parameters that it does not name, and may ignore them."""
        return self.entry.takes_anything

    def supports(self, name: str) -> bool | None:
        """Whether it has a parameter; None if it does not say."""
        if name in self.parameters:
            return True
        return None if self.takes_anything else False


def listed_models(
    facts: Facts, credentials: Mapping[str, Any], secrets: Sequence[str] = ()
) -> list[str]:
    """The models a provider lists; its default, if it lists none.

    Args:
        facts: The provider.
        credentials: Arguments with which it may ask its service.
        secrets: Texts that no error may quote.

    Raises:
        G4FError: Its service could not be asked.
    """
    default = [facts.default_model] if facts.default_model else []
    ask = getattr(facts.provider, "get_models", None)
    if not callable(ask):
        return facts.models or default
    takes = Function(ask).takes
    given = {n: v for n, v in credentials.items() if v is not None and takes(n)}
    try:
        return _list(_awaited(ask(**given))) or default
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- a provider may raise anything
        failure = translated(error, facts.name, secrets=secrets)
    raise failure  # outside of `except`: the original must not become its context


def _awaited(found: Any) -> Any:
    if not inspect.isawaitable(found):
        return found

    async def wait() -> Any:
        return await found

    with ThreadPoolExecutor(1) as pool:  # an event loop may be running here
        return pool.submit(asyncio.run, wait()).result()


def find_model(facts: Facts, name: str, models: Callable[[], list[str]]) -> str:
    """The provider's name for a model; an unknown one stays as it is.

    Args:
        facts: The provider.
        name: The caller's name for it; empty or ``"auto"`` for the default.
        models: Lists the models.
    """
    if name in ("", "auto"):
        name = facts.default_model or name
    if found := facts.aliases.get(name):
        return found[0]
    known = models()
    if name in known:
        return name
    if name in ("", "auto"):
        return next((each for each in known if each == "auto" or each.endswith("/free")), name)
    return next((each for each in known if each.lower().endswith(name.lower())), name)


__all__ = ["ENTRY_POINTS", "Facts", "find_model", "listed_models", "load", "loaded", "reference"]
