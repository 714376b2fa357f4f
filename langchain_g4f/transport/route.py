"""Follows how a connection is made: whose fault it is if that fails, and what has to be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

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


__all__ = ["AsyncRoute", "Route", "in_text"]
