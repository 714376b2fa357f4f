"""Retry families: instances with the methods of a class, that ask one provider after another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from tests.g4f_standins import errors
from tests.g4f_standins.responses_old import ProviderInfo


class IterListProvider:
    """The newer one: in order; after content an error is final."""

    yields_errors = False
    family = errors.NEW

    def __init__(self, providers: Sequence[Any]) -> None:
        self.providers = providers
        self.supports_message_history = self.supports_system_message = True

    def candidates(self) -> Sequence[Any]:
        """Whom to ask, one after another."""
        return self.providers

    def is_final(self, started: bool) -> bool:
        """Whether an error ends it."""
        return started

    async def create_async_generator(
        self, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        failed: list[Exception] = []
        for provider in self.candidates():
            name = provider.__name__
            yield ProviderInfo(name=name, url="", label=name, model=model or provider.default_model)
            started = False
            try:
                async for each in provider.create_async_generator(model, messages, **kwargs):
                    started = started or isinstance(each, str)
                    yield each
            except Exception as error:
                if self.is_final(started):
                    raise
                failed.append(error)
                if self.yields_errors:
                    yield error
            else:
                if started:
                    return
        if len(failed) == 1 and not self.yields_errors:
            raise failed[0]
        if failed:
            said = "\n".join(f"{type(each).__name__}: {each}" for each in failed)
            raise self.family["RetryProviderError"](f"RetryProvider failed:\n{said}")
        raise self.family["RetryNoProviderError"]("No provider found")


class OldIterListProvider(IterListProvider):
    """The older one yields the errors of candidates."""

    yields_errors = True
    family = errors.OLD


class RetryProvider(IterListProvider):
    """The first provider again and again, also after text was sent."""

    def candidates(self) -> Sequence[Any]:
        return [self.providers[0]] * 3

    def is_final(self, started: bool) -> bool:
        return False


class RotatedProvider(IterListProvider):
    """Round robin: one failure moves on."""

    def __init__(self, providers: Sequence[Any]) -> None:
        super().__init__(providers)
        self.at = 0

    def candidates(self) -> Sequence[Any]:
        at = self.at
        self.at += 1
        return [self.providers[(at + n) % len(self.providers)] for n in range(len(self.providers))]


class AnyProvider:
    """A class that picks by the name of the model."""

    routes: dict[str, Any] = {}  # noqa: RUF012 -- as it is there
    supports_message_history = True

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        found = IterListProvider([cls.routes[model]])
        async for each in found.create_async_generator(model, messages, **kwargs):
            yield each
