"""An exchange whose task is cancelled leaves neither a socket nor a place in the pool behind."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
import httpx
import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.transport.async_transport import AsyncExchange
from langchain_g4f.transport.client import AsyncClient
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.unit.transport.exchanges import (
    CLOCKS,
    assert_pool_is_quiet,
    by_library,
    curl,
    sockets_open,
)


def answer(asked: Exchange) -> None:
    """Answer in two pieces."""
    stream = asked.start_stream()
    stream.chunk(b"a")
    stream.chunk(b"b")
    stream.end()


def begin(asked: Exchange) -> None:
    """Begin an answer and leave it at that."""
    asked.start_stream().chunk(b"a")
    asked.never_answer()


async def use(exchange: AsyncExchange, url: str) -> None:
    """A whole exchange, closed in any case, as the driver does it."""
    try:
        await exchange.open(Request("POST", url, body=b"body"), CLOCKS)
        while await exchange.read() is not None:
            pass
    finally:
        await exchange.close()


async def cancelled(work: Awaitable[None], ticks: int) -> bool:
    """Cancel it after so many turns of the loop; whether that was in time."""
    task = asyncio.ensure_future(work)
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    return isinstance((await asyncio.gather(task, return_exceptions=True))[0], BaseException)


@by_library
@pytest.mark.parametrize("handle", [answer, begin, Exchange.never_answer])
async def test_exchange_cancelled_at_any_moment_gives_its_connection_back(
    handle: Callable[[Exchange], None], library: str
) -> None:
    """After each number of turns of the loop, the connecting and the closing included."""
    with ByteServer(handle) as server:
        transport = curl("async") if library == "curl" else None
        async with httpx.AsyncClient(transport=transport) as http:
            client = AsyncClient(http)
            for ticks in range(40):
                await cancelled(use(client.exchange(), server.url), ticks)
                assert_pool_is_quiet(http)
        assert await asyncio.to_thread(server.wait_closed, 1)


@pytest.mark.parametrize("ends", [answer, begin])
async def test_exchange_cancelled_as_it_is_closed_gives_its_connection_back(
    ends: Callable[[Exchange], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment in which httpcore would lose it."""
    close: Any = httpcore.AsyncHTTP11Connection._response_closed
    tasks: list[asyncio.Task[None]] = []

    async def close_and_cancel(self: Any) -> None:
        for task in tasks:
            task.cancel()
        await close(self)

    monkeypatch.setattr(httpcore.AsyncHTTP11Connection, "_response_closed", close_and_cancel)

    async def read_and_close(exchange: AsyncExchange, url: str) -> None:
        await exchange.open(Request("POST", url), CLOCKS)
        await exchange.read()
        if ends is answer:
            while await exchange.read() is not None:
                pass
        await exchange.close()

    with ByteServer(ends) as server:
        async with httpx.AsyncClient() as http:
            exchange = AsyncClient(http).exchange()
            tasks.append(asyncio.ensure_future(read_and_close(exchange, server.url)))
            with pytest.raises(asyncio.CancelledError):
                await tasks[0]
            await exchange.close()
            assert_pool_is_quiet(http)


async def test_answer_that_arrives_as_its_request_is_cancelled_is_closed() -> None:
    """It has no reader any more, and is not forgotten."""

    class Late(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            task.cancel()
            return httpx.Response(200, stream=body)

    class Body(httpx.AsyncByteStream):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    body = Body()
    async with httpx.AsyncClient(transport=Late()) as http:
        task = asyncio.ensure_future(use(AsyncClient(http).exchange(), "http://x/"))
        with pytest.raises(asyncio.CancelledError):
            await task
    assert body.closed


def test_error_of_a_request_that_was_cancelled_is_dropped() -> None:
    """The cancellation goes on, without a warning of an exception never retrieved."""

    class Grumbling(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise httpx.ReadError("cancelled") from None
            raise AssertionError

    complaints: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: complaints.append(it))
        async with httpx.AsyncClient(transport=Grumbling()) as http:
            assert await cancelled(use(AsyncClient(http).exchange(), "http://x/"), 5)

    asyncio.run(main())
    gc.collect()
    assert complaints == []


async def test_handshake_that_is_cancelled_or_times_out_is_closed() -> None:
    """Httpcore forgets a connection that is between TCP and TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        async with httpx.AsyncClient() as http:
            before = sockets_open()
            for _ in range(3):
                work = asyncio.ensure_future(use(AsyncClient(http).exchange(), url))
                await asyncio.sleep(0.02)
                work.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await work
            await asyncio.sleep(0.01)
            assert sockets_open() == before
            assert_pool_is_quiet(http)
