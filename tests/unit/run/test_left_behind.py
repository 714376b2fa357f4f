"""An async call that is never closed ends with its task or its loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from langchain_g4f.core.events import Event, Text
from langchain_g4f.run import arun
from langchain_g4f.transport.client import async_client
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.unit.run.chat import SETTINGS, chat, context, hanging, paths, plan_for


def owning(server: ByteServer) -> AsyncGenerator[Event, None]:
    """A generator that closes its call, as the chat models are."""

    async def events() -> AsyncGenerator[Event, None]:
        async with aclosing(arun(plan_for(server), context(), async_client(SETTINGS))) as inner:
            async for event in inner:
                yield event

    return events()


async def dropped_early(server: ByteServer) -> None:
    """The loop goes on for a while."""
    events = owning(server)
    assert await anext(events) == Text("a")
    del events
    await asyncio.sleep(0.1)
    assert paths(server) == ["/answer", "/stop", "/"]


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
