"""The exchange of calls on an event loop. At its deadline what it waits for is cancelled."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from langchain_g4f.transport.connection_errors import AsyncRoute
from langchain_g4f.transport.exchange import Exchange, chunks_of, for_ever
from langchain_g4f.transport.http_library import SENDING
from langchain_g4f.transport.resolve import alook_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    import httpx

    from langchain_g4f.core.http import Request, ResponseHead
    from langchain_g4f.core.limits import Clocks
    from langchain_g4f.transport.client import AsyncClient

_AGAIN_S = 0.1
"""Seconds between two looks at a deadline that is over while nothing is read."""

T = TypeVar("T")


async def _apart(
    work: Callable[[], Coroutine[object, object, T]], give_up: Callable[[], None]
) -> T:
    """Await ``work`` in a task of its own, which a cancellation of the caller does not reach.

    Args:
        work: What to do.
        give_up: Called when the caller is cancelled; ``work`` is awaited all the same.
    """
    task = asyncio.ensure_future(work())
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as exc:
            cancelled = exc
            give_up()
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # the caller has left
    raise cancelled


class AsyncExchange(Exchange):
    """One call's connection, on the running event loop."""

    def __init__(self, client: AsyncClient, left: Callable[[], float] = for_ever) -> None:
        super().__init__(left, AsyncRoute)
        self._client = client
        self._chunks: AsyncIterator[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._held: asyncio.Task[bytes | None] | None = None

    def beside(self) -> AsyncExchange:
        """See `SyncExchange.beside`."""
        return AsyncExchange(self._client, self._left)

    async def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """See `SyncExchange.open`."""
        self._clocks = clocks
        self._silence()
        try:
            http = self._client.direct if request.address else self._client.http
            response = await self._send(http, self._build(http, request))
            self._chunks = aiter(chunks_of(response))
        except self._foreign as exc:
            error = self._error(exc)
        else:
            self._look()
            return self._head(response)
        raise error

    async def _send(self, http: httpx.AsyncClient, built: httpx.Request) -> httpx.Response:
        # httpcore cleans up when anyio cancels it; asyncio's cancellation, at the wrong
        # moment, makes it lose a connection, which is then neither closed nor used again
        scope = anyio.CancelScope(deadline=anyio.current_time() + self._left())

        async def send() -> httpx.Response:
            SENDING.set(True)  # in this task only
            with scope:
                # kept at once: it has to be closed even if the caller was cancelled just now
                self._response = await http.send(
                    built, stream=True, follow_redirects=False, auth=None
                )
                return self._response
            raise TimeoutError

        return await _apart(send, scope.cancel)

    async def read(self, within: float | None = None, *, held: bool = False) -> bytes | None:
        """See `SyncExchange.read`.

        Args:
            within: See there.
            held: Read on when the caller is cancelled, for the next read: a cancelled read of
                httpcore closes the connection.
        """
        if held or self._held is not None:
            return await self._read_held(within)
        if within is None:
            return await self._read()
        try:
            async with asyncio.timeout(within):
                return await self._read()
        except TimeoutError:
            return None

    async def _read_held(self, within: float | None) -> bytes | None:
        task = self._held = self._held or asyncio.ensure_future(self._read())
        await asyncio.wait((task,), timeout=within)
        if not task.done():
            return None
        self._held = None
        return task.result()

    async def _read(self) -> bytes | None:
        if self._chunks is None:
            return None
        reader = self._reader = cast("asyncio.Task[Any]", asyncio.current_task())
        before = reader.cancelling()
        try:
            return await anext(self._chunks, None)
        except self._foreign as exc:
            error = self._error(exc)
        except asyncio.CancelledError:
            if not self._cancelled or reader.uncancel() > before:
                raise
            error = self._timeout()
        finally:
            self._reader = None
        raise error

    def _look(self) -> None:
        """Cancel the read that is waited for if the deadline is over; else look again then."""
        left = self._left()
        if left <= 0 and self._reader is not None:
            self._cancelled = True
            self._reader.cancel()
        elif left < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(left, _AGAIN_S), self._look)

    def _silence(self) -> None:
        """Stop the timer, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._cancelled = None, False

    async def close(self) -> None:
        """See `SyncExchange.close`."""
        self._silence()
        self._chunks = None
        if self._response is not None:
            await _apart(self._close, lambda: None)

    async def _close(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()

    async def look_up(self, host: str, port: int, within: float) -> tuple[str, ...]:
        """See `SyncExchange.look_up`."""
        return await alook_up(host, port, within)

    async def sleep(self, seconds: float) -> None:
        """See `SyncExchange.sleep`."""
        await asyncio.sleep(seconds)


__all__ = ["AsyncExchange"]
