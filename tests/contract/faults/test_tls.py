"""A service whose certificate does not hold: no request, no second try, no way around it."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_g4f.errors import APIConnectionError
from tests.contract.faults.byte_server import Action, ByteServer
from tests.contract.faults.certificates import Authority, self_signed
from tests.contract.faults.harness import ask, by_turns, by_way, closed, eventually, fail
from tests.contract.faults.registry import PATIENT, Provider, fault, hang


def serve(action: Action, context: ssl.SSLContext) -> ByteServer:
    """A server with a certificate."""
    return ByteServer(action, ssl_context=context)


@fault(3)
@by_way
async def test_certificate_for_this_host_by_a_trusted_authority_is_accepted(
    provider: Provider, way: str, trusted: Authority
) -> None:
    """What the other tests refuse is refused for its fault, and not for being made here."""
    with serve(provider.good, trusted.server("IP:127.0.0.1")) as server:
        assert (await ask(provider.model(server), way)).text == "Hello there"


@fault(3)
@by_turns
@pytest.mark.parametrize("name", ["DNS:elsewhere.example", "IP:127.0.0.2"])
async def test_certificate_for_another_name_is_refused_once(
    provider: Provider, way: str, trusted: Authority, name: str
) -> None:
    """One connection, no request on it, and no unverified one after it."""
    with serve(provider.good, trusted.server(name)) as server:
        error = await fail(provider.model(server), way, APIConnectionError)
        assert await eventually(lambda: server.connections_open == 0)
        assert list(server.closings) == [1]
        assert server.requests == []
    assert "TLS" in str(error)
    assert (error.is_retryable, error.request_sent) == (False, False)


@fault(3)
@by_turns
async def test_self_signed_certificate_is_refused_once(
    provider: Provider, way: str, tmp_path: Path
) -> None:
    """A server that vouches for itself is nobody."""
    with serve(provider.good, self_signed(tmp_path, "IP:127.0.0.1")) as server:
        error = await fail(provider.model(server), way, APIConnectionError)
        assert await eventually(lambda: server.connections_open == 0)
        assert list(server.closings) == [1]
        assert server.requests == []
    assert "TLS" in str(error)
    assert (error.is_retryable, error.request_sent) == (False, False)


@fault(3, 16)
@by_way
async def test_held_tls_connection_is_given_up_like_any_other(
    provider: Provider, way: str, trusted: Authority
) -> None:
    """The wait for what may follow the terminal event ends, also for a blocked read under TLS."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    action = provider.serve({provider.answer: provider.answering(*pieces, then=hang)})
    with serve(action, trusted.server("IP:127.0.0.1")) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=0.1))
        assert (await ask(model, way)).text == "Hello"
        assert await closed(provider, server, provider.answer)
