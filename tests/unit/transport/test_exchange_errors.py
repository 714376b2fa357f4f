"""What fails on the way is an error of ours, and of ours alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ConfigurationError,
)
from tests.contract.faults.byte_server import Action, ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.traces import assert_tells_nothing
from tests.unit.transport.exchanges import CLOCKS, by_library, by_mode, closed_port, exchanges

CANARY = "canary-f3a91c77d2"


def post(server: ByteServer) -> Request:
    """A request full of secrets."""
    return Request("POST", f"{server.url}/x?token={CANARY}", {"cookie": CANARY}, CANARY.encode())


def reset(asked: Asked) -> None:
    """Break the connection."""
    asked.reset()


def garbage(asked: Asked) -> None:
    """Answer with something else."""
    asked.send(b"HTTP/9.9 what\r\n\r\n")
    asked.close()


def silent(asked: Asked) -> None:
    """Do not answer."""
    asked.never_answer()


def large_head(asked: Asked) -> None:
    """Answer with too many headers."""
    asked.respond(200, b"", [("x", "y" * 200_000)])


@by_mode
@pytest.mark.parametrize(
    ("handle", "kind", "said"),
    [
        (reset, APIConnectionError, "broke before the answer began"),
        (garbage, APIConnectionError, "broke before the answer began"),
        (large_head, APIConnectionError, "broke before the answer began"),
        (silent, APITimeoutError, "no answer from"),
    ],
)
async def test_answer_that_does_not_begin_is_an_error_of_ours(
    handle: Action, kind: type[APIError], said: str, mode: str
) -> None:
    """It names the host, and holds nothing of the HTTP library."""
    with ByteServer(handle) as server:
        async with exchanges(mode) as make:
            exchange = make()
            with pytest.raises(kind, match=said) as caught:
                await exchange.open(post(server), replace(CLOCKS, first_event=0.05))
            assert exchange.inner.request_sent
            await exchange.close()
            assert f"127.0.0.1:{server.port}" in str(caught.value)
            assert getattr(caught.value, "request_sent", None) is True
            assert_tells_nothing(caught.value, CANARY)


def begin_and(act: Action) -> Action:
    """Begin an answer, then do this."""

    def handle(asked: Asked) -> None:
        asked.start_stream().chunk(b"a")
        asked.hold(0.02)
        act(asked)

    return handle


@by_mode
@pytest.mark.parametrize(
    ("handle", "kind", "said"),
    [
        (begin_and(reset), APIConnectionError, "broke "),
        (begin_and(Asked.close), APIConnectionError, "broke "),
        (begin_and(lambda asked: asked.send(b"zz\r\n")), APIConnectionError, "broke "),
        (begin_and(silent), APITimeoutError, "no byte of the answer of .* for 0.05 s"),
    ],
)
async def test_answer_that_breaks_off_is_an_error_of_ours(
    handle: Action, kind: type[APIError], said: str, mode: str
) -> None:
    """Also when the library finds fault with its framing."""
    with ByteServer(handle) as server:
        async with exchanges(mode) as make:
            exchange = make()
            await exchange.open(post(server), replace(CLOCKS, silence=0.05))
            assert await exchange.read() == b"a"
            with pytest.raises(kind, match=said) as caught:
                await exchange.read()
            await exchange.close()
            assert_tells_nothing(caught.value, CANARY)


@by_mode
@by_library
async def test_service_that_is_not_there_is_an_error_that_names_it(mode: str, library: str) -> None:
    """Nothing was sent."""
    with closed_port() as port:
        async with exchanges(mode, library) as make:
            exchange = make()
            assert not exchange.inner.request_sent
            with pytest.raises(APIConnectionError, match=f"127.0.0.1:{port}") as caught:
                await exchange.open(Request("GET", f"http://127.0.0.1:{port}/?{CANARY}"))
            assert not exchange.inner.request_sent
            assert (caught.value.request_sent, caught.value.is_retryable) == (False, True)
            assert_tells_nothing(caught.value, CANARY)


@by_mode
@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
async def test_host_name_that_is_none_is_a_connection_error(host: str, mode: str) -> None:
    """The name look-up has exceptions of its own."""
    async with exchanges(mode) as make:
        with pytest.raises((APIConnectionError, ConfigurationError)) as caught:
            await make().open(Request("GET", f"http://{host}/"))
        assert_tells_nothing(caught.value)


@by_mode
async def test_client_that_was_closed_is_a_connection_error(mode: str) -> None:
    """A client brought by the user may be gone."""
    async with exchanges(mode) as make:
        exchange = make()
    with pytest.raises(APIConnectionError, match="RuntimeError"):
        await exchange.open(Request("GET", "http://127.0.0.1:9/"))


@by_mode
@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"http://example.com:{CANARY}/"),
        Request("GET", "http://example.com/", {"cookie": f"{CANARY}\u20ac"}),
    ],
)
async def test_request_that_cannot_be_sent_is_a_configuration_error(
    request_: Request, mode: str
) -> None:
    """Before anything is sent, and without its headers in the traceback."""
    async with exchanges(mode) as make:
        exchange = make()
        with pytest.raises(ConfigurationError, match="no valid URL or header") as caught:
            await exchange.open(request_)
        assert not exchange.inner.request_sent
        assert_tells_nothing(caught.value, CANARY)
