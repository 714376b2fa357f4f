"""What a client that looks like a browser keeps of httpx's contract: answers, closing, faults."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.errors import APIConnectionError, APITimeoutError
from langchain_g4f.transport.impersonate import CurlTransport, ImpersonateConfig, SyncCurlTransport
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.exchanges import (
    MIB,
    begin,
    by_mode,
    chrome,
    clocks,
    echo,
    read_all,
    until,
)

pytestmark = pytest.mark.proves("promise:impersonate-contract")
CHROME = ImpersonateConfig("chrome")

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


# -- clocks ---------------------------------------------------------------------------------------


@by_mode
@pytest.mark.parametrize("kind", ["first_event", "silence"])
async def test_read_times_out_when_it_should(mode: str, kind: str) -> None:
    """Before the answer by one clock, inside it by another one."""
    with ByteServer(Asked.never_answer if kind == "first_event" else begin) as server:
        exchange = chrome(mode)
        begun = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            await read_all(exchange, Request("GET", server.url), clocks(**{kind: 0.2}))
        assert 0.19 < time.monotonic() - begun < 0.4
        assert (caught.value.kind, caught.value.request_sent) == (kind, True)
        await exchange.close()
        assert server.wait_closed(1)


@by_mode
async def test_slow_reader_is_no_silence(mode: str) -> None:
    """The clock runs only while a reader waits."""

    def handle(asked: Asked) -> None:
        stream = asked.start_stream()
        stream.chunk(b"a")
        asked.hold(0.4)
        stream.chunk(b"b")
        stream.end()

    with ByteServer(handle) as server:
        exchange = chrome(mode)
        await exchange.open(Request("GET", server.url), clocks(silence=0.3))
        assert await exchange.read() == b"a"
        await asyncio.sleep(0.3)
        assert await exchange.read() == b"b"
        assert await exchange.read() is None
        await exchange.close()


@by_mode
async def test_connection_that_does_not_stand_in_time_was_used_for_nothing(mode: str) -> None:
    """The TLS handshake is a part of connecting."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        exchange = chrome(mode)
        begun = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            await exchange.open(
                Request("POST", url, body=b"x"), clocks(connect=0.2, first_event=0.1)
            )
        assert 0.19 < time.monotonic() - begun < 0.6
        assert (caught.value.kind, caught.value.request_sent) == ("connect", False)


@by_mode
async def test_service_that_does_not_read_is_a_write_timeout(mode: str) -> None:
    """A request that cannot be written is not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        exchange = chrome(mode)
        request = Request("POST", url, body=bytes(32 * MIB))
        with pytest.raises(APITimeoutError) as caught:
            await exchange.open(request, clocks(write=0.2))
        assert (caught.value.kind, caught.value.request_sent) == ("write", True)


def test_without_clocks_nothing_times_out() -> None:
    """A clock that is None runs for ever."""

    def handle(asked: Asked) -> None:
        asked.hold(0.1)
        echo(asked)

    async def ask(url: str) -> bytes:
        async with httpx.AsyncClient(transport=CurlTransport(CHROME), timeout=None) as http:  # noqa: S113
            return (await http.get(url)).content

    with ByteServer(handle) as server:
        assert asyncio.run(ask(server.url)) == b"GET /"
        with httpx.Client(transport=SyncCurlTransport(CHROME), timeout=None) as http:  # noqa: S113
            assert http.get(server.url).content == b"GET /"


# -- faults ---------------------------------------------------------------------------------------


def cut(asked: Asked) -> None:
    """Promise more than there is."""
    asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na")
    asked.close()


def cut_chunk(asked: Asked) -> None:
    """Leave out the last chunk."""
    asked.start_stream().chunk(b"a")
    asked.close()


def reset(asked: Asked) -> None:
    """Begin an answer, and break the connection once that was read."""
    asked.start_stream().chunk(b"a")
    asked.hold(0.1)
    asked.reset()


def garbage(asked: Asked) -> None:
    """Answer in no language known."""
    asked.send(b"\x00\x01 what?\r\n\r\n")
    asked.close()


@by_mode
@pytest.mark.parametrize(
    ("handle", "name"),
    [
        (cut, "RemoteProtocolError"),
        (cut_chunk, "RemoteProtocolError"),
        (reset, "ReadError"),
        (garbage, "RemoteProtocolError"),
        (Asked.close, "RemoteProtocolError"),
        (Asked.reset, "ReadError"),
    ],
)
async def test_broken_answer_is_a_connection_error(mode: str, handle: Any, name: str) -> None:
    """Of the kind that httpx would name, and the request counts as sent."""
    with ByteServer(handle) as server:
        exchange = chrome(mode)
        with pytest.raises(APIConnectionError, match=name) as caught:
            await read_all(exchange, Request("POST", server.url, body=b"x"))
        assert caught.value.request_sent
        await exchange.close()


@by_mode
@pytest.mark.parametrize(("method", "body"), [("POST", b"x"), ("POST", b""), ("GET", b"")])
async def test_request_lost_on_a_used_connection_is_not_repeated(
    mode: str, method: str, body: bytes
) -> None:
    """The library would do so for any method, and decides nothing here."""

    def handle(asked: Asked) -> None:
        if asked.request_number == 1:
            echo(asked)
        else:
            asked.close()

    with ByteServer(handle) as server:
        await chrome(mode).whole(Request("GET", server.url))
        with pytest.raises(APIConnectionError) as caught:
            await chrome(mode).open(Request(method, f"{server.url}/lost", body=body))
        assert caught.value.request_sent
        assert [asked.path for asked in server.requests] == ["/", "/lost"]


@by_mode
async def test_unread_answer_stays_at_the_service(mode: str) -> None:
    """A reader that sleeps costs no memory, and loses nothing either."""
    total, sent = 24 * MIB, itertools.count()
    block = bytes(range(256)) * 256

    def flood(asked: Asked) -> None:
        stream = asked.start_stream()
        for _ in range(total // len(block)):
            stream.chunk(block)
            next(sent)
        stream.end()

    def blocks_sent() -> int:
        return sent.__reduce__()[1][0]  # type: ignore[return-value]

    with ByteServer(flood) as server:
        exchange = chrome(mode)
        await exchange.open(Request("GET", server.url))
        before = -1
        while blocks_sent() != before:  # until it stands still
            before = blocks_sent()
            await asyncio.sleep(0.1)
        transfer = exchange.inner._response.stream._stream._transfer
        assert sum(map(len, transfer._pieces)) < 512 * 1024
        assert before * len(block) < 16 * MIB
        read = 0
        while (data := await exchange.read()) is not None:
            assert (
                data == block[read % 256 :][: len(data)]
                or data == (block * 9)[read % 256 :][: len(data)]
            )
            read += len(data)
        assert read == total
        await exchange.close()
