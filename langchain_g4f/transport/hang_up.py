"""Ends the read or write that another thread is blocked in, without closing its socket."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def hang_up(http: Any, extensions: dict[str, Any], response: httpx.Response | None) -> None:  # noqa: ANN401 -- a client of httpx or httpx2
    """Let a request fail at once, wherever it is.

    The socket is shut down and not closed: its number may be that of another file a moment later.

    Args:
        http: The client that sends the request.
        extensions: Those of the request, the same object.
        response: Its answer, once that has begun.
    """
    if (abort := extensions.get("hang_up")) is not None:
        abort()
        return
    known = None if response is None else response.extensions.get("network_stream")
    stream = known or _stream_of(http, extensions)
    found = None if stream is None else stream.get_extra_info("socket")
    if isinstance(found, socket.socket):
        with suppress(OSError):
            # not by the method of an SSLSocket, which takes the TLS away from who reads
            socket.socket.shutdown(found, socket.SHUT_RDWR)


def _stream_of(http: Any, extensions: dict[str, Any]) -> Any:  # noqa: ANN401 -- httpcore's network stream
    """The connection of a request that is not answered yet; httpcore has no public way to it."""
    mounted = getattr(http, "_mounts", {}).values()
    for transport in (getattr(http, "_transport", None), *mounted):
        pool = getattr(transport, "_pool", None)
        for each in list(getattr(pool, "_requests", ())):
            if each.request.extensions is extensions:
                connection = each.connection
                while (inner := getattr(connection, "_connection", None)) is not None:
                    connection = inner  # inside what makes it, a proxy's tunnel for one
                return getattr(connection, "_network_stream", None)
    return None


__all__ = ["hang_up"]
