"""One request and its answer at a time, in both worlds, with our errors only.

Nothing is decoded and no redirect is followed here. A foreign exception is
translated *outside* its ``except`` block, so that it is neither cause nor context
of ours: it holds the request, and with it the credentials.

The call's deadline ends whatever an exchange is blocked in. httpx's own timeouts begin again with
every byte, so they cannot: a head, a chunk's size or a trailer may come one byte at a time. One
timer per exchange does it, so that it costs nothing per read.
"""

from __future__ import annotations

import math
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from langchain_g4f.core.http import Headers, Request, ResponseHead
from langchain_g4f.core.limits import Clocks
from langchain_g4f.errors import (
    APITimeoutError,
    ConfigurationError,
    G4FError,
    MalformedStreamError,
    TooLargeError,
)
from langchain_g4f.transport.connection_errors import Route, translate
from langchain_g4f.transport.http_library import as_httpx_error, errors_of, keep_out_of, library_of
from langchain_g4f.transport.request import WatchedBody, as_httpx

if TYPE_CHECKING:
    from collections.abc import Callable


def for_ever() -> float:
    """Seconds left of a call without a deadline."""
    return math.inf


class Exchange:
    """What the sync and the async exchange share.

    Args:
        left: Seconds until the deadline of the call.
        route: What follows the making of connections.
    """

    def __init__(self, left: Callable[[], float], route: type[Route]) -> None:
        self._left = left
        self._make_route = route
        self._route: Route | None = None
        self._host = self._url = ""
        self._body: WatchedBody | None = None
        self._extensions: dict[str, Any] = {}
        self._response: httpx.Response | None = None
        self._foreign = errors_of(httpx)
        self._clocks = Clocks()

    @property
    def request_sent(self) -> bool:
        """Whether the current request may have reached the service."""
        return self._body is not None and self._body.started

    def _build(self, http: Any, request: Request) -> httpx.Request:  # noqa: ANN401 -- a client of httpx or httpx2
        library = library_of(http)
        self._foreign = errors_of(library)
        keep_out_of(http.cookies.jar)
        built = as_httpx(request, self._clocks, library)
        if built is None:
            msg = f"no valid URL or header: {request!r}"
            raise ConfigurationError(msg)
        self._host, self._url = built.headers["host"], request.url
        self._body = built.stream = WatchedBody.of(built.stream, library)
        self._extensions = built.extensions
        self._route = built.extensions["trace"] = self._make_route(built.url)
        return built

    def _head(self, response: httpx.Response) -> ResponseHead:
        # httpcore reads this when the body begins: headers may take longer than
        # the silence between two bytes of an answer
        self._extensions["timeout"]["read"] = self._clocks.silence
        if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            # to a request for a http: address a proxy says in this way what it says to CONNECT
            raise self._error(httpx.ProxyError("407 Proxy Authentication Required"))
        headers = Headers(response.headers.multi_items())
        return ResponseHead(response.status_code, headers, self._url)

    def _error(self, exc: BaseException) -> G4FError:
        if self._left() <= 0:
            return self._timeout()
        seen = self._route.proxy if self._route is not None else ""
        return translate(
            as_httpx_error(exc),
            self._clocks,
            self._host,
            proxy=seen or self._extensions.get("proxy", ""),
            opened=self._response is not None,
            sent=self.request_sent,
        )

    def _timeout(self) -> APITimeoutError:
        return APITimeoutError(
            f"no complete answer within {self._clocks.total:g} s from {self._host}",
            kind="total",
            request_sent=self.request_sent,
        )


def chunks_of(response: httpx.Response) -> Any:  # noqa: ANN401 -- iterable in one world or the other
    """Where to read an answer from: its stream, or what a hook of the caller's has read of it.

    The stream is not read by `iter_raw`, which closes it at its end.
    """
    if not response.is_stream_consumed:
        return response.stream
    with suppress(httpx.StreamError, RuntimeError):
        return httpx.ByteStream(response.content)
    msg = "a hook of the HTTP client has consumed the answer without keeping it; use read()"
    raise ConfigurationError(msg)


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


__all__ = ["Exchange", "check_coding", "check_length", "chunks_of", "for_ever"]
