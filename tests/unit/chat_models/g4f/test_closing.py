"""How calls end before their last chunk, and what is left of them: threads, loops, generators."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f import errors as ours
from langchain_g4f.g4f_adapter.attempt import END, NOTHING_YET
from langchain_g4f.g4f_adapter.worker import Worker
from tests.g4f_standins.providers import (
    AbstractProvider,
    AsyncGeneratorProvider,
    AsyncProvider,
    Fail,
    Hang,
    StandIn,
    chat,
    current_threads,
)
from tests.unit.chat_models.g4f.conftest import Ask

BASES = [
    pytest.param(AsyncGeneratorProvider, False, id="async"),
    pytest.param(AsyncGeneratorProvider, True, id="async in a thread"),
    pytest.param(AbstractProvider, False, id="sync"),
]
by_base = pytest.mark.parametrize(("base", "in_thread"), BASES)
in_threads = pytest.mark.parametrize("in_thread", [False, True])


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
@by_base
async def test_stream_that_is_closed_early_closes_the_provider(
    base: Any, in_thread: bool, mode: str
) -> None:
    """At once, whoever iterates it."""
    model = chat(*["word "] * 500, base=base, run_in_thread=in_thread)
    if mode == "sync":
        for chunk in model.stream("hi"):
            assert chunk.text == "word "
            break
        left = time.monotonic()
        gc.collect()
    else:
        stream: Any = model.astream("hi")
        assert (await anext(stream)).text == "word "
        left = time.monotonic()
        await stream.aclose()
    await no_threads()
    await asyncio.to_thread(wait_until, lambda: bool(model.wrapped.closed))
    assert model.wrapped.closed == ["closed"]
    assert time.monotonic() - left < 1


@pytest.mark.proves("g4f:8:astream")
@pytest.mark.parametrize("before", [(), ("a",)])
@by_base
async def test_cancelled_call_ends_within_a_second(
    base: Any, in_thread: bool, before: tuple[str, ...]
) -> None:
    """Also where the provider blocks; then the call does not wait for its thread."""
    hang = Hang()
    model = chat(*before, hang, "never", base=base, run_in_thread=in_thread)
    task = asyncio.ensure_future(model.ainvoke("hi"))
    await asyncio.to_thread(hang.entered.wait, 5)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    hang.released.set()
    await no_threads()
    assert model.wrapped.closed == ["closed"]


# -- event loops and threads -----------------------------------------------------------------------


# -- stop strings, and providers that clean up badly -----------------------------------------------


@pytest.mark.proves("g4f:8:stop")
@pytest.mark.parametrize("base", [AsyncGeneratorProvider, AsyncProvider, AbstractProvider])
async def test_stop_string_ends_the_answer_and_the_provider(base: Any, ask: Ask) -> None:
    """Across borders of chunks, and with nothing of it shown."""
    model = chat("one S", "TO", "P two", *["more"] * 500, base=base, stop="STOP")
    answer = await ask(model)
    assert answer.text == "one "
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["stop_sequence"] == "STOP"
    assert model.wrapped.calls[0].given.get("stop") is None
    assert model.wrapped.closed == ["closed"]


class Untidy(StandIn):
    """Does what is scripted while it cleans up; never ends by itself."""

    @classmethod
    async def create_async_generator(cls, model: str, messages: Any, **_: Any) -> Any:
        try:
            while True:
                yield "one STOP"
                await asyncio.sleep(0)
        finally:
            cls.closed.append("closed")
            for step in cls.script:
                step.play()
            await asyncio.sleep(0)


@pytest.mark.proves("g4f:8:stop", "g4f:8:no-leak", "fault:68:G4")
@in_threads
@pytest.mark.parametrize(
    "script",
    [(), (Fail(ValueError("odd")),), (Fail(asyncio.CancelledError()),), (Fail(SystemExit()),)],
    ids=["fine", "error", "cancelled", "exit"],
)
async def test_endless_provider_is_ended_however_it_cleans_up(
    script: Any, in_thread: bool, ask: Ask
) -> None:
    """It gets its time; what goes wrong then spoils no answer, which had ended."""
    model = chat(*script, base=Untidy, stop="STOP", run_in_thread=in_thread)
    assert (await ask(model)).text == "one "
    assert model.wrapped.closed == ["closed"]


# -- providers that would end the program ----------------------------------------------------------


class Panic(BaseException):
    """As extensions raise, for which no handler of exceptions is made."""


@pytest.mark.proves("fault:68:G4")
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit, GeneratorExit, Panic])
@pytest.mark.parametrize(
    ("base", "in_thread"), [*BASES, (AsyncProvider, False), (AsyncProvider, True)]
)
async def test_provider_that_would_end_the_program_ends_the_answer(
    base: Any, in_thread: bool, raised: type[BaseException], begun: bool, ask: Ask
) -> None:
    """It is an error, with the text that came before; the caller's task is not cancelled."""
    script = (*["Ray"] * begun, Fail(raised("7")))
    with pytest.raises(ours.StreamInterruptedError) as caught:
        await ask(chat(*script, base=base, name="Some", run_in_thread=in_thread))
    assert str(caught.value) == f"Some: ended by {raised.__name__}: 7"
    assert caught.value.partial_text == ("Ray" if begun and base is not AsyncProvider else "")
    assert type(caught.value.__cause__) is raised
    await asyncio.sleep(0)


@pytest.mark.proves("fault:68:G4")
def test_interrupt_of_the_user_is_the_users() -> None:
    """It comes wherever the program is, and ends it."""
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(chat("Ray", Fail(KeyboardInterrupt())).ainvoke("hi"))
    model: ChatG4F = chat("a")
    model.wrapped.get_models = Fail(KeyboardInterrupt()).play
    with pytest.raises(KeyboardInterrupt):
        model.get_models()


# -- the thread alone ------------------------------------------------------------------------------


@pytest.mark.proves("g4f:8:no-leak")
def test_worker_that_is_closed_before_it_iterates_closes_what_it_gets() -> None:
    """Asking may take longer than the caller waits."""
    asked, go_on = threading.Event(), threading.Event()
    closed: list[str] = []

    async def values() -> AsyncIterator[str]:
        try:
            yield "never"
        finally:
            closed.append("closed")

    def start() -> object:
        asked.set()
        go_on.wait(5)
        return values()

    running = Worker(start)
    assert asked.wait(5)
    assert running.get() is NOTHING_YET
    running.close()
    go_on.set()
    running.close(5)
    assert running.ended
    assert running.get() is END
    assert closed == []  # it was never begun


class Endless:
    """An iterator of either kind that has nothing to close."""

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> str:
        return "a"


@pytest.mark.proves("g4f:8:no-leak", "g4f:1:decided-by-result")
@pytest.mark.parametrize("start", [Endless, lambda: iter(lambda: "a", None)])
def test_iterator_without_a_close_is_left(start: Any) -> None:
    """There is nothing else that could be done with it."""
    running = Worker(start)
    assert running.get(5) == "a"
    running.close(5)
    assert running.ended


def test_worker_gives_a_mapping_whole_and_an_error_as_it_is() -> None:
    """A mapping may report an error; a timeout of the provider's is not one of the wait."""
    running = Worker(lambda: {"error": "why"})
    assert running.get(5) == {"error": "why"}
    assert running.get(5) is END
    running.close(5)
    failed = Worker(Fail(TimeoutError("mine")).play)
    with pytest.raises(TimeoutError, match="mine"):
        failed.get(5)
    failed.close(5)
