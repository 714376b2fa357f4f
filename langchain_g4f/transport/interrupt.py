"""Ends the read or write that a thread is blocked in.

A blocked read starts its own timeout again with every byte, so a server that sends one byte at a
time is never too slow for it. Only another thread can end such a read, and one is enough: it
watches the `Alarm` of every blocking call. The socket is shut down, not closed.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


_LOOK_S = 1.0
"""The thread looks at least this often, and ends once there was nothing to look at for so long."""
_AGAIN_S = 0.1
"""Seconds between two rings: what is to be ended may not have been there at the first one."""


class Alarm:
    """Rings when a time is over, and from then on until it is cancelled.

    Args:
        left: Seconds until then; it may grow, and is asked again before the alarm rings.
        ring: Called in another thread; must not block. Once `cancel` has returned it is not
            called any more.

    Attributes:
        rang: Whether the alarm has rung.
    """

    def __init__(self, left: Callable[[], float], ring: Callable[[], None]) -> None:
        self.rang = False
        self.left = left
        self.ring = ring
        _watch.add(self)

    def cancel(self) -> None:
        """Do not ring any more."""
        _watch.discard(self)


class _Watch:
    """The alarms of the process, and the thread that looks at them while there are any."""

    def __init__(self) -> None:
        # with a re-entrant lock: a call that is collected while it is held cancels its alarm
        self._changed = threading.Condition()
        self._alarms: set[Alarm] = set()
        self._next_look = 0.0
        self._runs = False

    def add(self, alarm: Alarm) -> None:
        """Watch an alarm."""
        with self._changed:
            self._alarms.add(alarm)
            if not self._runs:
                self._runs = True
                name = "langchain_g4f alarms"
                threading.Thread(target=self._run, daemon=True, name=name).start()
            elif monotonic() + alarm.left() < self._next_look:
                self._changed.notify()

    def discard(self, alarm: Alarm) -> None:
        """Forget an alarm."""
        with self._changed:
            self._alarms.discard(alarm)

    def _run(self) -> None:
        idle = False
        with self._changed:
            while self._alarms or not idle:
                idle = not self._alarms
                wait = min([_LOOK_S, *map(self._look, list(self._alarms))])
                self._next_look = monotonic() + wait
                self._changed.wait(wait)
            self._runs = False

    def _look(self, alarm: Alarm) -> float:
        """Ring an alarm if it is due; seconds until the next look at it."""
        left = alarm.left()
        if left > 0 or alarm not in self._alarms:
            return max(left, 0)
        alarm.rang = True
        alarm.ring()
        return _AGAIN_S


_watch = _Watch()


def _forget_in_child() -> None:
    """The thread stayed with the parent."""
    global _watch  # noqa: PLW0603 -- one for the process
    _watch = _Watch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


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


__all__ = ["Alarm", "hang_up"]
