"""One interface to both kinds of exchange, and what is left of the process's descriptors."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from inspect import isawaitable
from pathlib import Path
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Request, ResponseHead
from langchain_g4f.core.limits import Clocks
from langchain_g4f.transport.client import (
    AsyncClient,
    ClientSettings,
    SyncClient,
    async_client,
    sync_client,
)
from langchain_g4f.transport.impersonate import (
    CurlTransport,
    ImpersonateConfig,
    SyncCurlTransport,
)
from tests.contract.faults.byte_server import Exchange as Asked

CLOCKS = Clocks(connect=2, pool=2, write=2, first_event=2, silence=2)
MODES = ("sync", "async")
PLAIN = ClientSettings()
CHROME = ClientSettings(impersonate="chrome")
MIB = 1024 * 1024

by_mode = pytest.mark.parametrize("mode", MODES)
by_library = pytest.mark.parametrize("library", ["httpx", "curl"])


class Exchange:
    """An exchange that is awaited, whichever it is."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def open(self, request: Request, clocks: Clocks = CLOCKS) -> ResponseHead:
        return await _result(self.inner.open(request, clocks))  # type: ignore[no-any-return]

    async def read(self, within: float | None = None) -> bytes | None:
        return await _result(self.inner.read(within))  # type: ignore[no-any-return]

    async def close(self) -> None:
        await _result(self.inner.close())

    async def sleep(self, seconds: float) -> None:
        await _result(self.inner.sleep(seconds))

    async def look_up(self, host: str, port: int, within: float) -> tuple[str, ...]:
        return await _result(self.inner.look_up(host, port, within))  # type: ignore[no-any-return]

    async def whole(self, request: Request) -> bytes:
        """The body of an answer."""
        await self.open(request)
        body = b""
        while (data := await self.read()) is not None:
            body += data
        await self.close()
        return body


async def _result(value: Any) -> Any:
    return await value if isawaitable(value) else value


def curl(mode: str) -> Any:
    """A transport that looks like Chrome."""
    kind = SyncCurlTransport if mode == "sync" else CurlTransport
    return kind(ImpersonateConfig("chrome"))


@asynccontextmanager
async def exchanges(
    mode: str, library: str = "httpx", **settings: Any
) -> AsyncIterator[Callable[[], Exchange]]:
    """Makes exchanges over one client in this mode; in the end nothing is open in its pool."""
    if library == "curl":
        settings["transport"] = curl(mode)
    if mode == "sync":
        with httpx.Client(**settings) as http:
            client = SyncClient(http)
            yield lambda: Exchange(client.exchange())
            assert_pool_is_quiet(http)
    else:
        async with httpx.AsyncClient(**settings) as ahttp:
            aclient = AsyncClient(ahttp)
            yield lambda: Exchange(aclient.exchange())
            assert_pool_is_quiet(ahttp)


def assert_pool_is_quiet(http: Any) -> None:
    """No request and no connection but idle ones."""
    pool = getattr(http._transport, "_pool", None)
    if pool is not None:
        assert pool._requests == []
        assert [c for c in pool.connections if not (c.is_idle() or c.is_closed())] == []
    multi = getattr(http._transport, "_multi", None)
    assert multi is None or multi._running == {}


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which no server listens."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def sockets_open() -> int:
    """How many sockets this process has open."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor of the folder itself is gone already
            found += str(entry.readlink()).startswith("socket:")
    return found


def echo(asked: Asked) -> None:
    """Answer with what was asked."""
    asked.respond(200, f"{asked.method} {asked.path}".encode(), [("Set-Cookie", "tracking=1")])


def made(mode: str, settings: ClientSettings) -> SyncClient | AsyncClient:
    """The kept client for this mode."""
    return sync_client(settings) if mode == "sync" else async_client(settings)


async def asked_of(mode: str, url: str, settings: ClientSettings = PLAIN) -> bytes:
    """The body of an answer, by the kept client for this mode."""
    return await Exchange(made(mode, settings).exchange()).whole(Request("GET", url))


def chrome(mode: str, settings: ClientSettings = CHROME) -> Exchange:
    """An exchange over the kept client of this mode."""
    return Exchange(made(mode, settings).exchange())


async def read_all(exchange: Exchange, request: Request, clocks: Clocks = CLOCKS) -> None:
    """Open an answer and read it to its end."""
    await exchange.open(request, clocks)
    while await exchange.read() is not None:
        pass


async def until(condition: Callable[[], object], within_s: float = 5) -> bool:
    """Whether this comes true in time, while the event loop runs."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


def clocks(**seconds: float) -> Clocks:
    """The usual ones, but for these."""
    usual = {"connect": 2.0, "pool": 2.0, "write": 2.0, "first_event": 2.0, "silence": 2.0}
    return Clocks(**(usual | seconds))


def begin(asked: Asked) -> None:
    """Begin an answer and leave it at that."""
    asked.start_stream().chunk(b"a")
    asked.never_answer()
