"""What a client that looks like a browser keeps of httpx's contract: answers, closing."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading

import pytest

from langchain_g4f.core.http import Request
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.exchanges import by_mode, echo
from tests.unit.transport.impersonating import MIB, begin, chrome, until

pytestmark = pytest.mark.proves("promise:impersonate-contract")

# -- the answer -----------------------------------------------------------------------------------


@by_mode
async def test_answer_is_that_of_the_final_response(mode: str) -> None:
    """Interim responses and trailers are no part of it; repeated headers keep their order."""

    def handle(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        asked.send(
            b"HTTP/1.1 201 Made\r\nset-cookie: a=1\r\nX-Empty:\r\nSet-Cookie: b=2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: late\r\n\r\n"
        )

    with ByteServer(handle) as server:
        exchange = chrome(mode)
        head = await exchange.open(Request("GET", f"{server.url}/x?y=%20z"))
        assert (head.status, head.url) == (201, f"{server.url}/x?y=%20z")
        assert head.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert head.headers.get_all("x-empty") == [""]
        assert head.headers.get_all("link") == []
        assert [await exchange.read(), await exchange.read()] == [b"hello", None]
        assert head.headers.get_all("x-trailer") == []
        await exchange.close()


@by_mode
async def test_pieces_arrive_as_they_are_sent(mode: str) -> None:
    """Nothing is held back until there is more."""
    seen = threading.Semaphore(0)

    def handle(asked: Asked) -> None:
        stream = asked.start_stream()
        for number in range(5):
            stream.chunk(b"%d" % number)
            assert seen.acquire(timeout=5)
        stream.end()

    with ByteServer(handle) as server:
        exchange = chrome(mode)
        await exchange.open(Request("GET", server.url))
        for number in range(5):
            assert await exchange.read() == b"%d" % number
            seen.release()
        assert await exchange.read() is None
        await exchange.close()


@by_mode
@pytest.mark.parametrize("size", [0, 1, 3 * MIB])
async def test_body_is_sent_whole_and_at_once(mode: str, size: int) -> None:
    """With its length, and without asking for leave first."""
    with ByteServer(echo) as server:
        body = bytes(itertools.islice(itertools.cycle(range(251)), size))
        assert await chrome(mode).whole(Request("POST", server.url, body=body)) == b"POST /"
        (asked,) = server.requests
    assert asked.body == body
    assert asked.header("content-length") == str(size)
    assert asked.header("expect") is None
    assert asked.header("content-type") is None


@by_mode
async def test_head_has_no_body(mode: str) -> None:
    """Whatever length the answer claims."""
    with ByteServer(
        lambda asked: asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    ) as it:
        assert await chrome(mode).whole(Request("HEAD", it.url)) == b""
        assert it.requests[0].method == "HEAD"


@by_mode
async def test_coded_answer_is_not_decoded(mode: str) -> None:
    """Whoever reads decides what to make of it."""
    with ByteServer(
        lambda asked: asked.respond(200, b"\x1f\x8b", [("Content-Encoding", "gzip")])
    ) as it:
        assert await chrome(mode).whole(Request("GET", it.url)) == b"\x1f\x8b"


# -- closing --------------------------------------------------------------------------------------


@by_mode
async def test_stream_that_waits_for_its_reader_is_closed_like_any_other(mode: str) -> None:
    """The library is paused then, and would not look at the connection."""

    def flood(asked: Asked) -> None:
        stream = asked.start_stream()
        while True:
            stream.chunk(bytes(65536))

    with ByteServer(flood) as server:
        exchange = chrome(mode)
        await exchange.open(Request("GET", server.url))
        transfer = exchange.inner._response.stream._stream._transfer
        assert await until(lambda: transfer.paused)
        await exchange.close()
        assert server.wait_closed(1)


@by_mode
async def test_answer_that_is_dropped_is_given_up(mode: str) -> None:
    """After its collection, without a warning."""
    with ByteServer(begin) as server:
        exchange = chrome(mode)
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
