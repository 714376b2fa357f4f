"""One ASGI app behind a loopback port, in a daemon thread with an event loop of its own.

Starting and stopping are quick because nothing is polled: the thread says when it listens, and a
stop closes every connection, however long its response would have been.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

BACKLOG = 2048
STOP_TIMEOUT_S = 10.0
_DATE_S = 1.0


class ServerThread:
    """Serves `app` on 127.0.0.1, on a port of the system's choice.

    Args:
        app: The ASGI app.
        on_stop: Awaited in the server's loop before its connections are closed.
    """

    def __init__(self, app: ASGIApp, on_stop: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._on_stop = on_stop
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None
        self.port = 0

    def start(self) -> None:
        """Start serving; returns when connections are accepted.

        Raises:
            RuntimeError: The server could not start.
        """
        # asyncio turns Nagle's algorithm off only for sockets that say they are TCP; left on, it
        # delays the body behind its head by 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            backlog=BACKLOG,
            # The clients under test keep connections open for longer than uvicorn's five seconds.
            timeout_keep_alive=60,
            server_header=False,
        )
        self._server = _Server(config, self._on_stop)
        name = f"sandbox-{self.port}"
        self._thread = threading.Thread(
            target=self._serve, args=(listener,), name=name, daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self._thread.join()
            raise RuntimeError("the sandbox's server did not start")

    def _serve(self, listener: socket.socket) -> None:
        assert self._server is not None
        try:
            asyncio.run(self._server.serve(sockets=[listener]))
        finally:
            listener.close()
            self._server.ready.set()

    def stop(self) -> None:
        """Close every connection and end the thread; a second call does nothing.

        Raises:
            RuntimeError: The server's loop is blocked.
        """
        if self._server is None or self._thread is None:
            return
        self._server.stop_soon()
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError("the sandbox's server did not stop: does its script block?")
        self._server = self._thread = None


class _Server(uvicorn.Server):
    """uvicorn's server, woken by events instead of by the clock."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await super().startup(sockets)
        await self.on_tick(0)
        self.ready.set()

    async def main_loop(self) -> None:
        assert self._stop is not None
        while not self._stop.is_set():
            # Renews the date header, all that a tick is for here.
            await self.on_tick(0)
            try:
                await asyncio.wait_for(self._stop.wait(), _DATE_S)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own shutdown waits for responses to end, and a tenth of a second more.
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol):
                connection.transport.abort()
        # Readers must see a cut, not an end: their connections are lost before the app winds up.
        await asyncio.sleep(0)
        await self._on_stop()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()

    def stop_soon(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)


class _Protocol(H11Protocol):
    """Lets an app close its connection, and keeps quiet about requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.access_log = False
        app = self.app

        async def closable(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), "sandbox.close": transport.close}
            await app({**scope, "extensions": extensions}, receive, send)

        self.app = closable
