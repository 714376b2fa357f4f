"""How calls end that nobody reads to their end, and what is left of them."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f.g4f_adapter import worker
from tests.g4f_standins import providers_new
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.providers_old import AbstractProvider, current_threads
from tests.g4f_standins.script import Do, Hang
from tests.unit_tests.chat_models.ways import ask

BASES = [
    pytest.param(AsyncGeneratorProvider, False, id="async"),
    pytest.param(AsyncGeneratorProvider, True, id="async in a thread"),
    pytest.param(AbstractProvider, False, id="sync"),
]


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, as it has to soon."""
    end = time.monotonic() + 3
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


async def no_threads() -> None:
    """Wait until no thread runs a provider any more."""
    await asyncio.to_thread(wait_until, lambda: not current_threads())


@pytest.mark.proves("g4f:8:astream", "g4f:8:stream", "g4f:8:no-leak")
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize(("base", "in_thread"), BASES)
async def test_stream_that_is_closed_early_closes_the_provider(
    base: Any, in_thread: bool, way: str
) -> None:
    """At once, whoever iterates it."""
    provider = scripted(base, *["word "] * 500)
    model = ChatG4F(provider=provider, run_in_thread=in_thread)
    if way == "stream":
        for chunk in model.stream("hi"):
            assert chunk.text == "word "
            break
        left = time.monotonic()
        gc.collect()
    else:
        stream = model.astream("hi")
        assert (await anext(stream)).text == "word "
        left = time.monotonic()
        await stream.aclose()  # type: ignore[attr-defined]
    await no_threads()
    await asyncio.to_thread(wait_until, lambda: bool(provider.closed))
    assert provider.closed == ["closed"]
    assert time.monotonic() - left < 1


@pytest.mark.proves("g4f:8:no-leak")
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize(("base", "in_thread"), BASES)
async def test_fifty_dropped_streams_leave_nothing(base: Any, in_thread: bool, way: str) -> None:
    """Neither a thread nor an open generator, though nobody closed them."""
    provider = scripted(base, *["word "] * 500)
    model = ChatG4F(provider=provider, run_in_thread=in_thread)
    for _ in range(50):
        if way == "stream":
            next(iter(model.stream("hi")))
        else:
            await anext(model.astream("hi"))
    gc.collect()
    await asyncio.to_thread(wait_until, lambda: len(provider.closed) == 50)
    await no_threads()


@pytest.mark.proves("g4f:8:astream")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize("before", [(), ("a",)])
@pytest.mark.parametrize(("base", "in_thread"), BASES)
async def test_cancelled_call_ends_within_a_second(
    base: Any, in_thread: bool, before: tuple[str, ...], way: str
) -> None:
    """Also where the provider blocks, whose thread nobody waits for then."""
    hang = Hang()
    provider = scripted(base, *before, hang, "never")
    model = ChatG4F(provider=provider, run_in_thread=in_thread)
    task = asyncio.ensure_future(ask(model, way, "hi"))
    await asyncio.to_thread(hang.entered.wait, 5)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    hang.released.set()
    await no_threads()
    assert provider.closed == ["closed"]


@pytest.mark.proves("g4f:8:stream")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_fast_provider_waits_for_a_slow_reader(way: str) -> None:
    """No more is made than has room between the two."""
    made: list[int] = []
    script = [step for n in range(1000) for step in (Do(lambda n=n: made.append(n)), "w ")]  # type: ignore[misc]
    provider = scripted(AbstractProvider, *script)
    model = ChatG4F(provider=provider)
    if way == "stream":
        stream = model.stream("hi")
        next(stream)
        await settled(made)
        assert len(made) <= worker._CAPACITY + 3
        assert sum(1 for _ in stream) == 1000
    else:
        astream = model.astream("hi")
        await anext(astream)
        await settled(made)
        assert len(made) <= worker._CAPACITY + 3
        assert len([chunk async for chunk in astream]) == 1000
    assert len(made) == 1000


async def settled(made: list[int]) -> None:
    """Wait until nothing is made any more."""
    before = -1
    while len(made) != before:
        before = len(made)
        await asyncio.sleep(0.02)


@pytest.mark.proves("g4f:8:concurrency")
def test_model_works_in_one_loop_after_another() -> None:
    """Nothing of a loop that is closed is kept."""
    for in_thread in (False, True):
        model = ChatG4F(provider=scripted(AsyncGeneratorProvider, "a"), run_in_thread=in_thread)
        for way in ("ainvoke", "astream", "ainvoke"):
            assert asyncio.run(ask(model, way, "hi")).text == "a"


@pytest.mark.proves("g4f:8:concurrency")
@pytest.mark.parametrize(("base", "in_thread"), BASES)
def test_loop_that_is_left_in_mid_answer_does_not_hurt_the_next(base: Any, in_thread: bool) -> None:
    """What was open is closed with the loop, and no task of it is left."""
    provider = scripted(base, *["a"] * 200)
    model = ChatG4F(provider=provider, run_in_thread=in_thread)

    async def left() -> asyncio.AbstractEventLoop:
        stream = model.astream("hi")
        assert (await anext(stream)).text == "a"
        return asyncio.get_running_loop()

    assert asyncio.all_tasks(asyncio.run(left())) == set()
    assert asyncio.run(model.ainvoke("hi")).text == "a" * 200
    gc.collect()
    asyncio.run(no_threads())
    assert len(provider.closed) == 2


@pytest.mark.proves("g4f:8:stream", "g4f:8:concurrency")
@pytest.mark.parametrize(("base", "in_thread"), BASES)
async def test_sync_calls_work_while_a_loop_runs(base: Any, in_thread: bool) -> None:
    """As in a notebook; the provider gets a loop of its own."""
    model = ChatG4F(provider=scripted(base, "a", "b"), run_in_thread=in_thread)
    assert (await model.ainvoke("hi")).text == "ab"
    assert model.invoke("hi").text == "ab"
    assert "".join(chunk.text for chunk in model.stream("hi")) == "ab"
    assert [each.text for each in model.batch(["1", "2"])] == ["ab", "ab"]
    assert (await ask(model, "astream", "hi")).text == "ab"


@pytest.mark.proves("g4f:8:concurrency")
@pytest.mark.parametrize(("base", "in_thread"), BASES)
def test_eight_threads_share_one_model(base: Any, in_thread: bool) -> None:
    """Each gets its own answer."""
    from concurrent.futures import ThreadPoolExecutor

    echo = scripted(base if base is not AsyncGeneratorProvider else providers_new.Thorough, "a")
    model = ChatG4F(provider=echo, run_in_thread=in_thread)

    def work(number: int) -> list[str]:
        streamed = "".join(chunk.text for chunk in model.stream(f"s{number}"))
        return [model.invoke(f"i{number}").text, streamed, asyncio.run(model.ainvoke("a")).text]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == [["a"] * 3] * 16
    said = sorted(call.messages[0]["content"] for call in echo.calls)
    assert said == sorted([f"{kind}{n}" for kind in "si" for n in range(16)] + ["a"] * 16)


class Swallowing(providers_new.StandIn):
    """Ends as if nothing was when it is closed."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            while True:
                yield "a"
                await asyncio.sleep(0)
        finally:
            cls.closed.append("closed")
            await asyncio.sleep(0)


@pytest.mark.proves("g4f:8:no-leak")
@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_endless_provider_is_ended_by_a_stop_string(way: str, in_thread: bool) -> None:
    """What it awaits while it cleans up gets its time."""
    provider = scripted(Swallowing)
    model = ChatG4F(provider=provider, stop="aaa", run_in_thread=in_thread)
    assert (await ask(model, way, "hi")).text == ""
    assert provider.closed == ["closed"]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_error_of_a_token_callback_ends_the_answer(way: str) -> None:
    """It is the caller's own, where it raises at all."""
    from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

    class Raises(BaseCallbackHandler):
        raise_error = True

        def on_llm_new_token(self, token: Any, **_: Any) -> None:
            raise LookupError("no place to show it")

    class RaisesLater(AsyncCallbackHandler):
        raise_error = True

        async def on_llm_new_token(self, token: Any, **_: Any) -> None:
            raise LookupError("no place to show it")

    provider = scripted(AbstractProvider, *["a"] * 100)
    handler = Raises() if way == "stream" else RaisesLater()
    with pytest.raises(LookupError, match="no place"):
        await ask(ChatG4F(provider=provider), way, "hi", config={"callbacks": [handler]})
    gc.collect()
    await no_threads()
    assert provider.closed == ["closed"]
