"""The way to the service fails: nobody there, nobody answers, or the connection breaks at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIConnectionError, APITimeoutError
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.harness import ask, by_call, by_turns, closed, fail
from tests.contract.faults.registry import PATIENT, Provider, fault

QUICK = replace(PATIENT, first_event=0.3)
UNKNOWN_HOST = "nowhere.onion"
"""Of a kind that curl, whose look-up cannot be replaced, asks nobody for (RFC 7686)."""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[socket.socket]:
    """A socket that takes connections in, and whose owner never looks at them."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        listening.setblocking(False)
        yield listening


def accepted(listening: socket.socket) -> list[bytes]:
    """What came over each connection that waits at this socket."""
    found: list[bytes] = []
    with ExitStack() as stack:
        while True:
            try:
                connection, _ = listening.accept()
            except BlockingIOError:
                return found
            stack.enter_context(connection).setblocking(False)
            found.append(connection.recv(1 << 16))


@fault(1)
@by_turns
async def test_port_closed_is_tried_three_times_and_named(
    provider: Provider, way: str, closed_port: int
) -> None:
    """Nobody listens: two retries, then an error that names host and port."""
    seen: list[Progress] = []
    model = provider.build(
        f"http://127.0.0.1:{closed_port}", timeout=PATIENT, on_progress=seen.append
    )
    error = await fail(model, way, APIConnectionError, host=f"127.0.0.1:{closed_port}")
    assert [progress.kind for progress in seen] == ["retry", "retry"]
    assert error.is_retryable
    assert not error.request_sent
    assert error.phase


@fault(1)
@by_call
async def test_unknown_host_is_tried_three_times_and_named(
    provider: Provider, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that does not resolve is a connection error with that name."""
    seen: list[Progress] = []

    def getaddrinfo(host: bytes | str, *_: object, **__: object) -> None:
        assert host in {UNKNOWN_HOST, UNKNOWN_HOST.encode()}
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    model = provider.build(f"http://{UNKNOWN_HOST}", timeout=PATIENT, on_progress=seen.append)
    error = await fail(model, way, APIConnectionError, host=UNKNOWN_HOST)
    assert [progress.kind for progress in seen] == ["retry", "retry"]
    assert not error.request_sent


@fault(1)
@by_call
async def test_max_retries_zero_means_one_attempt(
    provider: Provider, way: str, closed_port: int
) -> None:
    """Whoever wants no retries gets none."""
    seen: list[Progress] = []
    model = provider.build(
        f"http://127.0.0.1:{closed_port}", max_retries=0, on_progress=seen.append
    )
    await fail(model, way, APIConnectionError)
    assert seen == []


@fault(2, where=lambda provider: provider.begins_with_message)  # a read may be repeated
@by_call
async def test_request_that_nobody_reads_times_out_once(
    provider: Provider, way: str, silent_port: socket.socket
) -> None:
    """The connection stands and nothing comes: one request, no repetition of a write."""
    port = silent_port.getsockname()[1]
    model = provider.build(f"http://127.0.0.1:{port}", timeout=QUICK)
    error = await fail(model, way, APITimeoutError)
    assert (error.kind, error.request_sent) == ("first_event", True)
    (request,) = accepted(silent_port)
    assert request.startswith(b"POST /")


@fault(2, 3)
@by_call
async def test_tls_handshake_that_nobody_answers_times_out_as_connect(
    provider: Provider, way: str, silent_port: socket.socket
) -> None:
    """A handshake is part of connecting; nothing was sent, so it is tried again."""
    port = silent_port.getsockname()[1]
    model = provider.build(f"https://127.0.0.1:{port}", timeout=replace(PATIENT, connect=0.05))
    error = await fail(model, way, APITimeoutError)
    assert (error.kind, error.request_sent) == ("connect", False)
    assert len(accepted(silent_port)) == 3


@fault(2)
@by_turns
async def test_service_that_never_answers_times_out(provider: Provider, way: str) -> None:
    """A request without an answer is given up, its connection closed, and not repeated."""
    first = provider.create
    with provider.server(**{first: Exchange.never_answer}) as server:
        error = await fail(provider.model(server, timeout=QUICK), way, APITimeoutError)
        assert await closed(provider, server, first)
        assert provider.asked(server) == provider.until(first)
    assert (error.kind, error.request_sent) == ("first_event", True)


@fault(2)
@by_turns
async def test_answer_that_never_begins_is_given_up_and_stopped(
    provider: Provider, way: str
) -> None:
    """The service may be at work on it: it is told to stop, and the message not sent again."""
    with provider.server(answer=Exchange.never_answer) as server:
        error = await fail(provider.model(server, timeout=QUICK), way, APITimeoutError)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert (error.kind, error.request_sent) == ("first_event", True)


@fault(13)
@by_call
async def test_message_on_a_reused_connection_that_breaks_is_sent_once(
    provider: Provider, way: str
) -> None:
    """It may have been received: it is not sent again, and what can be stopped is."""
    for part in dict.fromkeys([provider.message, provider.answer]):
        with provider.server(**{part: Exchange.reset}) as server:
            error = await fail(provider.model(server), way, APIConnectionError)
            assert provider.asked(server) == provider.unheard(part)
            (broken,) = provider.sent(server, part)
            assert broken.request_number == len(provider.until(part))
        assert error.request_sent


@fault(13, 66)
@by_call
async def test_connection_closed_while_idle_is_replaced(provider: Provider, way: str) -> None:
    """A service that ends idle connections is not noticed at all."""
    with provider.server() as server:
        model = provider.model(server)
        await ask(model, way)
        (connection,) = server._open
        connection.shutdown(socket.SHUT_RDWR)
        assert server.wait_closed(1)
        answer = await ask(model, way)
        assert provider.asked(server) == provider.calls(2)
    assert "retries" not in answer.response_metadata


@fault(13, where=lambda provider: provider.repeated)
@by_call
async def test_read_on_a_reused_connection_that_breaks_is_repeated(
    provider: Provider, way: str
) -> None:
    """A read does no harm: it is asked again on a new connection, and the caller has an answer."""
    read = provider.full_call[0]

    def broken_if_reused(exchange: Exchange) -> None:
        if exchange.request_number > 1:
            exchange.reset()
        else:
            provider.good(exchange)

    with provider.server(**{read: broken_if_reused}) as server:
        await ask(provider.model(server), way)
        model_client._cache.clear()
        answer = await ask(provider.full_model(server), way, provider.full_prompt)
        assert provider.asked(server) == (*provider.good_call, read, *provider.full_call)
        broken, repeated = provider.sent(server, read)[-2:]
        reused = (1, len(provider.good_call) + 1)
        assert (broken.connection_number, broken.request_number) == reused
        # curl opens one that it is not allowed to use
        assert (repeated.connection_number > 1, repeated.request_number) == (True, 1)
    assert answer.text == "Hello there"
    assert answer.response_metadata["retries"] == 1
