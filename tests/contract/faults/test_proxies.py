"""The proxy refuses, or dies: told as such, without its password, and never gone around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from langchain_g4f.errors import APIConnectionError, APITimeoutError, StreamInterruptedError
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.certificates import Authority
from tests.contract.faults.harness import (
    assert_decent,
    assert_nothing_open,
    begin,
    by_call,
    by_stream,
    by_turns,
    fail,
    read,
)
from tests.contract.faults.registry import CANARY, PATIENT, After, Provider, cut, fault, hang, reset
from tests.contract.faults.tunnel import Tunnel
from tests.unit.transport.exchanges import closed_port

WORDS = ("One ", "two ", "three ")


def with_password(proxy: ByteServer) -> str:
    """The address of a proxy, and who wants to use it."""
    return proxy.url.replace("http://", f"http://user:{CANARY}-proxy@")


def assert_not_asked(service: ByteServer) -> None:
    """Nobody has so much as connected to it."""
    assert (service.requests, service.connections_open, service.closings) == ([], 0, {})


def in_place_of(service: ByteServer, action: Action) -> Action:
    """Do this as a proxy, which is told whole addresses."""

    def act(exchange: Exchange) -> None:
        assert exchange.path.startswith(f"{service.url}/")
        action(as_service(exchange))

    return act


def as_service(exchange: Exchange) -> Exchange:
    """The same request, as the proxy would pass it on."""
    return replace(exchange, path=urlsplit(exchange.path).path)


def asked(provider: Provider, requests: Sequence[Exchange]) -> tuple[str, ...]:
    """Name the parts that a proxy was asked for."""
    return tuple(provider.part_of(as_service(each)) for each in requests)


@fault(42)
@by_call
@pytest.mark.parametrize(("scheme", "status"), [("http", 407), ("https", 407), ("https", 502)])
async def test_proxy_that_refuses_is_asked_once_and_told(
    provider: Provider, way: str, scheme: str, status: int
) -> None:
    """It will refuse the next time, too; the service is not asked without it."""
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


@fault(42)
@by_turns
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("broken", [Exchange.reset, Exchange.close])
async def test_proxy_that_breaks_the_connection_at_once_is_not_gone_around(
    provider: Provider, way: str, scheme: str, broken: Action
) -> None:
    """It does not even say no."""
    with provider.server() as service, ByteServer(broken) as proxy:
        url = service.url.replace("http:", f"{scheme}:")
        model = provider.build(url, proxy=with_password(proxy))
        error = await fail(model, way, APIConnectionError, host=f"127.0.0.1:{service.port}")
        assert f"the proxy 127.0.0.1:{proxy.port} broke the connection" in str(error)
        assert proxy.requests
        assert_not_asked(service)


@fault(42)
@by_turns
@pytest.mark.parametrize("scheme", ["http", "https"])
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
@by_turns
async def test_proxy_that_says_nothing_is_named(provider: Provider, way: str) -> None:
    """It takes the connection, and that is all."""
    clocks = replace(PATIENT, first_event=0.2)
    with provider.server() as service, ByteServer(Exchange.never_answer) as proxy:
        model = provider.build(
            service.url, proxy=with_password(proxy), max_retries=0, timeout=clocks
        )
        error = await fail(model, way, APITimeoutError)
        assert f"the proxy 127.0.0.1:{proxy.port}" in str(error)
        assert_not_asked(service)
    assert error.kind == "first_event"


@fault(42)
@by_turns
@pytest.mark.parametrize("broken", [reset, cut])
async def test_proxy_that_dies_inside_the_answer_interrupts_it(
    provider: Provider, way: str, broken: After
) -> None:
    """What the proxy was told is what the service would have been told."""
    pieces = [*provider.start, *map(provider.token, WORDS)]
    answer = provider.answering(*pieces, then=broken)
    with provider.server() as service:
        behind = in_place_of(service, provider.serve({provider.answer: answer}))
        with ByteServer(behind) as proxy:
            model = provider.build(service.url, proxy=with_password(proxy))
            error = await fail(model, way, StreamInterruptedError)
            expected = (*provider.good_call, *provider.after_cut)
            assert asked(provider, proxy.requests) == expected
        assert_not_asked(service)
    assert error.partial_text == "".join(WORDS)
    assert error.is_retryable


@fault(42)
@by_stream
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
