"""The guarded download, through both drivers."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.plan import Plan
from langchain_g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    MalformedStreamError,
    MediaTooLargeError,
)
from langchain_g4f.media.download import download
from langchain_g4f.run import arun, run
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.certificates import Authority
from tests.contract.faults.downloads import HERE, PNG, Resolver, by_driver, context, fetch, give
from tests.contract.faults.harness import assert_decent, eventually
from tests.contract.faults.registry import CANARY


@by_driver
async def test_file_of_a_trusted_host_is_fetched(driver: str) -> None:
    """What the other tests refuse is refused for its fault."""
    with ByteServer(give(PNG, "text/html")) as server:
        media = await fetch(driver, f"{server.url}/a/cat.png?size=1")
        assert media == Media(PNG, "image/png", "cat.png")
        (request,) = server.requests
        assert (request.method, request.path, request.query) == ("GET", "/a/cat.png", "size=1")
        assert request.header("accept-encoding") == "identity"
        assert await eventually(lambda: server.connections_open == 0)


@by_driver
async def test_next_address_is_tried_where_the_first_does_not_answer(
    driver: str, resolver: Resolver
) -> None:
    """Both were checked."""
    resolver.names["images.example"] = [["::1", "127.0.0.1"]]
    with ByteServer(give(PNG)) as server:
        url = f"http://images.example:{server.port}/cat.png"
        assert (await fetch(driver, url, trusted=["images.example"])).data == PNG


@by_driver
async def test_client_of_the_user_is_not_asked(driver: str) -> None:
    """Nothing is known of where it connects to."""

    def refuse(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"asked for {request.url}")

    found: list[Media] = []

    def plan(url: str) -> Plan:
        found.append((yield from download(url, limit=1000, trusted_hosts=HERE)))

    transport = httpx.MockTransport(refuse)
    with ByteServer(give(PNG)) as server:
        call = plan(server.url), context(server.url)
        if driver == "run":
            with httpx.Client(transport=transport) as own:
                list(run(*call, client.SyncClient(own)))
        else:
            async with httpx.AsyncClient(transport=transport) as other:
                assert [event async for event in arun(*call, client.AsyncClient(other))] == []
    assert found[0].data == PNG


@by_driver
async def test_credentials_stay_at_home(driver: str) -> None:
    """No cookie goes along, not even to the service's own host, and none is kept."""
    cookie = [("Set-Cookie", "hf-chat=other")]
    with ByteServer(lambda exchange: exchange.respond(200, PNG, cookie)) as server:
        own = context(server.url)
        assert CANARY in own.cookies.header_for(server.url)

        def plan() -> Plan:
            yield from download(f"{server.url}/", limit=1000, trusted_hosts=HERE)

        if driver == "run":
            list(run(plan(), own, client.sync_client(client.ClientSettings())))
        else:
            events = arun(plan(), own, client.async_client(client.ClientSettings()))
            assert [event async for event in events] == []
        assert CANARY not in str(server.requests[0].headers)
        assert server.requests[0].header("cookie") is None
        assert own.cookies.header_for(server.url) == f"hf-chat={CANARY}"


@by_driver
async def test_certificate_has_to_be_that_of_the_name(
    driver: str, trusted: Authority, resolver: Resolver
) -> None:
    """Not that of the address, and not one that was good for another name at this address."""
    resolver.names |= {"a.example": [["127.0.0.1"]], "b.example": [["127.0.0.1"]]}
    names = ("a.example", "b.example")
    with ByteServer(give(PNG), ssl_context=trusted.server("DNS:a.example")) as server:
        good = f"https://a.example:{server.port}/"
        assert (await fetch(driver, good, trusted=names)).data == PNG
        with pytest.raises(APIConnectionError, match="no TLS connection to") as caught:
            await fetch(driver, good.replace("a.example", "b.example"), trusted=names)
        assert "b.example" in str(caught.value)
        assert_decent(caught.value)
        assert (await fetch(driver, good, trusted=names)).data == PNG
        assert [request.request_number for request in server.requests] == [1, 1]
    with ByteServer(give(PNG), ssl_context=trusted.server("IP:127.0.0.1")) as server:
        with pytest.raises(APIConnectionError, match="no TLS connection to"):
            await fetch(driver, f"https://a.example:{server.port}/", trusted=names)
        assert (await fetch(driver, f"{server.url}/")).data == PNG


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
async def test_coded_body_is_refused(driver: str) -> None:
    """None was asked for, and a small one can be huge."""
    coded = [("Content-Encoding", "gzip")]
    with ByteServer(lambda exchange: exchange.respond(200, PNG, coded)) as server:
        with pytest.raises(MalformedStreamError, match="gzip"):
            await fetch(driver, f"{server.url}/")
        assert await eventually(lambda: 1 in server.closings)


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
        time.sleep(1.5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        await fetch(driver, "http://slow.example/", clocks=Clocks.within(0.2))
    assert caught.value.kind == "total"
    assert time.monotonic() - start < 1.4
    assert_decent(caught.value)
