"""A proxy, or an HTTP client of the caller's own, stands between a model and its service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest

from langchain_g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    G4FError,
    StreamInterruptedError,
)
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.certificates import Authority
from tests.contract.faults.harness import (
    ask,
    assert_decent,
    assert_nothing_open,
    begin,
    fail,
    read,
)
from tests.contract.faults.registry import (
    CANARY,
    PATIENT,
    STREAMS,
    After,
    Provider,
    cut,
    fault,
    hang,
    reset,
)
from tests.contract.faults.tunnel import Tunnel
from tests.unit.transport.exchanges import closed_port

WORDS = ("One ", "two ", "three ")


def with_password(proxy: ByteServer) -> str:
    """The address of a proxy, with the user and password to send it."""
    return proxy.url.replace("http://", f"http://user:{CANARY}-proxy@")


def assert_not_asked(service: ByteServer) -> None:
    """Not one connection reached it."""
    assert (service.requests, service.connections_open, service.closings) == ([], 0, {})


def as_service(exchange: Exchange) -> Exchange:
    """The same request, as the proxy would pass it on."""
    return replace(exchange, path=urlsplit(exchange.path).path)


def asked(provider: Provider, requests: Sequence[Exchange]) -> tuple[str, ...]:
    """Name the parts that a proxy was asked for."""
    return tuple(provider.part_of(as_service(each)) for each in requests)


# --- row 42: a proxy, told as such, without its password, and never gone around ------------------


@fault(42, case={"407": ("http", 407), "tunnel-407": ("https", 407), "502": ("https", 502)})
async def test_proxy_that_refuses_is_asked_once_and_told(
    provider: Provider, way: str, case: tuple[str, int]
) -> None:
    """It will refuse the next time, too; the service is not asked without it."""
    scheme, status = case
    with provider.server() as service, ByteServer(lambda x: x.respond(status, b"who?")) as proxy:
        url = service.url.replace("http:", f"{scheme}:")
        model = provider.build(url, proxy=with_password(proxy))
        error = await fail(model, way, APIConnectionError, host=f"127.0.0.1:{service.port}")
        (refused,) = proxy.requests
        assert_not_asked(service)
    assert (refused.header("Proxy-Authorization") or "").startswith("Basic ")
    refusal = f"the proxy 127.0.0.1:{proxy.port} refused the connection to 127.0.0.1:{service.port}"
    assert f"{refusal} ({status}" in str(error)
    assert (error.is_retryable, error.request_sent) == (False, False)


@fault(42, broken=[Exchange.reset, Exchange.close])
async def test_proxy_that_breaks_the_connection_at_once_is_not_gone_around(
    provider: Provider, way: str, broken: Action
) -> None:
    """It does not even say no."""
    for scheme in ("http", "https"):
        with provider.server() as service, ByteServer(broken) as proxy:
            url = service.url.replace("http:", f"{scheme}:")
            model = provider.build(url, proxy=with_password(proxy))
            error = await fail(model, way, APIConnectionError, host=f"127.0.0.1:{service.port}")
            assert f"the proxy 127.0.0.1:{proxy.port} broke the connection" in str(error)
            assert proxy.requests
            assert_not_asked(service)


@fault(42, scheme=["http", "https"])
async def test_proxy_that_is_not_there_is_named(provider: Provider, way: str, scheme: str) -> None:
    """Refused or of an unknown name: it is the proxy's fault, and not the service's."""
    with provider.server() as service, closed_port() as port:
        url = service.url.replace("http:", f"{scheme}:")
        for place in (f"127.0.0.1:{port}", f"nowhere.onion:{port}"):
            proxy = f"http://user:{CANARY}@{place}"
            model = provider.build(url, proxy=proxy, max_retries=0, timeout=PATIENT)
            error = await fail(model, way, APIConnectionError)
            assert f"could not connect to the proxy {place}, which was to ask" in str(error)
            assert not error.request_sent
        assert_not_asked(service)


@fault(42)
async def test_proxy_that_says_nothing_is_named(provider: Provider, way: str) -> None:
    """It takes the connection, and that is all."""
    settings: Any = {"max_retries": 0, "timeout": replace(PATIENT, first_event=0.2)}
    with provider.server() as service, ByteServer(Exchange.never_answer) as proxy:
        model = provider.build(service.url, proxy=with_password(proxy), **settings)
        error = await fail(model, way, APITimeoutError)
        assert f"the proxy 127.0.0.1:{proxy.port}" in str(error)
        assert_not_asked(service)
    assert error.kind == "first_event"


@fault(42, broken=[reset, cut])
async def test_proxy_that_dies_inside_the_answer_interrupts_it(
    provider: Provider, way: str, broken: After
) -> None:
    """What the proxy was told is what the service would have been told."""
    pieces = [*provider.start, *map(provider.token, WORDS)]
    action = provider.serve({provider.answer: provider.answering(*pieces, then=broken)})
    with provider.server() as service:

        def in_its_place(exchange: Exchange) -> None:
            assert exchange.path.startswith(f"{service.url}/"), "a proxy is told whole addresses"
            action(as_service(exchange))

        with ByteServer(in_its_place) as proxy:
            model = provider.build(service.url, proxy=with_password(proxy))
            error = await fail(model, way, StreamInterruptedError)
            expected = (*provider.good_call, *provider.after_cut)
            assert asked(provider, proxy.requests) == expected
        assert_not_asked(service)
    assert error.partial_text == "".join(WORDS)
    assert error.is_retryable


@fault(42, ways=STREAMS)
async def test_tunnel_that_breaks_inside_the_answer_is_not_gone_around(
    provider: Provider, way: str, trusted: Authority
) -> None:
    """Whatever is tried after that is tried by the same proxy, which is dead."""
    pieces = [*provider.start, *map(provider.token, WORDS)]
    action = provider.serve({provider.answer: provider.answering(*pieces, then=hang)})
    certificate = trusted.server("IP:127.0.0.1")
    with ByteServer(action, ssl_context=certificate) as service, Tunnel() as proxy:
        model = provider.build(service.url, proxy=with_password(proxy))
        stream = begin(model, way)
        assert await read(stream, len(WORDS)) == list(WORDS)
        proxy.die()
        with pytest.raises(StreamInterruptedError) as caught:
            await read(stream, 1)
        assert service.wait_closed(1)
        assert provider.asked(service) == provider.good_call
        assert len(service.closings) == 1
    assert_decent(caught.value)
    assert_nothing_open()
    assert caught.value.partial_text == "".join(WORDS)


# --- row 59: a client of the caller's own, of httpx or httpx2 ------------------------------------

LIBRARIES = [httpx, httpx2]


@asynccontextmanager
async def clients(
    library: ModuleType, *hooks: Any, **settings: Any
) -> AsyncIterator[dict[str, Any]]:
    """The fields of a model with clients of this library; hooks are a blocking and another one."""
    one, other = [{"response": [each]} for each in hooks] or [{}, {}]
    with library.Client(event_hooks=one, **settings) as http:
        async with library.AsyncClient(event_hooks=other, **settings) as ahttp:
            yield {"http_client": http, "http_async_client": ahttp}


def reading(seen: list[bytes]) -> tuple[Any, Any]:
    """Hooks that read a body, as those do that write a log of it."""

    def read(response: Any) -> None:
        seen.append(response.read())

    async def aread(response: Any) -> None:
        seen.append(await response.aread())

    return read, aread


def both_ways(libraries: Sequence[ModuleType]) -> dict[str, tuple[ModuleType, str]]:
    """Each library, blocking and awaiting."""
    return {f"{lib.__name__}-{w}": (lib, w) for lib in libraries for w in ("invoke", "astream")}


@fault(59, case=both_ways(LIBRARIES))
async def test_hook_may_read_the_answer_within_the_deadline(
    provider: Provider, case: tuple[ModuleType, str]
) -> None:
    """The model reads what the hook has kept; a body that comes byte by byte is given up."""

    def dribble(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not exchange.hold(0.05):
            exchange.send(b" ")

    library, way = case
    seen: list[bytes] = []
    async with clients(library, *reading(seen)) as own:
        with provider.server(**{provider.again[-1]: [provider.good, dribble]}) as server:
            assert (await ask(provider.model(server, **own), way)).text == "Hello there"
            assert provider.asked(server) == provider.good_call
            assert len(seen) == len(provider.good_call)
            model = provider.model(server, timeout=replace(PATIENT, total=0.3), **own)
            since = time.monotonic()
            error = await fail(model, way, APITimeoutError)
            assert time.monotonic() - since < 1.5
    assert error.kind == "total"


@fault(59)
async def test_hook_that_keeps_nothing_is_told(provider: Provider, way: str) -> None:
    """Its answer is gone, and no model can read it."""

    def drain(response: httpx.Response) -> None:
        list(response.iter_raw())

    async def adrain(response: httpx.Response) -> None:
        _ = [part async for part in response.aiter_raw()]

    async with clients(httpx, drain, adrain) as own:
        with provider.server() as server:
            await fail(provider.model(server, **own), way, ConfigurationError, host="use read()")


@fault(59, case=both_ways(LIBRARIES))
async def test_jar_of_the_client_is_not_ours(
    provider: Provider, case: tuple[ModuleType, str]
) -> None:
    """It neither gets the cookies of our answers nor gives one of its own; its owner's it keeps."""
    library, way = case
    cookie = [("Set-Cookie", f"given={CANARY}-given; Path=/")]

    def give(exchange: Exchange) -> None:
        exchange.respond(200 if exchange.path == "/page" else 404, headers=cookie)

    async with clients(library, cookies={"foreign": f"{CANARY}-foreign"}) as own:
        client = own["http_client" if way == "invoke" else "http_async_client"]
        with provider.server(**{provider.create: [give, provider.good]}) as server:
            model = provider.model(server, max_retries=0, **own)
            for _ in range(2):
                with suppress(G4FError):
                    await ask(model, way)
            assert provider.asked(server).count(provider.create) >= 2
            assert [each.name for each in client.cookies.jar] == ["foreign"]
            assert all("foreign" not in (each.header("cookie") or "") for each in server.requests)
            server.handler = give
            answer = client.get(f"{server.url}/page")
            assert (answer if way == "invoke" else await answer).status_code == 200
        assert [each.name for each in client.cookies.jar] == ["foreign", "given"]


@fault(59, case=both_ways(LIBRARIES))
async def test_errors_of_either_library_are_ours(
    provider: Provider, case: tuple[ModuleType, str]
) -> None:
    """Refused, broken, too slow, cut: the classes are the same, and nothing foreign is held."""
    library, way = case
    settings: Any = {"timeout": replace(PATIENT, first_event=0.2), "max_retries": 0}
    first, pieces = provider.good_call[0], [*provider.start, provider.token("Hello")]
    async with clients(library) as own:
        with closed_port() as port:
            absent = provider.build(f"http://127.0.0.1:{port}", **settings, **own)
            await fail(absent, way, APIConnectionError)
        with provider.server(**{first: Exchange.reset}) as server:
            await fail(provider.model(server, **settings, **own), way, APIConnectionError)
        with provider.server(**{first: Exchange.never_answer}) as server:
            await fail(provider.model(server, **settings, **own), way, APITimeoutError)
        with provider.server(answer=provider.answering(*pieces, then=cut)) as server:
            await fail(provider.model(server, **own), way, StreamInterruptedError, host=None)
