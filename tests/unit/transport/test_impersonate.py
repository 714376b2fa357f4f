"""What a client that looks like a browser keeps of httpx's contract: answers, closing."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import time
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Part, Request
from langchain_g4f.transport.async_transport import AsyncExchange
from langchain_g4f.transport.client import AsyncClient
from langchain_g4f.transport.impersonate import CurlTransport, ImpersonateConfig
from langchain_g4f.transport.sync_transport import SyncExchange
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.impersonating import CHROME, MIB, begin, chrome, clocks, until
from tests.unit.transport.worlds import CLOCKS, by_world, echo, made

pytestmark = pytest.mark.proves("promise:impersonate-contract")

# -- the answer -----------------------------------------------------------------------------------


@by_world
async def test_answer_is_that_of_the_final_response(world: str) -> None:
    """Interim responses and trailers are no part of it; repeated headers keep their order."""

    def handle(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        asked.send(
            b"HTTP/1.1 201 Made\r\nset-cookie: a=1\r\nX-Empty:\r\nSet-Cookie: b=2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: late\r\n\r\n"
        )

    with ByteServer(handle) as server:
        exchange = chrome(world)
        head = await exchange.open(Request("GET", f"{server.url}/x?y=%20z"))
        assert (head.status, head.url) == (201, f"{server.url}/x?y=%20z")
        assert head.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert head.headers.get_all("x-empty") == [""]
        assert head.headers.get_all("link") == []
        assert [await exchange.read(), await exchange.read()] == [b"hello", None]
        assert head.headers.get_all("x-trailer") == []
        await exchange.close()


@by_world
async def test_pieces_arrive_as_they_are_sent(world: str) -> None:
    """Nothing is held back until there is more."""
    seen = threading.Semaphore(0)

    def handle(asked: Asked) -> None:
        stream = asked.start_stream()
        for number in range(5):
            stream.chunk(b"%d" % number)
            assert seen.acquire(timeout=5)
        stream.end()

    with ByteServer(handle) as server:
        exchange = chrome(world)
        await exchange.open(Request("GET", server.url))
        for number in range(5):
            assert await exchange.read() == b"%d" % number
            seen.release()
        assert await exchange.read() is None
        await exchange.close()


@by_world
@pytest.mark.parametrize("size", [0, 1, 3 * MIB])
async def test_body_is_sent_whole_and_at_once(world: str, size: int) -> None:
    """With its length, and without asking for leave first."""
    with ByteServer(echo) as server:
        body = bytes(itertools.islice(itertools.cycle(range(251)), size))
        assert await chrome(world).whole(Request("POST", server.url, body=body)) == b"POST /"
        (asked,) = server.requests
    assert asked.body == body
    assert asked.header("content-length") == str(size)
    assert asked.header("expect") is None
    assert asked.header("content-type") is None


@by_world
async def test_parts_become_a_form(world: str) -> None:
    """With the boundary of the request's own header."""
    parts = (Part("data", b'{"a": 1}'), Part("files", b"\0\xff", filename="x.png"))
    headers = {"content-type": "multipart/form-data; boundary=limit"}
    with ByteServer(echo) as server:
        await chrome(world).whole(Request("POST", server.url, headers=headers, body=parts))
        (asked,) = server.requests
    assert asked.header("content-type") == "multipart/form-data; boundary=limit"
    assert asked.body == (
        b'--limit\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"a": 1}\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\0\xff\r\n--limit--\r\n"
    )


@by_world
async def test_head_has_no_body(world: str) -> None:
    """Whatever length the answer claims."""
    with ByteServer(
        lambda asked: asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    ) as it:
        assert await chrome(world).whole(Request("HEAD", it.url)) == b""
        assert it.requests[0].method == "HEAD"


@by_world
async def test_coded_answer_is_not_decoded(world: str) -> None:
    """Whoever reads decides what to make of it."""
    with ByteServer(
        lambda asked: asked.respond(200, b"\x1f\x8b", [("Content-Encoding", "gzip")])
    ) as it:
        assert await chrome(world).whole(Request("GET", it.url)) == b"\x1f\x8b"


@by_world
async def test_redirect_is_an_answer_and_no_cookie_is_kept(world: str) -> None:
    """Credentials stay where they were sent, and identities do not mix."""

    def handle(asked: Asked) -> None:
        asked.respond(302, b"", [("Location", "/elsewhere"), ("Set-Cookie", "tracking=1; Path=/")])

    with ByteServer(handle) as server:
        for _ in range(2):
            exchange = chrome(world)
            assert (await exchange.open(Request("GET", f"{server.url}/x"))).status == 302
            await exchange.close()
        assert [(asked.path, asked.header("cookie")) for asked in server.requests] == [
            ("/x", None),
            ("/x", None),
        ]


# -- closing --------------------------------------------------------------------------------------


@by_world
async def test_connection_is_used_again_after_a_whole_answer_only(world: str) -> None:
    """One whose answer goes on is closed."""

    def handle(asked: Asked) -> None:
        if asked.path == "/idle":
            begin(asked)
        echo(asked)

    with ByteServer(handle) as server:
        await chrome(world).whole(Request("GET", server.url))
        exchange = chrome(world)
        await exchange.open(Request("GET", f"{server.url}/idle"))
        await exchange.close()
        await chrome(world).whole(Request("GET", server.url))
        numbers = [(asked.connection_number, asked.request_number) for asked in server.requests]
    assert numbers == [(1, 1), (1, 2), (2, 1)]


@by_world
async def test_closed_idle_stream_is_gone_at_once(world: str) -> None:
    """Though no byte arrives that could wake anybody."""
    with ByteServer(begin) as server:
        exchange = chrome(world)
        await exchange.open(Request("GET", server.url))
        assert await exchange.read() == b"a"
        begun = time.monotonic()
        await exchange.close()
        assert server.wait_closed(1)
        assert server.closings[1] - begun < 0.5


@by_world
async def test_stream_that_waits_for_its_reader_is_closed_like_any_other(world: str) -> None:
    """The library is paused then, and would not look at the connection."""

    def flood(asked: Asked) -> None:
        stream = asked.start_stream()
        while True:
            stream.chunk(bytes(65536))

    with ByteServer(flood) as server:
        exchange = chrome(world)
        await exchange.open(Request("GET", server.url))
        transfer = exchange.inner._response.stream._stream._transfer
        assert await until(lambda: transfer.paused)
        await exchange.close()
        assert server.wait_closed(1)


@by_world
async def test_answer_that_is_dropped_is_given_up(world: str) -> None:
    """After its collection, without a warning."""
    with ByteServer(begin) as server:
        exchange = chrome(world)
        await exchange.open(Request("GET", server.url))
        exchange.inner = None
        gc.collect()
        await asyncio.sleep(0)
        assert await asyncio.to_thread(server.wait_closed, 1)


async def test_cancelled_before_the_answer_is_gone_at_once() -> None:
    """The service may have received the request, and the caller can know."""
    with ByteServer(Asked.never_answer) as server:
        exchange = chrome("async")
        task = asyncio.ensure_future(exchange.open(Request("POST", server.url, body=b"x")))
        assert await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert exchange.inner.request_sent
        assert await asyncio.to_thread(server.wait_closed, 1)


@pytest.mark.parametrize("handle", [echo, begin, Asked.never_answer])
async def test_cancelled_at_any_moment_gives_its_connection_back(handle: Any) -> None:
    """After each number of turns of the loop, the connecting and the closing included."""

    async def use(exchange: AsyncExchange, url: str) -> None:
        try:
            await exchange.open(Request("POST", url, body=b"body"), CLOCKS)
            while await exchange.read() is not None:
                pass
        finally:
            await exchange.close()

    with ByteServer(handle) as server:
        async with httpx.AsyncClient(transport=CurlTransport(ImpersonateConfig("chrome"))) as http:
            client = AsyncClient(http)
            for ticks in range(40):
                task = asyncio.ensure_future(use(client.exchange(), server.url))
                for _ in range(ticks):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                multi: Any = http._transport._multi  # type: ignore[attr-defined]
                assert multi is None or multi._running == {}
        assert await asyncio.to_thread(server.wait_closed, 1)


def test_blocked_read_of_another_thread_ends_with_the_time_it_was_given() -> None:
    """The clean-up reads on for a while after the terminal event, and not for ever."""
    with ByteServer(begin) as server:
        exchange: SyncExchange = made("sync", CHROME).exchange()  # type: ignore[assignment]
        exchange.open(Request("GET", server.url), clocks(silence=30))
        assert exchange.read() == b"a"
        begun = time.monotonic()
        assert exchange.read(within=0.1) is None
        assert time.monotonic() - begun < 1
        exchange.close()
        assert server.wait_closed(1)
