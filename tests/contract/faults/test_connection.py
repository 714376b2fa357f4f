"""The way to the service fails, or leads elsewhere: nothing is sent twice, and nothing astray."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
)
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.certificates import Authority, self_signed
from tests.contract.faults.harness import ask, closed, eventually, fail
from tests.contract.faults.registry import CANARY, PATIENT, Provider, fault, hang

QUICK = replace(PATIENT, first_event=0.2)
UNKNOWN_HOST = "nowhere.onion"
"""Of a kind that curl, whose look-up cannot be replaced, refuses to look up (RFC 7686)."""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that no server listens on."""
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
async def test_port_closed_is_tried_as_often_as_allowed_and_named(
    provider: Provider, way: str, closed_port: int
) -> None:
    """Two retries, then an error that names host and port; or none."""
    for retries, settings in ((2, {}), (0, {"max_retries": 0})):
        seen: list[Progress] = []
        url = f"http://127.0.0.1:{closed_port}"
        model = provider.build(url, timeout=PATIENT, on_progress=seen.append, **settings)
        error = await fail(model, way, APIConnectionError, host=f"127.0.0.1:{closed_port}")
        assert [progress.kind for progress in seen] == ["retry"] * retries
        assert (error.is_retryable, error.request_sent) == (True, False)
        assert error.phase


@fault(1)
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


@fault(2, where=lambda provider: provider.begins_with_message)  # a read may be repeated
async def test_request_that_no_process_reads_times_out_once(
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
async def test_tls_handshake_without_an_answer_times_out_as_connect(
    provider: Provider, way: str, silent_port: socket.socket
) -> None:
    """A handshake is part of connecting; nothing was sent, so it is tried again."""
    port = silent_port.getsockname()[1]
    model = provider.build(f"https://127.0.0.1:{port}", timeout=replace(PATIENT, connect=0.05))
    error = await fail(model, way, APITimeoutError)
    assert (error.kind, error.request_sent) == ("connect", False)
    assert len(accepted(silent_port)) == 3


@fault(2)
async def test_service_that_never_answers_times_out(provider: Provider, way: str) -> None:
    """The connection is closed and nothing sent again; a run that may have begun is stopped."""
    for part in dict.fromkeys([provider.create, provider.answer]):
        with provider.server(**{part: Exchange.never_answer}) as server:
            error = await fail(provider.model(server, timeout=QUICK), way, APITimeoutError)
            assert await closed(provider, server, part)
            assert provider.asked(server) == provider.unheard(part)
        assert (error.kind, error.request_sent) == ("first_event", True)


@fault(13)
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


# --- row 3: a certificate that does not hold -----------------------------------------------------

Certificate = Callable[[Authority, Path], ssl.SSLContext]

BAD_CERTIFICATES: dict[str, Certificate] = {
    "of another name": lambda trusted, _: trusted.server("DNS:elsewhere.example"),
    "of another address": lambda trusted, _: trusted.server("IP:127.0.0.2"),
    "self-signed": lambda _, folder: self_signed(folder, "IP:127.0.0.1"),
}


@fault(3, certificate=BAD_CERTIFICATES)
async def test_certificate_that_does_not_hold_is_refused_once(
    provider: Provider, way: str, trusted: Authority, tmp_path: Path, certificate: Certificate
) -> None:
    """One connection, no request on it, and no unverified one after it."""
    with ByteServer(provider.good, ssl_context=certificate(trusted, tmp_path)) as server:
        error = await fail(provider.model(server), way, APIConnectionError)
        assert await eventually(lambda: server.connections_open == 0)
        assert list(server.closings) == [1]
        assert server.requests == []
    assert "TLS" in str(error)
    assert (error.is_retryable, error.request_sent) == (False, False)


@fault(3, 16)
async def test_good_certificate_is_accepted_and_a_held_connection_given_up(
    provider: Provider, way: str, trusted: Authority
) -> None:
    """The other tests refuse a certificate for its fault; a blocked read under TLS ends, too."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    action = provider.serve({provider.answer: provider.answering(*pieces, then=hang)})
    with ByteServer(action, ssl_context=trusted.server("IP:127.0.0.1")) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=0.1))
        assert (await ask(model, way)).text == "Hello"
        assert await closed(provider, server, provider.answer)


@fault(3, only="FG")
async def test_good_certificate_is_accepted_where_an_answer_has_no_last_event(
    provider: Provider, way: str, trusted: Authority
) -> None:
    """The end of its body is the end of the answer."""
    with ByteServer(provider.good, ssl_context=trusted.server("IP:127.0.0.1")) as server:
        assert (await ask(provider.model(server), way)).text == "Hello there"


# --- rows 4 and 38: redirects --------------------------------------------------------------------

ELSEWHERE = {
    "another port": (301, "http://127.0.0.1:{other}/chat/conversation"),
    "another host": (302, "http://localhost:{other}/chat"),
    "another scheme": (303, "https://127.0.0.1:{own}/chat/conversation"),
    "no scheme": (307, "//127.0.0.1:{other}/chat"),
    "a host that looks like the own one": (308, "http://127.0.0.1:{own}@127.0.0.1:{other}/"),
    "the same origin": (307, "/chat/conversation?again=1"),
    "a place with a secret": (307, f"http://127.0.0.1:{{other}}/{CANARY}?{CANARY}"),
}


def redirect(status: int, target: str) -> Action:
    """Send the client somewhere else."""
    return lambda exchange: exchange.respond(status, headers=[("Location", target)])


@fault(38, case=ELSEWHERE)
async def test_redirect_is_not_followed(
    provider: Provider, way: str, case: tuple[int, str]
) -> None:
    """Whichever request is redirected: neither cookie nor body arrives anywhere else."""
    status, target = case
    for part in provider.full_call:
        with ByteServer(Exchange.close) as other, provider.server() as server:
            where = target.format(own=server.port, other=other.port)
            server.handler = provider.serve({part: redirect(status, where)})
            model, prompt = provider.full_model(server), provider.full_prompt
            error = await fail(model, way, APIStatusError, prompt, host=None, subclass=True)
            assert provider.asked(server) == provider.refused(part, provider.full_call)
            assert error.status_code == status
            assert (other.requests, other.closings) == ([], {})


@fault(4, target=["/chat/login", "https://id.example/oauth/authorize?state=x"])
async def test_redirect_to_a_login_is_an_authentication_error(
    provider: Provider, way: str, target: str
) -> None:
    """Whichever request is sent to a login page, the caller learns where to log in."""
    for part in provider.full_call:
        with provider.server(**{part: redirect(302, target)}) as server:
            model = provider.full_model(server)
            error = await fail(model, way, AuthenticationError, provider.full_prompt, host=None)
            assert provider.asked(server) == provider.refused(part, provider.full_call)
        assert error.login_url == provider.login(server.url)
