"""Provider classes of both generations that follow a script and keep what they were asked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from langchain_g4f import ChatG4F


@dataclass
class Call:
    """How a provider was called."""

    model: str
    messages: list[dict[str, Any]]
    given: dict[str, Any]
    thread: int = field(default_factory=threading.get_ident)


class Step:
    """A step of a script that gives no value."""

    def play(self) -> None:
        """Do it, blocking."""

    async def aplay(self) -> None:
        """Do it on an event loop."""
        self.play()


@dataclass
class Fail(Step):
    """Raises."""

    error: BaseException

    def play(self) -> None:
        raise self.error


@dataclass
class FailFirst(Step):
    """Raises in the first calls, as many as there are errors."""

    errors: list[Exception]

    def play(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class Do(Step):
    """Calls something."""

    action: Callable[[], object]

    def play(self) -> None:
        self.action()


@dataclass
class Pause(Step):
    """Takes its time, in seconds."""

    seconds: float

    def play(self) -> None:
        time.sleep(self.seconds)

    async def aplay(self) -> None:
        await asyncio.sleep(self.seconds)


class Hang(Step):
    """Waits until it is released, or for ever."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def play(self) -> None:
        self.entered.set()
        self.released.wait(30)

    async def aplay(self) -> None:
        self.entered.set()
        await asyncio.Event().wait()


class StandIn:
    """A provider with a script, and what became of it."""

    script: ClassVar[tuple[Any, ...]] = ()
    calls: ClassVar[list[Call]] = []
    closed: ClassVar[list[str]] = []
    default_model = "default"
    models: ClassVar[list[str]] = []
    supports_system_message = True
    supports_message_history = True

    @classmethod
    def noted(cls, model: str, messages: list[dict[str, Any]], given: dict[str, Any]) -> None:
        cls.calls.append(Call(model, messages, given))

    @classmethod
    def played(cls) -> Iterator[Any]:
        """The values of the script, blocking."""
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
        """The values of the script, on an event loop."""
        try:
            for each in cls.script:
                if isinstance(each, Step):
                    await each.aplay()
                else:
                    yield each
        finally:
            cls.closed.append("closed")


def scripted(base: type[Any], *script: Any, name: str = "", **attributes: Any) -> Any:
    """A class of its own that does what is scripted, with records of its own."""
    own = {"script": script, "calls": [], "closed": [], **attributes}
    return type(name or base.__name__, (base,), own)


def chat(*script: Any, base: Any = None, name: str = "", **settings: Any) -> ChatG4F:
    """A chat model of a provider that does what is scripted."""
    provider = scripted(base or AsyncGeneratorProvider, *script, name=name)
    return ChatG4F(provider=provider, **settings)


# -- the newer generation: one entry point each, used as classes -----------------------------------


class AsyncGeneratorProvider(StandIn):
    supports_stream = True
    use_stream_timeout = True
    live = 0
    model_aliases: ClassVar[dict[str, Any] | None] = None

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        cls.noted(model, messages, kwargs)
        async for each in cls.aplayed():
            yield each


class AsyncProvider(StandIn):
    @classmethod
    async def create_async(cls, model: str, messages: list[dict[str, Any]], **kwargs: Any) -> str:
        cls.noted(model, messages, kwargs)
        return "".join([each async for each in cls.aplayed()])


class CoroutineOfGenerator(StandIn):
    """Its entry point has to be awaited before it can be iterated."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
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
        defaults: dict[str, Any] = cls.create_async_generator.__kwdefaults__ or {}
        cls.noted(model, messages, {n: found[n] for n in defaults if found[n] != defaults[n]})
        async for each in cls.aplayed():
            yield each


# -- the older generation: wrappers under every name -----------------------------------------------


class _AsyncWrapper(StandIn):
    """A base with an async wrapper around the iterator of its subclasses."""

    supports_stream = False

    @classmethod
    async def create_async(cls, *_: Any, **__: Any) -> str:
        raise AssertionError("the iterator has to win")


class AbstractProvider(_AsyncWrapper):
    """A plain iterator, which has to be told whether to stream."""

    supports_stream = True

    @classmethod
    def create_completion(cls, model: str, messages: Any, stream: bool, **kwargs: Any) -> Any:
        cls.noted(model, messages, {**kwargs, "stream": stream})
        yield from cls.played()


class OwnAsync(AbstractProvider):
    """Has an async entry point of its own, beside the iterator that it inherits."""

    create_async = AsyncProvider.__dict__["create_async"]


class _Wrappers(StandIn):
    @classmethod
    def create_async(cls, *_: Any, **__: Any) -> Any:
        raise AssertionError("the generator has to win")

    create_completion = get_async_create_function = get_create_function = create_async
    async_create_function = create_function = create_async


class OldAsyncGeneratorProvider(AsyncGeneratorProvider, _Wrappers):
    """All three names; only its own one streams."""


class BlockingGenerator(StandIn):
    """An async generator that blocks."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **kwargs: Any) -> Any:
        cls.noted(model, messages, kwargs)
        for each in cls.played():
            yield each


def current_threads() -> set[str]:
    """The names of the threads that run a provider."""
    return {t.name for t in threading.enumerate() if t.name.startswith("langchain-g4f provider")}
