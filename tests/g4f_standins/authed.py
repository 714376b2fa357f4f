"""A provider with a login and an auth file, with the life cycle of each generation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

from tests.g4f_standins import errors
from tests.g4f_standins.providers_new import StandIn
from tests.g4f_standins.responses_old import AuthResult, RequestLogin

LOGIN_URL = "https://login.example/start"


class AsyncAuthedProvider(StandIn):
    """The newer life cycle."""

    needs_auth = True
    missing: ClassVar[type[Exception]] = errors.NEW["MissingAuthError"]
    folder: ClassVar[Path]
    logins: ClassVar[int] = 0
    fails_after: ClassVar[int | None] = None
    """How many chunks come before the kept login turns out to be refused."""

    @classmethod
    def get_cache_file(cls) -> Path:
        return cls.folder / f"auth_{cls.__name__}.json"

    @classmethod
    def write_cache_file(cls, path: Path, auth_result: Any) -> None:
        path.write_text(json.dumps(auth_result.get_dict()))

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
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        try:
            kept = cls.get_auth_result()
            async for each in cls.create_authed(model, messages, kept, **kwargs):
                yield each
        except cls.missing:
            cls.get_cache_file().unlink(missing_ok=True)
        else:
            return
        auth_result = None
        async for each in cls.on_auth_async(**kwargs):
            if isinstance(each, AuthResult):
                auth_result = each
            else:
                yield each
        async for each in cls.create_authed(model, messages, auth_result, **kwargs):
            yield each
            cls.write_cache_file(cls.get_cache_file(), auth_result)


class OldAuthedProvider(AsyncAuthedProvider):
    """The older one: every call that had to log in ends with an error of its own."""

    missing = errors.OLD["MissingAuthError"]

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        before = cls.logins
        async for each in super().create_async_generator(model, messages, **kwargs):
            yield each
        if cls.logins != before:
            raise AttributeError("'NoneType' object has no attribute 'parent'")


class PlainAuthed(StandIn):
    """Its authorised entry point is a plain generator."""

    @classmethod
    def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        raise AssertionError("credentials were given")

    @classmethod
    def create_authed(
        cls, model: str, messages: list[dict[str, Any]], auth_result: Any, **kwargs: Any
    ) -> Any:
        cls.noted(model, messages, {**kwargs, "auth_result": auth_result})
        yield from cls.played()
