from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import httpx
import pytest
from langchain_core.exceptions import ModelTimeoutError

from langchain_g4f import ChatHuggingChat, Clocks
from langchain_g4f.errors import APIConnectionError, APIError, APITimeoutError
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, WAYS, ask


@pytest.fixture
def silent() -> Iterator[Sandbox]:
    """A server whose model says two words and no more, on a connection that stays alive."""
    with Sandbox(reply=Reply(tokens=["one ", "two "], hang_after=2)) as sandbox:
        yield sandbox


@pytest.fixture
def dead() -> Iterator[Sandbox]:
    """A server whose model says two words, and which then sends nothing at all."""
    reply = Reply(tokens=["one ", "two "], hang_after=2)
    with Sandbox(reply=reply, keep_alive_s=60) as sandbox:
        yield sandbox


async def failed(sandbox: Sandbox, way: str, timeout: Any) -> APITimeoutError:
    """The error of a call with that timeout; the server has seen the close."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, timeout=timeout)
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(APITimeoutError) as caught:
        await ask(model, way, "hi")
    assert loop.time() - start < 1.5
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
    assert sandbox.requests[-1].path.endswith("/stop-generating")
    assert isinstance(caught.value, ModelTimeoutError)
    return caught.value


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("way", WAYS)
async def test_number_is_the_time_for_the_whole_call(silent: Sandbox, way: str) -> None:
    """A connection that is alive does not keep a call beyond it, and what came is kept."""
    error = await failed(silent, way, 0.3)
    assert error.kind == "total"
    assert error.partial_text == "one two "


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("way", WAYS)
async def test_silence_has_a_clock_of_its_own(dead: Sandbox, way: str) -> None:
    """Nothing at all for that long ends the call."""
    error = await failed(dead, way, Clocks(silence=0.2))
    assert error.kind == "silence"


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("way", WAYS)
async def test_idleness_has_a_clock_of_its_own(silent: Sandbox, way: str) -> None:
    """Heartbeats are no silence, and no progress either."""
    error = await failed(silent, way, Clocks(idle=0.2))
    assert error.kind == "idle"


@pytest.mark.parametrize("way", WAYS)
async def test_clock_that_is_long_enough_is_not_heard(sandbox: Sandbox, way: str) -> None:
    """An answer that takes its time and stays within the clocks is whole."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, timeout=5)
    assert (await ask(model, way, "[[long:30]][[pace:2]]")).text.endswith(" w30")


class Watched:
    """Clients of the caller's own, and the paths that went through them."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.client = httpx.Client(event_hooks={"request": [self._note]})
        self.async_client = httpx.AsyncClient(event_hooks={"request": [self._anote]})

    def _note(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)

    async def _anote(self, request: httpx.Request) -> None:
        self.paths.append(request.url.path)


@pytest.mark.proves("promise:own-http-client")
@pytest.mark.parametrize("way", WAYS)
async def test_own_client_carries_every_request_and_stays_open(sandbox: Sandbox, way: str) -> None:
    """The caller's client is used for models and messages, and is the caller's to close."""
    watched = Watched()
    model = ChatHuggingChat(
        base_url=sandbox.base_url,
        http_client=watched.client,
        http_async_client=watched.async_client,
    )
    for _ in range(2):
        assert (await ask(model, way, "hi")).text
    assert watched.paths == [request.path for request in sandbox.requests]
    assert not watched.client.is_closed
    assert not watched.async_client.is_closed
    watched.client.close()
    await watched.async_client.aclose()


@pytest.mark.proves("promise:own-http-client")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_own_client_stays_open_when_a_stream_is_left(sandbox: Sandbox, way: str) -> None:
    """Leaving in mid-answer closes that answer, and the client serves the next call."""
    watched = Watched()
    model = ChatHuggingChat(
        base_url=sandbox.base_url,
        model=MODEL,
        http_client=watched.client,
        http_async_client=watched.async_client,
    )
    stream: Any
    if way == "stream":
        stream = model.stream("[[long:500]][[pace:5]]")
        next(stream)
        stream.close()
    else:
        stream = model.astream("[[long:500]][[pace:5]]")
        await anext(stream)
        await stream.aclose()
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
    assert (await ask(model, way, "hi")).text == f"Echo ({MODEL}, turn 1): hi"
    watched.client.close()
    await watched.async_client.aclose()


@pytest.mark.proves("promise:proxy")
@pytest.mark.parametrize("way", WAYS)
async def test_proxy_that_is_down_is_not_gone_around(sandbox: Sandbox, way: str) -> None:
    """A call that may not be sent through the proxy is not sent at all."""
    with Sandbox() as gone:
        proxy = gone.origin
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, proxy=proxy, max_retries=0)
    with pytest.raises(APIConnectionError):
        await ask(model, way, "hi")
    assert not sandbox.requests


class Refusing(BaseHTTPRequestHandler):
    """A proxy that lets nobody through and keeps what it was asked for."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_POST(self) -> None:
        self.asked.append((self.path, self.headers["proxy-authorization"]))
        self.send_error(407)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
        """Keep quiet."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a proxy that refuses, with user and password."""
    Refusing.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://user:canary@127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.proves("promise:proxy")
@pytest.mark.parametrize("way", WAYS)
async def test_proxy_is_asked_with_its_password(sandbox: Sandbox, refusing: str, way: str) -> None:
    """A proxy that refuses ends the call; the server is not spoken to directly."""
    proxy = refusing
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, proxy=proxy, max_retries=0)
    with pytest.raises(APIError) as caught:
        await ask(model, way, "hi")
    password = "Basic dXNlcjpjYW5hcnk="
    assert Refusing.asked == [(f"{sandbox.base_url}/conversation", password)]
    assert "canary" not in str(caught.value)
    assert not sandbox.requests
