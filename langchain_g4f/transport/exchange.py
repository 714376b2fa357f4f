"""One request and its answer at a time, in both worlds, with our errors only.

Nothing is decoded and no redirect is followed here. A foreign exception is
translated *outside* its ``except`` block, so that it is neither cause nor context
of ours: it holds the request, and with it the credentials.
"""

from __future__ import annotations

import asyncio
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import httpx

from langchain_g4f.errors import (
    ConfigurationError,
    G4FError,
    MalformedStreamError,
    TooLargeError,
)
from langchain_g4f.transport.hang_up import HangUp
from langchain_g4f.transport.request import WatchedBody, as_httpx
from langchain_g4f.transport.resolve import alook_up, look_up
from langchain_g4f.transport.translate import translate
from langchain_g4f.wire import Headers, Request, ResponseHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping

    from langchain_g4f.limits import Clocks
    from langchain_g4f.transport.client import AsyncClient, SyncClient

# httpcore lets a UnicodeError of the name look-up pass
_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, RuntimeError, UnicodeError)

T = TypeVar("T")


class _Exchange:
    """What the sync and the async exchange share."""

    def __init__(self) -> None:
        self._host = self._url = ""
        self._body: WatchedBody | None = None
        self._response: httpx.Response | None = None

    @property
    def request_sent(self) -> bool:
        """Whether the current request may have reached the service."""
        return self._body is not None and self._body.started

    def _build(self, request: Request, clocks: Clocks) -> httpx.Request:
        built = as_httpx(request, clocks)
        if built is None:
            msg = f"no valid URL or header: {request!r}"
            raise ConfigurationError(msg)
        self._host, self._url = built.headers["host"], request.url
        self._body = built.stream = WatchedBody(built.stream)
        return built

    def _head(self, response: httpx.Response, clocks: Clocks) -> ResponseHead:
        # httpcore reads this when the body begins: headers may take longer than
        # the silence between two bytes of an answer
        response.request.extensions["timeout"]["read"] = clocks.silence
        self._response = response
        if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            # to a request for a http: address a proxy says in this way what it says to CONNECT
            raise self._error(httpx.ProxyError("407 Proxy Authentication Required"), clocks)
        headers = Headers(response.headers.multi_items())
        return ResponseHead(response.status_code, headers, self._url)

    def _error(self, exc: BaseException, clocks: Clocks) -> G4FError:
        opened = self._response is not None
        return translate(exc, clocks, self._host, opened=opened, sent=self.request_sent)


def check_coding(head: ResponseHead) -> None:
    """Refuse a content coding that was not asked for."""
    coding = head.headers.get("content-encoding", "identity").lower()
    if coding not in ("", "identity"):
        msg = f"the answer is coded as {coding[:20]!r}, which was not asked for"
        raise MalformedStreamError(msg)


def check_length(head: ResponseHead, limit: int) -> None:
    """Refuse a body that is announced as larger than ``limit`` bytes."""
    announced = head.headers.get("content-length")
    if announced.isdecimal() and int(announced[:20]) > limit:
        msg = f"the response is larger than {limit} bytes"
        raise TooLargeError(msg)


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
        task.exception()  # nobody misses it
    raise cancelled


class _Handshake:
    """Closes a connection whose TLS handshake is given up: httpcore forgets it."""

    def __init__(self) -> None:
        self._stream: Any = None

    async def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore at each of its steps."""
        if name == "connection.connect_tcp.complete":
            self._stream = info["return_value"]
        elif name == "connection.start_tls.failed" and self._stream is not None:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()


class SyncExchange(_Exchange):
    """One call's connection, blocking."""

    def __init__(self, client: SyncClient) -> None:
        super().__init__()
        self._client = client
        self._chunks: Iterator[bytes] = iter(())

    def beside(self) -> SyncExchange:
        """Another connection of the same client."""
        return SyncExchange(self._client)

    def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """Send ``request`` and read the head of its answer."""
        try:
            http = self._client.direct if request.address else self._client.http
            # no variable for what is built: its repr shows the query
            response = http.send(
                self._build(request, clocks), stream=True, follow_redirects=False, auth=None
            )
        except _FOREIGN as exc:
            error = self._error(exc, clocks)
        else:
            self._clocks = clocks
            # not by iter_raw(), which closes at the end: see read() and close()
            self._chunks = iter(cast("httpx.SyncByteStream", response.stream))
            return self._head(response, clocks)
        raise error

    def read(self, within: float | None = None) -> bytes | None:
        """The next bytes of the answer, None at its end.

        Args:
            within: Give up after this many seconds instead of the silence clock.
        """
        if within is None:
            return self._read()
        if within <= 0 or self._response is None:
            return None
        hang_up = HangUp(self._response)
        timer = threading.Timer(within, hang_up)
        timer.daemon = True
        timer.start()
        try:
            return self._read()
        finally:
            hang_up.cancel()
            timer.cancel()

    def _read(self) -> bytes | None:
        try:
            return next(self._chunks, None)
        except _FOREIGN as exc:
            error = self._error(exc, self._clocks)
        raise error

    def close(self) -> None:
        """Close the current answer; its connection is kept only if it was read whole."""
        response, self._response = self._response, None
        self._chunks = iter(())
        if response is not None:
            response.close()

    def look_up(self, host: str, port: int, within: float) -> tuple[str, ...]:
        """The addresses of ``host``."""
        return look_up(host, port, within)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        threading.Event().wait(seconds)


class AsyncExchange(_Exchange):
    """One call's connection, on the running event loop."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__()
        self._client = client
        self._chunks: AsyncIterator[bytes] | None = None
        self._held: asyncio.Task[bytes | None] | None = None

    def beside(self) -> AsyncExchange:
        """See `SyncExchange.beside`."""
        return AsyncExchange(self._client)

    async def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """See `SyncExchange.open`."""
        try:
            http = self._client.direct if request.address else self._client.http
            response = await self._send(http, self._build(request, clocks))
        except _FOREIGN as exc:
            error = self._error(exc, clocks)
        else:
            self._clocks = clocks
            # not by aiter_raw(), which closes at the end: see close()
            self._chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
            return self._head(response, clocks)
        raise error

    async def _send(self, http: httpx.AsyncClient, built: httpx.Request) -> httpx.Response:
        # httpcore cleans up when anyio cancels it; asyncio's cancellation, at the wrong
        # moment, makes it lose a connection, which is then neither closed nor used again
        scope = anyio.CancelScope()
        built.extensions["trace"] = _Handshake()

        async def send() -> httpx.Response:
            with scope:
                # kept at once: it has to be closed even if the caller was cancelled just now
                self._response = await http.send(
                    built, stream=True, follow_redirects=False, auth=None
                )
                return self._response
            raise asyncio.CancelledError

        return await _apart(send, scope.cancel)

    async def read(self, within: float | None = None, *, held: bool = False) -> bytes | None:
        """See `SyncExchange.read`.

        Args:
            within: See there.
            held: Go on reading when the caller is cancelled, for the next who reads.
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
        try:
            return await anext(self._chunks, None)
        except _FOREIGN as exc:
            error = self._error(exc, self._clocks)
        raise error

    async def close(self) -> None:
        """See `SyncExchange.close`."""
        self._chunks = None
        if self._response is not None:
            await _apart(self._close, lambda: None)

    async def _close(self) -> None:
        held, self._held = self._held, None
        if held is not None and held.cancel():
            await asyncio.wait((held,))
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()

    async def look_up(self, host: str, port: int, within: float) -> tuple[str, ...]:
        """See `SyncExchange.look_up`."""
        return await alook_up(host, port, within)

    async def sleep(self, seconds: float) -> None:
        """See `SyncExchange.sleep`."""
        await asyncio.sleep(seconds)


__all__ = ["AsyncExchange", "SyncExchange", "check_coding", "check_length"]
