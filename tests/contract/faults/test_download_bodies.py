"""What a download makes of bodies, and of resolvers, that mean no good; through both drivers."""

from __future__ import annotations

import socket
import time

import pytest

from langchain_g4f.core.limits import MIB, Clocks
from langchain_g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    MalformedStreamError,
    MediaTooLargeError,
    UnsupportedMediaError,
)
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.downloads import PNG, Resolver, by_driver, fetch, give
from tests.contract.faults.harness import assert_decent, eventually


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The names of this test."""
    return Resolver(monkeypatch)


# --- row 47 --------------------------------------------------------------------------------------


@by_driver
async def test_announced_size_beyond_the_limit_is_refused_before_a_byte_is_read(
    driver: str,
) -> None:
    """21 MiB of a limit of 20; the body never comes, and nobody waits for it."""

    def announce(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (21 * MIB))
        exchange.never_answer()

    with ByteServer(announce) as server:
        start = time.monotonic()
        with pytest.raises(MediaTooLargeError, match=f"more than {20 * MIB} bytes") as caught:
            await fetch(driver, f"{server.url}/?a", limit=20 * MIB)
        assert time.monotonic() - start < 2
        assert_decent(caught.value)
        assert await eventually(lambda: 1 in server.closings)


@by_driver
async def test_body_without_a_size_is_read_to_the_limit_and_no_further(driver: str) -> None:
    """What the server sends on is not taken."""
    sent = []

    def flood(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type="image/png")
        stream.chunk(PNG)
        while True:
            stream.chunk(bytes(1 << 16))
            sent.append(1 << 16)

    with ByteServer(flood) as server:
        with pytest.raises(MediaTooLargeError):
            await fetch(driver, f"{server.url}/", limit=MIB)
        assert await eventually(lambda: 1 in server.closings)
    assert sum(sent) < 20 * MIB


@by_driver
async def test_body_of_just_the_limit_is_taken(driver: str) -> None:
    """Whether its size is announced or not."""

    def stream(exchange: Exchange) -> None:
        body = exchange.start_stream()
        for at in range(0, len(PNG), 10):
            body.chunk(PNG[at : at + 10])
        body.end()

    for action in (give(PNG), stream):
        with ByteServer(action) as server:
            assert (await fetch(driver, f"{server.url}/", limit=len(PNG))).data == PNG
            with pytest.raises(MediaTooLargeError):
                await fetch(driver, f"{server.url}/", limit=len(PNG) - 1)


@by_driver
async def test_body_longer_than_announced_ends_where_it_was_announced(driver: str) -> None:
    """And its connection is not used again."""

    def lie(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + PNG + b"<html>" * 1000)
        exchange.never_answer()

    with ByteServer(lie) as server:
        for _ in range(2):
            assert (await fetch(driver, f"{server.url}/")).data == PNG
        assert [request.request_number for request in server.requests] == [1, 1]


@by_driver
async def test_body_shorter_than_announced_is_no_file(driver: str) -> None:
    """It is cut, however well it begins."""

    def cut(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + PNG)
        exchange.close()

    with ByteServer(cut) as server:
        with pytest.raises(APIConnectionError) as caught:
            await fetch(driver, f"{server.url}/?a")
        assert (caught.value.provider, caught.value.phase) == ("test", "download a file")
        assert_decent(caught.value)


@by_driver
@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!doctype html><p>not a cat", "an HTML page"),
        (b"<svg onload='alert(1)'/>", "SVG"),
        (b"MZ\x90\0", "not known"),
    ],
)
async def test_lying_name_and_content_type_do_not_help(driver: str, body: bytes, what: str) -> None:
    """What counts is what the bytes are."""
    with ByteServer(give(body, "image/png")) as server:
        with pytest.raises(UnsupportedMediaError, match=what) as caught:
            await fetch(driver, f"{server.url}/cat.png")
        assert_decent(caught.value)


@by_driver
async def test_coded_body_is_refused(driver: str) -> None:
    """None was asked for, and a small one can be huge."""
    coded = [("Content-Encoding", "gzip")]
    with ByteServer(lambda exchange: exchange.respond(200, PNG, coded)) as server:
        with pytest.raises(MalformedStreamError, match="gzip"):
            await fetch(driver, f"{server.url}/")
        assert await eventually(lambda: 1 in server.closings)


@by_driver
async def test_slow_drip_ends_with_the_total_clock(driver: str) -> None:
    """No single wait is long, and all together are."""

    def drip(exchange: Exchange) -> None:
        body = exchange.start_stream()
        for at in range(len(PNG)):
            body.chunk(PNG[at : at + 1])
            exchange.hold(0.05)

    with ByteServer(drip) as server:
        start = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            await fetch(driver, f"{server.url}/", clocks=Clocks.within(0.4))
        assert caught.value.kind == "total"
        assert 0.3 < time.monotonic() - start < 2
        assert_decent(caught.value)
        assert await eventually(lambda: 1 in server.closings)


# --- the resolver --------------------------------------------------------------------------------


@by_driver
async def test_unknown_name_is_a_connection_error_that_names_it(
    driver: str, resolver: Resolver
) -> None:
    """And nothing of what follows it in the URL."""
    with pytest.raises(APIConnectionError, match=r"address of no\.example \(Name or") as caught:
        await fetch(driver, "http://no.example/secret?x")
    assert (caught.value.provider, caught.value.phase) == ("test", "look up the host")
    assert "secret" not in str(caught.value)
    assert_decent(caught.value)
    assert resolver.asked == ["no.example"]


@by_driver
async def test_slow_resolver_ends_with_the_total_clock(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be interrupted, but the call does not wait for it."""

    def slow(*_: object, **__: object) -> list[object]:
        time.sleep(1)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        await fetch(driver, "http://slow.example/", clocks=Clocks.within(0.2))
    assert caught.value.kind == "total"
    assert time.monotonic() - start < 0.9
    assert_decent(caught.value)
