"""The transport for the running event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx

from langchain_g4f.transport.impersonate.config import ImpersonateConfig
from langchain_g4f.transport.impersonate.multi import Multi
from langchain_g4f.transport.impersonate.transfer import Transfer, content_of, note_sent, response


class CurlTransport(httpx.AsyncBaseTransport):
    """Asks as a browser does; serves the event loop on which it is first used.

    Args:
        config: As which one, and by which proxy.
    """

    def __init__(self, config: ImpersonateConfig) -> None:
        self._config = config
        self._multi: Multi | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and read the head of its answer.

        Raises:
            httpx.TransportError: There is no answer.
        """
        content = content_of(request)
        curl = self._config.prepared(request, content)
        bell = _LoopBell()
        transfer = Transfer(curl, request, content, bell.ring)
        try:
            self._running_multi().start(transfer)
            while transfer.head is None and not transfer.over:
                await bell.wait()
            return response(transfer, _AsyncBody(transfer, bell))
        except BaseException:
            transfer.abort()
            raise
        finally:
            note_sent(request, transfer)

    async def aclose(self) -> None:
        """Abort what is under way, and close all connections."""
        multi, self._multi = self._multi, None
        if multi is not None:
            self._forget.detach()
            await multi.aclose()

    def _running_multi(self) -> Multi:
        loop = asyncio.get_running_loop()
        if self._multi is None:
            self._loop, self._multi = loop, Multi()
            self._forget = weakref.finalize(self, _forgotten, loop, self._multi)
            self._forget.atexit = False
        elif loop is not self._loop:
            msg = "an async client belongs to the event loop that it was first used on"
            raise RuntimeError(msg)
        return self._multi


class _LoopBell:
    """Rung by a transfer, awaited by its reader; it knows neither."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the reader, if it waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Until it is rung."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class _AsyncBody(httpx.AsyncByteStream):
    """The body of an answer. No transfer knows it, so it can be dropped, which ends that."""

    def __init__(self, transfer: Transfer, bell: _LoopBell) -> None:
        self._transfer = transfer
        self._bell = bell
        self._loop = asyncio.get_running_loop()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        transfer = self._transfer
        while True:
            over = transfer.over
            if data := transfer.take():
                transfer.resume()
                yield data
            elif over:
                break
            else:
                await self._arrival()
        if transfer.failure is not None:
            raise transfer.failure()

    async def _arrival(self) -> None:
        if self._transfer.waits():
            self._transfer.watch()
        try:
            await self._bell.wait()
        finally:
            self._transfer.waits_no_more()

    async def aclose(self) -> None:
        """Give up what has not arrived yet."""
        self._transfer.abort()

    def __del__(self) -> None:
        if not self._transfer.over:
            with suppress(RuntimeError):  # a closed loop
                # perhaps collected in another thread, or while curl calls back
                self._loop.call_soon_threadsafe(self._transfer.abort)


def _forgotten(loop: asyncio.AbstractEventLoop, multi: Multi) -> None:
    """Free a multi handle whose transport was dropped without being closed."""
    try:
        loop.call_soon_threadsafe(multi.abandon)
    except RuntimeError:
        multi.abandon()


__all__ = ["CurlTransport"]
