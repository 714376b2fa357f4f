"""Our errors for those of the HTTP library: no request, no headers, no foreign frames.

A `Route` follows how a connection is made, and so knows whether a proxy is to blame.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import APIConnectionError, APITimeoutError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from langchain_g4f.core.limits import Clocks
    from langchain_g4f.errors import G4FError


_PORTS = {"http": 80, "https": 443}


class Route:
    """Called by httpcore at each of its steps.

    Args:
        url: What is asked for.

    Attributes:
        proxy: Host and port of the proxy that is connected to; empty for none, and once it has
            made the connection to the service.
    """

    def __init__(self, url: httpx.URL) -> None:
        self.proxy = ""
        self._target = (url.raw_host.decode("ascii"), url.port or _PORTS.get(url.scheme))

    def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        """A step is taken."""
        if name.endswith(".connect_tcp.started"):
            peer = (info["host"], info["port"])
            if peer != self._target:
                self.proxy = in_text(*peer)
        elif name in {"proxy.start_tls.started", "socks.start_tls.started"}:
            self.proxy = ""


class AsyncRoute(Route):
    """The same; also closes a connection whose TLS handshake is given up: httpcore forgets it."""

    _stream: Any = None

    async def __call__(self, name: str, info: Mapping[str, Any]) -> None:  # type: ignore[override]
        """A step is taken."""
        super().__call__(name, info)
        if name == "connection.connect_tcp.complete":
            self._stream = info["return_value"]
        elif name == "connection.start_tls.failed" and self._stream is not None:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()


def in_text(host: str, port: int | None) -> str:
    """Host and port as a URL has them."""
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"


def translate(
    exc: BaseException, clocks: Clocks, host: str, *, proxy: str = "", opened: bool, sent: bool
) -> G4FError:
    """Our error for one of httpx's; it holds no request and no frames.

    Args:
        exc: Theirs.
        clocks: Those the request was made with.
        host: Whom it was made to: host and port.
        proxy: Host and port of the proxy whose fault it is if there is no answer; empty for none.
        opened: Whether the answer had begun.
        sent: Whether the request may have been received.
    """
    next_hop = f"the proxy {proxy}, which was to ask {host}," if proxy else host
    match exc:
        case httpx.ConnectTimeout():
            return APITimeoutError(
                f"no connection to {next_hop} within {clocks.connect:g} s", kind="connect"
            )
        case httpx.PoolTimeout():
            return APITimeoutError(
                f"no free connection to {host} within {clocks.pool:g} s", kind="pool"
            )
        case httpx.WriteTimeout():
            return APITimeoutError(
                f"the request to {host} could not be written within {clocks.write:g} s",
                kind="write",
                request_sent=True,
            )
        case httpx.TimeoutException() | TimeoutError() if opened:
            return APITimeoutError(
                f"no byte of the answer of {host} for {clocks.silence:g} s",
                kind="silence",
                request_sent=True,
            )
        case httpx.TimeoutException() | TimeoutError():
            return APITimeoutError(
                f"no answer from {next_hop} within {clocks.first_event:g} s",
                kind="first_event",
                request_sent=sent,
            )
        case httpx.ProxyError():
            return APIConnectionError(
                f"the proxy{f' {proxy}' if proxy else ''} refused the connection to {host}"
                f" ({redact_text(str(exc), limit=80)})",
                is_retryable=False,
            )
        case httpx.ConnectError():
            tls = _is_tls(exc)
            what = "no TLS connection to" if tls else "could not connect to"
            return APIConnectionError(
                f"{what} {next_hop} ({redact_text(str(exc), limit=200)})", is_retryable=not tls
            )
        case _ if proxy and not opened:
            return APIConnectionError(
                f"the proxy {proxy} broke the connection to {host} before the answer began"
                f" ({type(exc).__name__})",
                request_sent=sent,
            )
        case _:
            what = "broke" if opened else "broke before the answer began"
            return APIConnectionError(
                f"the connection to {host} {what} ({type(exc).__name__})", request_sent=sent
            )


def _is_tls(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(exc):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


__all__ = ["AsyncRoute", "Route", "in_text", "translate"]
