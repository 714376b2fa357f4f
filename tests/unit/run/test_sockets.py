"""The drivers on real connections: what the service sees of a call that ends early."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Clocks, Sizes
from langchain_g4f.core.plan import Defer, Plan, stream
from langchain_g4f.errors import BadRequestError
from langchain_g4f.run import arun, run
from langchain_g4f.transport.client import ClientSettings, async_client, sync_client
from tests.contract.faults.byte_server import Action, ByteServer, Exchange, routes
from tests.unit.run.service import Decoder, FakeService

SETTINGS = ClientSettings()
CLOCKS = Clocks(connect=2, first_event=2, silence=2, idle=2, linger=0.1, abort=0.3, total=5)


def fine(exchange: Exchange) -> None:
    """Answer that it is done."""
    exchange.respond(200, b"{}")


def chat(answer: Action, stop: Action = fine) -> ByteServer:
    """A service with an answer, and with ways to end it and to clean up."""
    return ByteServer(
        routes({("POST", "/answer"): answer, ("POST", "/stop"): stop, ("DELETE", "/"): fine})
    )


def plan_for(server: ByteServer) -> Plan:
    """An answer, with everything that it may owe."""
    yield Defer(lambda: Request("DELETE", f"{server.url}/"))
    end = yield from stream(
        lambda: Request("POST", f"{server.url}/answer", phase="ask"),
        Decoder,
        abort=lambda: Request("POST", f"{server.url}/stop"),
    )
    if end.error:
        raise end.error


def context(**sizes: Any) -> CallContext:
    """A session on the real clock."""
    made = FakeService().context(clocks=CLOCKS, sizes=Sizes(**sizes), max_retries=0)
    return replace(made, clock=time.monotonic)


def events_of(mode: str, plan: Plan, own: CallContext) -> list[Event]:
    """All events of a call, on an event loop of its own if it needs one."""
    if mode == "sync":
        return list(run(plan, own, sync_client(SETTINGS)))

    async def main() -> list[Event]:
        async with aclosing(arun(plan, own, async_client(SETTINGS))) as events:
            return [event async for event in events]

    return asyncio.run(main())


def paths(server: ByteServer) -> list[str]:
    """What was asked, in order."""
    return [asked.path for asked in server.requests]


def assert_closed(server: ByteServer, number: int) -> None:
    """Within a second the service sees that this connection is closed."""
    deadline = time.monotonic() + 1
    while number not in server.closings:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def hanging(*pieces: bytes) -> Action:
    """Answer with these and keep the connection."""

    def answer(exchange: Exchange) -> None:
        chunks = exchange.start_stream(content_type="text/plain")
        for piece in pieces:
            chunks.chunk(piece)
        exchange.never_answer()

    return answer


@pytest.mark.proves("promise:early-close", "promise:abort-once")
def test_call_closed_early_closes_its_connection_and_stops_the_service(mode: str) -> None:
    """Within a second the service has seen both."""
    with chat(hanging(b"ab")) as server:
        if mode == "sync":
            events = run(plan_for(server), context(), sync_client(SETTINGS))
            assert next(events) == Text("a")
            events.close()
        else:

            async def main() -> None:
                async with aclosing(
                    arun(plan_for(server), context(), async_client(SETTINGS))
                ) as events:
                    assert await anext(events) == Text("a")

            asyncio.run(main())
        assert paths(server) == ["/answer", "/stop", "/"]
        assert_closed(server, 1)


@pytest.mark.proves("promise:abort-once")
def test_sync_call_that_is_dropped_is_ended() -> None:
    """Dropping the last reference closes it."""
    with chat(hanging(b"ab")) as server:
        events = run(plan_for(server), context(), sync_client(SETTINGS))
        assert next(events) == Text("a")
        del events
        gc.collect()
        assert paths(server) == ["/answer", "/stop", "/"]


def test_service_that_never_answers_a_stop_is_not_waited_for(mode: str) -> None:
    """The clock of the clean-up is short, and its requests share it."""
    with chat(hanging(b"a?"), Exchange.never_answer) as server:
        begin = time.monotonic()
        with pytest.raises(Exception, match="no such thing"):
            events_of(mode, plan_for(server), context())
        assert 0.1 < time.monotonic() - begin < 1.5
        assert paths(server) == ["/answer", "/stop", "/"]


@pytest.mark.proves("obligation:huggingchat:13")
@pytest.mark.parametrize("ending", [b".", b"!"])
def test_service_that_keeps_its_answer_open_is_left_in_time(ending: bytes, mode: str) -> None:
    """The text is there; the rest is waited for briefly, and the connection is closed."""
    with chat(hanging(b"a" + ending)) as server:
        begin = time.monotonic()
        events = events_of(mode, plan_for(server), context())
        assert time.monotonic() - begin < 1
        assert events == [Text("a"), Finish()]
        assert paths(server) == ["/answer", "/"]
        assert_closed(server, 1)


@pytest.mark.proves("obligation:huggingchat:13")
def test_connection_is_used_again_after_a_complete_answer(mode: str) -> None:
    """The end of the body is waited for, for that reason."""

    def answer(exchange: Exchange) -> None:
        chunks = exchange.start_stream(content_type="text/plain")
        chunks.chunk(b"a!")
        exchange.hold(0.02)
        chunks.end()

    with chat(answer) as server:
        assert events_of(mode, plan_for(server), context()) == [Text("a"), Finish()]
        assert [a.connection_number for a in server.requests] == [1, 1]


def test_endless_error_body_is_cut_and_its_connection_dropped(mode: str) -> None:
    """The status is what counts."""
    sent = 0

    def answer(exchange: Exchange) -> None:
        nonlocal sent
        chunks = exchange.start_stream(400, content_type="text/plain")
        while True:
            chunks.chunk(b"x" * 10_000)
            sent += 10_000

    with chat(answer) as server:
        with pytest.raises(BadRequestError) as caught:
            events_of(mode, plan_for(server), context(error_body=64 << 10))
        assert caught.value.body == "x" * 500 + "…"
        assert paths(server) == ["/answer", "/"]
        assert_closed(server, 1)
        assert sent < 20 << 20


# -- async calls that are never closed -------------------------------------------------------------


def owning(server: ByteServer) -> AsyncGenerator[Event, None]:
    """A generator that closes its call, as the chat models are."""

    async def events() -> AsyncGenerator[Event, None]:
        async with aclosing(arun(plan_for(server), context(), async_client(SETTINGS))) as inner:
            async for event in inner:
                yield event

    return events()


async def dropped_early(server: ByteServer) -> None:
    """The loop keeps running, and ends the call."""
    events = owning(server)
    assert await anext(events) == Text("a")
    del events
    async with asyncio.timeout(5):
        while paths(server) != ["/answer", "/stop", "/"]:  # noqa: ASYNC110 -- in another thread
            await asyncio.sleep(0.005)


async def dropped_at_the_end(server: ByteServer) -> None:
    """The loop ends at once."""
    events = owning(server)
    assert await anext(events) == Text("a")
    del events


async def left_open(server: ByteServer) -> None:
    """The loop ends while there is still a reference."""
    events = owning(server)
    assert await anext(events) == Text("a")
    KEPT.append(events)


async def cancelled_at_the_end(server: ByteServer) -> None:
    """A task that is not awaited."""

    async def use() -> None:
        async with aclosing(owning(server)) as events:
            async for _ in events:
                reached.set()

    reached = asyncio.Event()
    task = asyncio.ensure_future(use())
    await reached.wait()
    task.cancel()
    KEPT.append(task)


async def running_at_the_end(server: ByteServer) -> None:
    """A task that is not even cancelled."""

    async def use() -> None:
        async with aclosing(owning(server)) as events:
            async for _ in events:
                reached.set()

    reached = asyncio.Event()
    KEPT.append(asyncio.ensure_future(use()))
    await reached.wait()


KEPT: list[object] = []
WAYS_TO_LEAVE = [
    dropped_early,
    dropped_at_the_end,
    left_open,
    cancelled_at_the_end,
    running_at_the_end,
]


@pytest.mark.proves("promise:abort-once", "promise:client-per-loop")
@pytest.mark.parametrize("leave", WAYS_TO_LEAVE, ids=lambda leave: leave.__name__)
@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.filterwarnings("default::ResourceWarning")
def test_async_call_that_is_left_behind_is_ended(
    leave: Callable[[ByteServer], Any], slow: bool, recwarn: pytest.WarningsRecorder
) -> None:
    """Also by a loop that ends: the stop arrives, and nothing is complained about."""
    complaints: list[object] = []

    def stop(exchange: Exchange) -> None:
        exchange.hold(0.05 * slow)
        exchange.respond(200, b"{}")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: complaints.append(it))
        await leave(server)

    with chat(hanging(b"ab"), stop) as server:
        asyncio.run(main())
        KEPT.clear()
        gc.collect()
        assert paths(server) == ["/answer", "/stop", "/"]
        assert server.wait_closed(1)
    assert complaints == []
    # what httpx does during the clean-up, a loop that closes its generators finds late
    said = [str(each.message) for each in recwarn.list]
    assert [each for each in said if "after loop.shutdown_asyncgens()" not in each] == []
