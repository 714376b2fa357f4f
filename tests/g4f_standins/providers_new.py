"""Provider classes of the newer generation: one entry point each, and used as classes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from tests.g4f_standins.script import Call, Step


class StandIn:
    """What is scripted, and what became of it."""

    script: ClassVar[tuple[Any, ...]] = ()
    calls: ClassVar[list[Call]] = []
    closed: ClassVar[list[str]] = []
    default_model = "default"
    models: ClassVar[list[str]] = []
    supports_system_message = True
    supports_message_history = True

    @classmethod
    def noted(cls, model: str, messages: list[dict[str, Any]], given: dict[str, Any]) -> None:
        """Keep what was asked."""
        cls.calls.append(Call(model, messages, given))

    @classmethod
    def played(cls) -> Iterator[Any]:
        """What is scripted, blocking."""
        try:
            for each in cls.script:
                if isinstance(each, Step):
                    each.play()
                else:
                    yield each
        finally:
            cls.closed.append("closed")

    @classmethod
    async def aplayed(cls) -> AsyncIterator[Any]:
        """What is scripted, on an event loop."""
        try:
            for each in cls.script:
                if isinstance(each, Step):
                    await each.aplay()
                else:
                    yield each
        finally:
            cls.closed.append("closed")


class AsyncGeneratorProvider(StandIn):
    supports_stream = True
    use_stream_timeout = True
    live = 0
    model_aliases: ClassVar[dict[str, Any] | None] = None

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        cls.noted(model, messages, kwargs)
        async for each in cls.aplayed():
            yield each


class AsyncProvider(StandIn):
    @classmethod
    async def create_async(cls, model: str, messages: list[dict[str, Any]], **kwargs: Any) -> str:
        cls.noted(model, messages, kwargs)
        return "".join([each async for each in cls.aplayed()])


class CoroutineOfGenerator(StandIn):
    """An entry point that has to be awaited before it can be iterated."""

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: list[dict[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Any]:
        cls.noted(model, messages, kwargs)
        return cls.aplayed()


class Thorough(StandIn):
    """Names what it honours, and takes nothing else."""

    supports_native_tools = True
    vision_models: ClassVar[list[str]] = ["seeing"]

    @classmethod
    async def create_async_generator(
        cls,
        model: str,
        messages: list[dict[str, Any]],
        *,
        stream: bool = False,
        proxy: str | None = None,
        timeout: float = 0,
        stream_timeout: float = 0,
        media: list[Any] | None = None,
        prompt: str | None = None,
        conversation: Any = None,
        return_conversation: bool = False,
        cookies: dict[str, str] | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        tools: list[Any] | None = None,
        tool_choice: Any = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        web_search: bool = False,
        reasoning_effort: str | None = None,
        aspect_ratio: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[Any]:
        found = dict(locals())
        given = {name: found[name] for name in found if name not in ("cls", "model", "messages")}
        defaults: dict[str, Any] = cls.create_async_generator.__kwdefaults__ or {}
        cls.noted(model, messages, {n: v for n, v in given.items() if v != defaults[n]})
        async for each in cls.aplayed():
            yield each


def scripted(base: type[Any], *script: Any, name: str = "", **attributes: Any) -> Any:
    """A class of its own that does what is scripted, with records of its own."""
    own = {"script": script, "calls": [], "closed": [], **attributes}
    return type(name or base.__name__, (base,), own)
