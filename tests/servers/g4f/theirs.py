# mypy: disable-error-code="import-not-found, misc, unused-ignore"
"""Provider classes with the bases of g4f; the only module here that imports it.

Whatever checks these files has no g4f, and cannot know what is inherited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import g4f.Provider as providers  # noqa: N813 -- a module
from g4f import debug, errors
from g4f.Provider.template import OpenaiTemplate
from g4f.providers import response as responses
from g4f.providers import retry_provider as families
from g4f.providers.base_provider import (
    AbstractProvider,
    AsyncAuthedProvider,
    AsyncGeneratorProvider,
    AsyncProvider,
)

debug.version_check = False  # it would ask a registry


class OpenAILike(OpenaiTemplate):
    """Their template for services that speak OpenAI's chat completions."""

    working = True
    default_model = "loopback-1"


class Told(AsyncGeneratorProvider):
    """Yields what its class was told to; an exception object that is last is raised."""

    working = True
    supports_message_history = True
    supports_system_message = True
    default_model = "told-1"
    values: ClassVar[tuple[Any, ...]] = ()
    asked: ClassVar[list[dict[str, Any]]]

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], conversation: Any = None, **_: Any
    ) -> AsyncIterator[Any]:
        cls.asked.append({"model": model, "messages": messages, "conversation": conversation})
        for value in cls.values:
            await asyncio.sleep(0)
            if isinstance(value, Exception):
                raise value
            yield value


def told(*values: Any, name: str = "Told") -> Any:
    """A provider class of this name that yields these, one after the other."""
    return type(name, (Told,), {"values": values, "asked": []})


class Whole(AsyncProvider):
    """Awaited, and gives all at once."""

    working = True

    @classmethod
    async def create_async(cls, model: str, messages: list[dict[str, Any]], **_: Any) -> str:
        await asyncio.sleep(0)
        return f"{model}: {messages[-1]['content']}"


class Blocking(AbstractProvider):
    """Iterated in a thread, and told whether to stream."""

    working = True
    supports_stream = True

    @classmethod
    def create_completion(cls, model: str, messages: Any, stream: bool, **_: Any) -> Any:
        assert stream
        yield f"{model}: "
        yield messages[-1]["content"]


class Endless(AsyncGeneratorProvider):
    """Never stops by itself."""

    working = True
    closed = 0

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            while True:
                await asyncio.sleep(0.001)
                yield "on "
        finally:
            cls.closed += 1


class Authed(AsyncAuthedProvider):
    """Wants a login; the first `create_authed` of a class without one begins, and is refused."""

    working = True
    needs_auth = True
    part = ""

    @classmethod
    async def on_auth_async(cls, **_: Any) -> AsyncIterator[Any]:
        yield responses.RequestLogin(cls.__name__, "http://127.0.0.1/login")
        yield responses.AuthResult(token="very-secret", cookies={"session": "very-secret"})

    @classmethod
    async def create_authed(
        cls, model: str, messages: list[dict[str, Any]], auth_result: Any, **_: Any
    ) -> AsyncIterator[Any]:
        if cls.part:
            yield cls.part
        if getattr(auth_result, "token", None) != "very-secret":
            raise errors.MissingAuthError("not logged in")
        yield "Hello, "
        yield "member."


def authed(name: str, part: str = "") -> Any:
    """A class of its own, and so one with a file of its own; with a part, there is an old one."""
    made: Any = type(name, (Authed,), {"part": part})
    if part:
        made.write_cache_file(made.get_cache_file(), responses.AuthResult(token="too-old"))
    return made


__all__ = ["OpenAILike", "Whole", "authed", "errors", "families", "providers", "responses", "told"]
