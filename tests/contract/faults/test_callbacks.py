"""Callbacks that raise: the stream is closed, the service told, and the error is the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessage

from langchain_g4f.core.events import Progress
from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.harness import WAYS, assert_given_up, assert_nothing_open, by_way
from tests.contract.faults.registry import Provider, fault, hang


class CallbackError(Exception):
    """What the caller's own code raises."""


class Loud(BaseCallbackHandler):
    """Raises at one of LangChain's events, and wants it known."""

    raise_error = True

    def __init__(self, event: str) -> None:
        self.seen = 0
        setattr(self, event, self._fail)

    def _fail(self, *_: Any, **__: Any) -> None:
        self.seen += 1
        raise CallbackError


class AsyncLoud(AsyncCallbackHandler):
    """The same, awaited."""

    raise_error = True

    def __init__(self, event: str) -> None:
        self.seen = 0
        setattr(self, event, self._fail)

    async def _fail(self, *_: Any, **__: Any) -> None:
        self.seen += 1
        await asyncio.sleep(0)
        raise CallbackError


class Quiet(Loud):
    """Raises, and LangChain logs that and goes on."""

    raise_error = False


Make = Callable[[str], Any]
by_way_and_handler = pytest.mark.parametrize(
    ("way", "make"),
    [*((way, Loud) for way in WAYS), ("ainvoke", AsyncLoud), ("astream", AsyncLoud)],
)


def unfinished(provider: Provider) -> Action:
    """An answer that says one word and goes on for ever."""
    return provider.answering(*provider.start, provider.token("Hello"), then=hang)


async def ask(model: Any, way: str, *handlers: Any) -> str:
    """The text of an answer, asked with these callbacks."""
    config = {"callbacks": list(handlers)}
    match way:
        case "invoke":
            answer: AIMessage = model.invoke("hi", config)
            return answer.text
        case "ainvoke":
            answer = await model.ainvoke("hi", config)
            return answer.text
        case "stream":
            return "".join(chunk.text for chunk in model.stream("hi", config))
        case _:
            return "".join([chunk.text async for chunk in model.astream("hi", config)])


@fault(52)
@by_way_and_handler
async def test_callback_that_raises_at_a_token_ends_the_run(
    provider: Provider, way: str, make: Make
) -> None:
    """Its error comes back as it is; the answer is closed and stopped."""
    handler = make("on_llm_new_token")
    with provider.server(answer=unfinished(provider)) as server:
        with pytest.raises(CallbackError):
            await ask(provider.model(server), way, handler)
        assert handler.seen == 1
        await assert_given_up(provider, server)


@fault(52)
@by_way_and_handler
async def test_callback_that_raises_at_the_start_prevents_every_request(
    provider: Provider, way: str, make: Make
) -> None:
    """Nothing has been sent by then."""
    handler = make("on_chat_model_start")
    with provider.server() as server:
        with pytest.raises(CallbackError):
            await ask(provider.model(server), way, handler)
        assert server.requests == []
    assert handler.seen


@fault(52)
@by_way_and_handler
async def test_callback_that_raises_at_the_end_leaves_nothing_open(
    provider: Provider, way: str, make: Make
) -> None:
    """The answer is whole by then, and there is nothing to stop."""
    handler = make("on_llm_end")
    with provider.server() as server:
        with pytest.raises(CallbackError):
            await ask(provider.model(server), way, handler)
        assert provider.asked(server) == provider.good_call
    assert handler.seen
    assert_nothing_open()


@fault(52)
@by_way
async def test_callback_that_raises_quietly_changes_nothing(provider: Provider, way: str) -> None:
    """LangChain logs what other callbacks raise; the answer is the same."""
    with provider.server() as server:
        assert await ask(provider.model(server), way, Quiet("on_llm_new_token")) == "Hello there"
        assert provider.asked(server) == provider.good_call


@fault(52, where=lambda provider: provider.start)
@by_way
async def test_progress_callback_that_raises_ends_the_run(provider: Provider, way: str) -> None:
    """`on_progress` is the caller's code as well."""

    def on_progress(_: Progress) -> None:
        raise CallbackError

    with provider.server(answer=unfinished(provider)) as server:
        with pytest.raises(CallbackError):
            await ask(provider.model(server, on_progress=on_progress), way)
        await assert_given_up(provider, server)


@fault(52)
@by_way
async def test_progress_callback_that_raises_at_a_retry_ends_the_call(
    provider: Provider, way: str
) -> None:
    """Nothing is asked again for somebody who fails at the news of it."""

    def on_progress(progress: Progress) -> None:
        if progress.kind == "retry":
            raise CallbackError

    def refuse(exchange: Exchange) -> None:
        exchange.respond(429, headers=[("Retry-After", "1")])

    with provider.server(**{provider.message: refuse}) as server:
        with pytest.raises(CallbackError):
            await ask(provider.model(server, on_progress=on_progress), way)
        assert provider.asked(server) == provider.until(provider.message)
    assert_nothing_open()


@fault(52)
@by_way
async def test_callback_that_asks_the_same_model_works(provider: Provider, way: str) -> None:
    """A call inside a callback of another call has a connection of its own."""
    with provider.server() as server:
        model = provider.model(server)
        inner: list[str] = []

        class Asking(BaseCallbackHandler):
            raise_error = True

            def on_llm_new_token(self, *_: Any, **__: Any) -> None:
                if not inner:
                    inner.append("")
                    inner.append(model.invoke("and you?").text)

        assert await ask(model, way, Asking()) == "Hello there"
        assert inner[1] == "Hello there"
        assert len(server.requests) == len(provider.calls(2))
    assert_nothing_open()
