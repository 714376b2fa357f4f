"""One request and its answer at a time, in both worlds, with our errors only.

Nothing is decoded and no redirect is followed here. A foreign exception is
translated *outside* its ``except`` block, so that it is neither cause nor context
of ours: it holds the request, and with it the credentials.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from langchain_g4f._version import __version__
from langchain_g4f.errors import (
    ConfigurationError,
    G4FError,
    MalformedStreamError,
)
from langchain_g4f.transport.translate import translate
from langchain_g4f.wire import Headers, Part, Request, ResponseHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_g4f.limits import Clocks
    from langchain_g4f.transport.client import AsyncClient, SyncClient

_USER_AGENT = f"langchain-g4f/{__version__}"


class _WatchedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request body that notes that sending began: from then on it may be received."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 -- httpx has no name for it
        self._inner = inner
        self.started = False

    def __iter__(self) -> Iterator[bytes]:
        self.started = True
        yield from self._inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        async for part in self._inner:
            yield part


class _Exchange:
    """What the sync and the async exchange share."""

    def __init__(self) -> None:
        self._body: _WatchedBody | None = None
        self._response: httpx.Response | None = None

    @property
    def request_sent(self) -> bool:
        """Whether the current request may have reached the service."""
        return self._body is not None and self._body.started

    def _build(self, request: Request, clocks: Clocks) -> httpx.Request:
        headers = {
            "user-agent": _USER_AGENT,
            "accept": "*/*",
            # a 64 KiB read of gzip can decode to 67 MB: nothing is asked to be coded
            "accept-encoding": "identity",
            **request.headers,
        }
        timeout = {
            "connect": clocks.connect,
            "pool": clocks.pool,
            "write": clocks.write,
            "read": clocks.first_event,
        }
        body: dict[str, Any] = {}
        if isinstance(request.body, bytes):
            body["content"] = request.body
        else:
            body["files"] = [(part.name, _file(part)) for part in request.body]
        try:
            built = httpx.Request(
                request.method,
                request.url,
                headers=headers,
                extensions={"timeout": timeout},
                **body,
            )
        except (httpx.InvalidURL, UnicodeError):
            built = None
        if built is None:
            msg = f"no valid URL or header: {request!r}"
            raise ConfigurationError(msg)
        self._body = built.stream = _WatchedBody(built.stream)
        return built

    def _head(self, response: httpx.Response, clocks: Clocks) -> ResponseHead:
        # httpcore reads this when the body begins: headers may take longer than
        # the silence between two bytes of an answer
        response.request.extensions["timeout"]["read"] = clocks.silence
        self._response = response
        headers = Headers(response.headers.multi_items())
        return ResponseHead(response.status_code, headers, str(response.request.url))

    def _error(self, exc: BaseException, clocks: Clocks) -> G4FError:
        opened = self._response is not None
        return translate(exc, clocks, opened=opened, sent=self.request_sent)


def check_coding(head: ResponseHead) -> None:
    """Refuse a content coding that was not asked for."""
    coding = head.headers.get("content-encoding", "identity").lower()
    if coding not in ("", "identity"):
        msg = f"the answer is coded as {coding[:20]!r}, which was not asked for"
        raise MalformedStreamError(msg)


def _file(part: Part) -> tuple[str | None, bytes] | tuple[str | None, bytes, str]:
    if part.content_type:
        return part.filename, part.content, part.content_type
    return part.filename, part.content


def _shut_down(response: httpx.Response) -> None:
    """Make a blocked read of another thread return: the socket reports its end."""
    stream = response.extensions.get("network_stream")
    raw: socket.socket | None = stream and stream.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.shutdown(socket.SHUT_RDWR)


class SyncExchange(_Exchange):
    """One call's connection, blocking."""

    def __init__(self, client: SyncClient) -> None:
        super().__init__()
        self._client = client
        self._chunks: Iterator[bytes] = iter(())

    def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """Send ``request`` and read the head of its answer."""
        built = self._build(request, clocks)
        try:
            response = self._client.http.send(built, stream=True, follow_redirects=False, auth=None)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as exc:
            error = self._error(exc, clocks)
        else:
            self._clocks = clocks
            self._chunks = response.iter_raw()
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
        timer = threading.Timer(within, _shut_down, (self._response,))
        timer.daemon = True
        timer.start()
        try:
            return self._read()
        finally:
            timer.cancel()

    def _read(self) -> bytes | None:
        try:
            return next(self._chunks, None)
        except (httpx.HTTPError, httpx.StreamError, RuntimeError) as exc:
            error = self._error(exc, self._clocks)
        raise error

    def close(self) -> None:
        """Close the current answer; its connection is kept only if it was read whole."""
        response, self._response = self._response, None
        self._chunks = iter(())
        if response is not None:
            response.close()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        threading.Event().wait(seconds)


class AsyncExchange(_Exchange):
    """One call's connection, on the running event loop."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__()
        self._client = client
        self._chunks: AsyncIterator[bytes] | None = None

    async def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """See `SyncExchange.open`."""
        built = self._build(request, clocks)
        try:
            response = await self._client.http.send(
                built, stream=True, follow_redirects=False, auth=None
            )
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as exc:
            error = self._error(exc, clocks)
        else:
            self._clocks = clocks
            self._chunks = response.aiter_raw()
            return self._head(response, clocks)
        raise error

    async def read(self, within: float | None = None) -> bytes | None:
        """See `SyncExchange.read`."""
        if within is None:
            return await self._read()
        try:
            async with asyncio.timeout(within):
                return await self._read()
        except TimeoutError:
            return None

    async def _read(self) -> bytes | None:
        if self._chunks is None:
            return None
        try:
            return await anext(self._chunks, None)
        except (httpx.HTTPError, httpx.StreamError, RuntimeError) as exc:
            error = self._error(exc, self._clocks)
        raise error

    async def close(self) -> None:
        """See `SyncExchange.close`."""
        response, self._response = self._response, None
        self._chunks = None
        if response is not None:
            await response.aclose()

    async def sleep(self, seconds: float) -> None:
        """See `SyncExchange.sleep`."""
        await asyncio.sleep(seconds)


__all__ = ["AsyncExchange", "SyncExchange", "check_coding"]
