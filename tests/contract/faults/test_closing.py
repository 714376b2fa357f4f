"""The caller stops reading: the connection is closed, and the service told, within a second."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import (
    assert_given_up,
    assert_nothing_open,
    begin,
    by_call,
    by_stream,
    closed,
    end,
    eventually,
    nothing_open,
    read,
)
from tests.contract.faults.registry import PATIENT, After, Provider, fault, hang

WORDS = ("One ", "two ", "three ")


def unfinished(provider: Provider, then: After = hang) -> Action:
    """An answer that goes on for ever after three words."""
    return provider.answering(*provider.start, *map(provider.token, WORDS), then=then)


@fault(34)
@by_stream
@pytest.mark.parametrize("count", [0, 1, 3])
async def test_stream_closed_early_is_closed_and_stopped(
    provider: Provider, way: str, count: int
) -> None:
    """After any number of events, closing ends the run at the service."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        if count:
            assert await read(stream, count) == list(WORDS[:count])
        await end(stream)
        if count:
            await assert_given_up(provider, server)
        else:
            assert server.requests == [], "nothing was asked for yet"


@fault(34)
@by_stream
async def test_stream_closed_after_its_end_is_not_stopped(provider: Provider, way: str) -> None:
    """There is nothing to stop: a stop would hit the next answer."""
    with provider.server() as server:
        stream = begin(provider.model(server), way)
        assert "".join(await read(stream, 2)) == "Hello there"
        while (
            await anext(stream, None) if isinstance(stream, AsyncIterator) else next(stream, None)
        ):
            pass
        await end(stream)
        await asyncio.sleep(0.05)
        assert provider.asked(server) == provider.good_call
    assert_nothing_open()


def refuse(exchange: Exchange) -> None:
    """Fail, and say so."""
    exchange.respond(500, b'{"message":"cannot stop"}')


ABORTS = {
    "refused": refuse,
    "reset": Exchange.reset,
    "redirected": lambda x: x.respond(302, headers=[("Location", "/login")]),
    "rate-limited": lambda x: x.respond(429, headers=[("Retry-After", "1")]),
}


@fault(34, where=lambda provider: provider.abort)
@by_stream
@pytest.mark.parametrize("abort", ABORTS.values(), ids=ABORTS)
async def test_abort_that_fails_is_tried_once_and_hidden(
    provider: Provider, way: str, abort: Action
) -> None:
    """The caller has lost interest: there is nobody to tell, and no use in trying again."""
    parts = dict.fromkeys(provider.abort, abort)
    with provider.server(answer=unfinished(provider), **parts) as server:
        stream = begin(provider.model(server), way)
        await read(stream, 2)
        await end(stream)
        await assert_given_up(provider, server)


@fault(34, where=lambda provider: provider.abort)
@by_stream
async def test_abort_that_is_not_answered_has_a_clock_of_its_own(
    provider: Provider, way: str
) -> None:
    """Closing takes no longer than the clock for it."""
    parts = dict.fromkeys(provider.abort, Exchange.never_answer)
    with provider.server(answer=unfinished(provider), **parts) as server:
        model = provider.model(server, timeout=replace(PATIENT, abort=0.3))
        stream = begin(model, way)
        await read(stream, 1)
        since = time.monotonic()
        await end(stream)
        expected = (*provider.good_call, *provider.abort)
        assert await eventually(lambda: provider.asked(server) == expected)
        assert await eventually(lambda: server.connections_open == 0, 1.5)
        assert 0.3 <= time.monotonic() - since < 1.5
        assert provider.asked(server) == expected
    assert_nothing_open()


@fault(34)
@by_stream
async def test_abort_to_a_service_that_is_gone_is_hidden(provider: Provider, way: str) -> None:
    """Not even the connection for it can be made."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        await read(stream, 1)
        server.shutdown()
        server.socket.close()
        await end(stream)
        assert await closed(provider, server, provider.answer)
    assert await eventually(nothing_open)


@fault(35)
@by_stream
@pytest.mark.parametrize("count", [1, 3])
async def test_stream_that_is_dropped_is_closed_and_stopped(
    provider: Provider, way: str, count: int
) -> None:
    """Without a word, by losing the last reference: as if it had been closed."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), way)
        await read(stream, count)
        del stream
        gc.collect()
        await assert_given_up(provider, server)


@fault(35)
@by_stream
async def test_break_out_of_the_loop_closes_and_stops(provider: Provider, way: str) -> None:
    """The usual form of it: a loop that is left."""
    with provider.server(answer=unfinished(provider)) as server:
        model = provider.model(server)
        await _leave_the_loop(model, way)
        gc.collect()
        await assert_given_up(provider, server)


@fault(35)
# httpx makes generators for the abort, too, and asyncio says that this is late
@pytest.mark.filterwarnings("ignore:asynchronous generator:ResourceWarning")
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "dropped"])
def test_loop_that_ends_with_a_stream_open_stops_it(
    provider: Provider, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """`asyncio.run` returns in the midst of a stream: its end is not skipped, nor noisy."""
    held: list[Any] = []

    async def main(server: ByteServer) -> None:
        stream = begin(provider.model(server), "astream")
        await read(stream, 2)
        if kept:
            held.append(stream)

    with provider.server(answer=unfinished(provider)) as server:
        asyncio.run(main(server))
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert server.wait_closed(1)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@fault(34)
@by_call
async def test_stop_string_ends_the_run_at_the_service(provider: Provider, way: str) -> None:
    """An answer that is cut by the caller's own stop string need not be written to its end."""
    with provider.server(answer=unfinished(provider)) as server:
        model = provider.model(server, stop=["three"])
        answer = model.invoke("hi") if way == "invoke" else await model.ainvoke("hi")
        assert answer.text == "One two "
        await assert_given_up(provider, server)


@fault(34)
async def test_stream_closed_by_another_thread_than_its_reader_is_stopped(
    provider: Provider,
) -> None:
    """A generator may be handed on, as frameworks do between its items."""
    with provider.server(answer=unfinished(provider)) as server:
        stream = begin(provider.model(server), "stream")
        await read(stream, 1)
        closer = threading.Thread(target=stream.close)  # type: ignore[union-attr]
        closer.start()
        closer.join()
        await assert_given_up(provider, server)


async def _leave_the_loop(model: Any, way: str) -> None:
    if way == "stream":
        for chunk in model.stream("hi"):
            if chunk.text:
                break
    else:
        async for chunk in model.astream("hi"):
            if chunk.text:
                break
