"""The exchange of calls that block. Its deadline is an `Alarm`, which another thread rings."""

from __future__ import annotations

import math
import threading
from time import monotonic
from typing import TYPE_CHECKING

from langchain_g4f.transport.connection_errors import Route
from langchain_g4f.transport.exchange import Exchange, chunks_of, for_ever
from langchain_g4f.transport.http_library import SENDING
from langchain_g4f.transport.interrupt import Alarm, hang_up
from langchain_g4f.transport.resolve import look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_g4f.core.http import Request, ResponseHead
    from langchain_g4f.core.limits import Clocks
    from langchain_g4f.transport.client import SyncClient


class SyncExchange(Exchange):
    """One call's connection, blocking."""

    def __init__(self, client: SyncClient, left: Callable[[], float] = for_ever) -> None:
        super().__init__(left, Route)
        self._client = client
        self._chunks: Iterator[bytes] = iter(())
        self._alarm: Alarm | None = None

    def beside(self) -> SyncExchange:
        """Another connection of the same call."""
        return SyncExchange(self._client, self._left)

    def open(self, request: Request, clocks: Clocks) -> ResponseHead:
        """Send ``request`` and read the head of its answer."""
        self._clocks = clocks
        self._http = self._client.direct if request.address else self._client.http
        self._silence()
        if self._left() < math.inf:
            self._alarm = Alarm(self._left, self._hang_up)
        ours = SENDING.set(True)
        try:
            # no variable for what is built: its repr shows the query
            self._response = self._http.send(
                self._build(self._http, request), stream=True, follow_redirects=False, auth=None
            )
            self._chunks = iter(chunks_of(self._response))
        except self._foreign as exc:
            error = self._error(exc)
        else:
            return self._head(self._response)
        finally:
            SENDING.reset(ours)
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
        until = monotonic() + within
        alarm = Alarm(lambda: until - monotonic(), self._hang_up)
        try:
            return self._read()
        finally:
            alarm.cancel()

    def _read(self) -> bytes | None:
        try:
            data = next(self._chunks, None)
        except self._foreign as exc:
            error = self._error(exc)
        else:
            if data is not None or self._alarm is None or not self._alarm.rang:
                return data
            error = self._timeout()
        raise error

    def close(self) -> None:
        """Close the current answer; its connection is kept only if it was read whole."""
        self._silence()
        response, self._response = self._response, None
        self._chunks = iter(())
        if response is not None:
            response.close()

    def _hang_up(self) -> None:
        hang_up(self._http, self._extensions, self._response)

    def _silence(self) -> None:
        """Stop the alarm, if there is one."""
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.cancel()

    def look_up(self, host: str, port: int, within: float) -> tuple[str, ...]:
        """The addresses of ``host``."""
        return look_up(host, port, within)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        threading.Event().wait(seconds)


__all__ = ["SyncExchange"]
