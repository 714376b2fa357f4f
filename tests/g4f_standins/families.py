"""Error classes of both generations, providers that ask others, and providers with a login."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.g4f_standins.providers import StandIn
from tests.g4f_standins.responses import AuthResult, ProviderInfo, RequestLogin

# -- errors ----------------------------------------------------------------------------------------


def family(root: str, children: dict[str, str]) -> dict[str, type[Exception]]:
    """Classes by name, each under the parent that is named."""
    found: dict[str, type[Exception]] = {root: type(root, (Exception,), {})}
    for name, parent in children.items():
        found[name] = type(name, (found[parent],), {})
    return found


_PLAIN = (
    *("ProviderNotFoundError", "ProviderNotWorkingError", "StreamNotSupportedError"),
    *("ModelNotFoundError", "ModelNotAllowedError", "ModelNotSupportedError"),
    *("MissingRequirementsError", "RetryProviderError", "RetryNoProviderError"),
    *("VersionNotFoundError", "MissingAuthError", "PaymentRequiredError", "NoMediaResponseError"),
    *("ConversationLimitError", "NoValidHarFileError", "TimeoutError", "ProviderException"),
)

NEW = family(
    "G4FError",
    {
        **dict.fromkeys(_PLAIN, "G4FError"),
        "NestAsyncioError": "MissingRequirementsError",
        "ResponseError": "G4FError",
        "ResponseStatusError": "ResponseError",
        "CloudflareError": "ResponseStatusError",
        "RateLimitError": "ResponseStatusError",
        "BadRequestError": "ResponseStatusError",
    },
)
OLD = {
    **{name: type(name, (Exception,), {}) for name in (*_PLAIN, "ResponseError")},
    **family("ResponseStatusError", {"RateLimitError": "ResponseStatusError"}),
}
GENERATIONS = {"old": OLD, "new": NEW}

# -- instances that ask one provider after another -------------------------------------------------


class IterListProvider:
    """The newer one: in order; after content an error is final."""

    yields_errors = False
    errors = NEW

    def __init__(self, providers: Sequence[Any]) -> None:
        self.providers = providers
        self.supports_message_history = self.supports_system_message = True

    def candidates(self) -> Sequence[Any]:
        """The providers to ask, one after another."""
        return self.providers

    def is_final(self, started: bool) -> bool:
        """Whether an error ends it."""
        return started

    async def create_async_generator(self, model: str, messages: Any, **kwargs: Any) -> Any:
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
            raise self.errors["RetryProviderError"](f"RetryProvider failed:\n{said}")
        raise self.errors["RetryNoProviderError"]("No provider found")


class OldIterListProvider(IterListProvider):
    """The older one yields the errors of candidates."""

    yields_errors = True
    errors = OLD


class RetryProvider(IterListProvider):
    """The first provider again and again, also after text was sent."""

    def candidates(self) -> Sequence[Any]:
        return [self.providers[0]] * 3

    def is_final(self, started: bool) -> bool:
        return False


class RotatedProvider(IterListProvider):
    """Round robin: each call begins with the next provider."""

    at = 0

    def candidates(self) -> Sequence[Any]:
        at = self.at
        self.at += 1
        return [self.providers[(at + n) % len(self.providers)] for n in range(len(self.providers))]


class AnyProvider:
    """A class that picks by the name of the model."""

    routes: dict[str, Any] = {}  # noqa: RUF012 -- as it is there
    supports_message_history = True

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        found = IterListProvider([cls.routes[model]])
        async for each in found.create_async_generator(model, messages, **kwargs):
            yield each


# -- providers with a login and an auth file -------------------------------------------------------

LOGIN_URL = "https://login.example/start"


class AsyncAuthedProvider(StandIn):
    """The newer life cycle."""

    needs_auth = True
    missing: ClassVar[type[Exception]] = NEW["MissingAuthError"]
    folder: ClassVar[Path]
    logins: ClassVar[int] = 0
    fails_after: ClassVar[int | None] = None
    """Chunks that come before the kept login turns out to be refused."""

    @classmethod
    def get_cache_file(cls) -> Path:
        return cls.folder / f"auth_{cls.__name__}.json"

    @classmethod
    def get_auth_result(cls) -> Any:
        path = cls.get_cache_file()
        if not path.exists():
            raise cls.missing("no login is kept")
        return AuthResult(**json.loads(path.read_text()))

    @classmethod
    async def on_auth_async(cls, **kwargs: Any) -> AsyncIterator[Any]:
        yield RequestLogin(cls.__name__, LOGIN_URL)
        cls.logins += 1
        yield AuthResult(api_key="canary-4711", cookies={"session": "canary-4711"})

    @classmethod
    async def create_authed(
        cls, model: str, messages: list[dict[str, Any]], auth_result: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        cls.noted(model, messages, {**kwargs, "auth_result": auth_result})
        at = 0
        async for each in cls.aplayed():
            if cls.fails_after == at and not cls.logins:
                raise cls.missing("the login is refused")
            at += 1
            yield each

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        path = cls.get_cache_file()
        try:
            kept = cls.get_auth_result()
            async for each in cls.create_authed(model, messages, kept, **kwargs):
                yield each
        except cls.missing:
            path.unlink(missing_ok=True)
        else:
            return
        auth_result: Any = None
        async for each in cls.on_auth_async(**kwargs):
            if isinstance(each, AuthResult):
                auth_result = each
            else:
                yield each
        async for each in cls.create_authed(model, messages, auth_result, **kwargs):
            yield each
            path.write_text(json.dumps(auth_result.get_dict()))


class OldAuthedProvider(AsyncAuthedProvider):
    """The older one: every call that had to log in ends with an error of its own."""

    missing = OLD["MissingAuthError"]

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        before = cls.logins
        async for each in super().create_async_generator(model, messages, **kwargs):
            yield each
        if cls.logins != before:
            raise AttributeError("'NoneType' object has no attribute 'parent'")
