"""Provider classes of the older generation: wrappers by every name, and writes to the class."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

from tests.g4f_standins import errors, providers_new
from tests.g4f_standins.providers_new import StandIn


class ProviderModelMixin:
    """Models as they were looked up then."""

    default_model = ""
    models: ClassVar[list[str]] = []
    model_aliases: ClassVar[dict[str, str]] = {}
    last_model = ""

    @classmethod
    def get_models(cls, **_: Any) -> list[str]:
        return cls.models or [cls.default_model]

    @classmethod
    def get_model(cls, model: str, **_: Any) -> str:
        model = cls.model_aliases.get(model, model) or cls.default_model
        if cls.models and model not in cls.models:
            raise errors.OLD["ModelNotSupportedError"](f"Model is not supported: {model}")
        cls.last_model = model
        return model


class WithWrapper(StandIn):
    """A base with an async entry point around the iterator of whoever inherits it."""

    supports_stream = False

    @classmethod
    async def create_async(
        cls, model: str, messages: list[dict[str, Any]], *, timeout: float = 0, **kwargs: Any
    ) -> str:
        create: Any = getattr(cls, "create_completion")  # noqa: B009 -- not its own
        return await asyncio.to_thread(lambda: "".join(create(model, messages, **kwargs)))


class AbstractProvider(WithWrapper):
    """A plain iterator, which has to be told whether to stream."""

    supports_stream = True

    @classmethod
    def create_completion(
        cls, model: str, messages: list[dict[str, Any]], stream: bool, **kwargs: Any
    ) -> Iterator[Any]:
        cls.noted(model, messages, {**kwargs, "stream": stream})
        yield from cls.played()


class OwnAsync(AbstractProvider):
    """Has an async entry point of its own, beside the iterator it inherits."""

    @classmethod
    async def create_async(
        cls, model: str, messages: list[dict[str, Any]], *, timeout: float = 0, **kwargs: Any
    ) -> str:
        cls.noted(model, messages, kwargs)
        return "".join([each async for each in cls.aplayed()])


class WithWrappers(StandIn):
    """A base with wrappers by the other names around the generator of whoever inherits it."""

    @classmethod
    async def create_async(cls, model: str, messages: list[dict[str, Any]], **kwargs: Any) -> str:
        raise AssertionError("the generator has to win")

    @classmethod
    def create_completion(
        cls, model: str, messages: list[dict[str, Any]], stream: bool, **kwargs: Any
    ) -> Iterator[Any]:
        raise AssertionError("the generator has to win")

    @classmethod
    def get_async_create_function(cls) -> Any:
        raise AssertionError("the pickers are of one generation each")

    get_create_function = async_create_function = create_function = get_async_create_function


class AsyncGeneratorProvider(providers_new.AsyncGeneratorProvider, WithWrappers):
    """All three names; only its own one streams."""


class BlockingGenerator(StandIn):
    """An async generator that blocks."""

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> Any:
        cls.noted(model, messages, kwargs)
        for each in cls.played():
            yield each


def current_threads() -> set[str]:
    """The names of the threads that run a provider."""
    return {t.name for t in threading.enumerate() if t.name.startswith("langchain-g4f provider")}
