"""Ends a blocked read of another thread, without closing what it reads from."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class HangUp:
    """To be called when a read takes too long.

    A timer may call it at the very moment at which the read returns. Once it was cancelled
    it does nothing: the connection may be somebody else's by then.

    Args:
        response: What is read.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._mutex = threading.Lock()
        self._response: httpx.Response | None = response

    def __call__(self) -> None:
        """Hang up, unless the read has returned."""
        with self._mutex:
            if self._response is not None:
                _shut_down(self._response)

    def cancel(self) -> None:
        """From now on, do nothing."""
        with self._mutex:
            self._response = None


def _shut_down(response: httpx.Response) -> None:
    """Let the socket report its end."""
    if (hang_up := response.extensions.get("hang_up")) is not None:
        hang_up()
        return
    stream = response.extensions.get("network_stream")
    raw: socket.socket | None = stream and stream.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.shutdown(socket.SHUT_RDWR)


__all__ = ["HangUp"]
