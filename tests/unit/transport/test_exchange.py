"""One request and its answer, over real connections, in both worlds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Headers, Part, Request, ResponseHead
from langchain_g4f.errors import (
    APIConnectionError,
    MalformedStreamError,
    TooLargeError,
)
from langchain_g4f.transport.exchange import check_coding, check_length
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.exchanges import (
    by_library,
    by_mode,
    exchanges,
)

CANARY = "canary-f3a91c77d2"


def echo(asked: Asked) -> None:
    """Answer well."""
    asked.respond(200, b"hello")


def post(server: ByteServer, **fields: Any) -> Request:
    """A request to the server."""
    return Request("POST", f"{server.url}/x?token={CANARY}", **fields)


@by_mode
@by_library
async def test_answer_has_its_head_and_its_body(mode: str, library: str) -> None:
    """Repeated headers are kept, and the address is the one that was asked."""

    def handle(asked: Asked) -> None:
        cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        stream = asked.start_stream(201, "text/plain", cookies)
        stream.chunk(b"hel")
        stream.chunk(b"lo")
        stream.end()

    with ByteServer(handle) as server:
        async with exchanges(mode, library) as make:
            exchange = make()
            head = await exchange.open(post(server))
            assert (head.status, head.url) == (201, f"{server.url}/x?token={CANARY}")
            assert head.headers.get_all("set-cookie") == ["a=1", "b=2"]
            body = [await exchange.read(), await exchange.read(), await exchange.read()]
            assert b"".join(filter(None, body)) == b"hello"
            assert await exchange.read() is None
            await exchange.close()


@by_mode
async def test_request_is_sent_as_it_is_with_few_headers_of_ours(mode: str) -> None:
    """Nothing is asked to be compressed, no cookie of an earlier answer is added."""

    def handle(asked: Asked) -> None:
        asked.respond(200, b"{}", [("Set-Cookie", "tracking=1; Path=/")])

    with ByteServer(handle) as server:
        async with exchanges(mode, cookies={"client": "1"}) as make:
            for headers in ({}, {"user-agent": "mine", "x-own": "y"}):
                await make().whole(post(server, headers=headers, body=b"body"))
        first, second = server.requests
    assert (first.method, first.path, first.query) == ("POST", "/x", f"token={CANARY}")
    assert first.body == b"body"
    assert first.header("accept-encoding") == "identity"
    assert str(first.header("user-agent")).startswith("langchain-g4f/")
    assert (second.header("user-agent"), second.header("x-own")) == ("mine", "y")
    assert first.header("cookie") is None
    assert second.header("cookie") is None


@by_mode
async def test_parts_become_a_form(mode: str) -> None:
    """With and without a file name and a content type."""
    parts = (
        Part("data", b'{"a": 1}'),
        Part("files", b"text", filename="base64;a b.txt"),
        Part("files", b"\0\xff", filename="x.png", content_type="image/png"),
    )
    headers = {"content-type": "multipart/form-data; boundary=limit"}
    with ByteServer(echo) as server:
        async with exchanges(mode) as make:
            await make().whole(post(server, headers=headers, body=parts))
        (asked,) = server.requests
    assert asked.body == (
        b'--limit\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"a": 1}\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="files"; filename="base64;a b.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\ntext\r\n"
        b'--limit\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\0\xff\r\n--limit--\r\n"
    )


@pytest.mark.proves("obligation:huggingchat:2")
@by_mode
@by_library
async def test_redirect_is_an_answer_and_not_followed(mode: str, library: str) -> None:
    """Credentials stay where they were sent."""

    def handle(asked: Asked) -> None:
        asked.respond(302, b"", [("Location", "/elsewhere")])

    with ByteServer(handle) as server:
        async with exchanges(mode, library, follow_redirects=True) as make:
            exchange = make()
            assert (await exchange.open(post(server))).status == 302
            await exchange.close()
        assert [asked.path for asked in server.requests] == ["/x"]


@by_mode
@by_library
async def test_connection_is_used_again_after_a_whole_answer_only(mode: str, library: str) -> None:
    """One that was not read to its end is closed."""

    def handle(asked: Asked) -> None:
        if asked.path == "/idle":
            asked.start_stream().chunk(b"a")
            asked.never_answer()
        echo(asked)

    with ByteServer(handle) as server:
        async with exchanges(mode, library) as make:
            await make().whole(post(server))
            exchange = make()
            await exchange.open(Request("GET", f"{server.url}/idle"))
            await exchange.close()
            await make().whole(post(server))
        numbers = [(a.connection_number, a.request_number) for a in server.requests]
    assert numbers == [(1, 1), (1, 2), (2, 1)]


@pytest.mark.proves("promise:early-close")
@by_mode
@by_library
async def test_close_within_an_answer_closes_the_connection_at_once(
    mode: str, library: str
) -> None:
    """The service sees it, and nothing more is read."""

    def handle(asked: Asked) -> None:
        asked.start_stream().chunk(b"a")
        asked.never_answer()

    with ByteServer(handle) as server:
        async with exchanges(mode, library) as make:
            exchange = make()
            await exchange.open(post(server))
            assert await exchange.read() == b"a"
            begin = time.monotonic()
            await exchange.close()
            await exchange.close()
            assert await exchange.read() is None
            assert server.wait_closed(1)
            assert server.closings[1] - begin < 1


@by_mode
@by_library
async def test_read_within_a_time_gives_up_and_leaves_no_error(mode: str, library: str) -> None:
    """The rest of an answer is waited for briefly."""

    def handle(asked: Asked) -> None:
        asked.start_stream().chunk(b"a")
        asked.never_answer()

    with ByteServer(handle) as server:
        async with exchanges(mode, library) as make:
            exchange = make()
            await exchange.open(post(server))
            assert await exchange.read(1) == b"a"
            begin = time.monotonic()
            try:
                assert await exchange.read(0.05) is None
            except APIConnectionError:
                assert mode == "sync"  # the socket was shut down under the read
            assert 0.04 < time.monotonic() - begin < 1
            assert await exchange.read(0) is None
            assert await exchange.read(-1) is None
            await exchange.close()


async def test_read_within_a_time_over_a_transport_without_a_socket_waits_for_it() -> None:
    """There is nothing to shut down; what comes is given out."""

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            time.sleep(0.03)
            yield b"late"

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Body()))
    async with exchanges("sync", transport=transport) as make:
        exchange = make()
        await exchange.open(Request("GET", "http://x/"))
        assert await exchange.read(0.01) == b"late"
        await exchange.close()


@by_mode
async def test_read_within_a_time_of_an_answer_that_ends_is_its_end(mode: str) -> None:
    """The connection can be used again."""
    with ByteServer(echo) as server:
        async with exchanges(mode) as make:
            exchange = make()
            await exchange.open(post(server))
            assert await exchange.read(1) == b"hello"
            assert await exchange.read(1) is None
            await exchange.close()
            await make().whole(post(server))
        assert [a.connection_number for a in server.requests] == [1, 1]


class LateTimer(threading.Timer):
    """Goes off while it is being cancelled."""

    def start(self) -> None:
        """Not yet."""

    def cancel(self) -> None:
        """Too late."""
        self.function(*self.args)


async def test_timer_that_is_late_leaves_the_connection_to_who_has_it_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has ended in time is not hung up on, although the time is over by then."""
    monkeypatch.setattr(threading, "Timer", LateTimer)
    with ByteServer(echo) as server:
        async with exchanges("sync") as make:
            exchange = make()
            await exchange.open(post(server))
            assert await exchange.read(1) == b"hello"
            assert await exchange.read(1) is None
            await exchange.close()
            await make().whole(post(server))
        assert [a.connection_number for a in server.requests] == [1, 1]


async def test_answer_that_was_read_to_its_end_keeps_its_connection_until_it_is_closed() -> None:
    """Another call must not have it while a timer of this one may go off."""
    with ByteServer(echo) as server:
        async with exchanges("sync") as make:
            exchange = make()
            await exchange.open(post(server))
            while await exchange.read() is not None:
                pass
            await make().whole(post(server))
            await exchange.close()
        assert [a.connection_number for a in server.requests] == [1, 2]


@pytest.mark.parametrize("value", ["gzip", "br", "GZIP", "identity, gzip", "x" * 100])
def test_content_coding_that_was_not_asked_for_is_refused(value: str) -> None:
    """A small answer could decode to a huge one."""
    head = ResponseHead(200, Headers([("Content-Encoding", value)]))
    with pytest.raises(MalformedStreamError, match="not asked for") as caught:
        check_coding(head)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "headers", [[], [("Content-Encoding", "")], [("content-encoding", "Identity")]]
)
def test_content_that_is_not_coded_is_accepted(headers: list[tuple[str, str]]) -> None:
    """With or without saying so."""
    check_coding(ResponseHead(200, Headers(headers)))


@pytest.mark.parametrize("announced", ["", "0", "1000", "-1", "many", "1e9", "\u0662"])
def test_length_within_the_limit_or_unknown_is_accepted(announced: str) -> None:
    """What is announced wrongly is counted as it comes."""
    check_length(ResponseHead(200, Headers([("Content-Length", announced)])), 1000)


@pytest.mark.parametrize("announced", ["1001", "9" * 5000])
def test_length_beyond_the_limit_is_refused_before_reading(announced: str) -> None:
    """However large the number."""
    with pytest.raises(TooLargeError, match="larger than 1000 bytes"):
        check_length(ResponseHead(200, Headers([("Content-Length", announced)])), 1000)
