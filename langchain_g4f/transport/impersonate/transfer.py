"""One request and its answer, as curl calls back for them.

Whoever reads takes from a buffer. At its high-water mark curl is told to pause, which
stops reading from the socket; it goes on when the buffer was emptied. One lazy timer
serves all clocks: it is set to the earliest moment at which one could have run out, and
looks then what is being waited for. A clock per read would cost more than the read.

Only `take`, `waits` and `waits_no_more` may be called outside the thread of the loop.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from time import monotonic
from typing import Any, cast

import httpx
from curl_cffi import Curl, CurlECode, CurlError, CurlInfo, CurlOpt, ffi, lib

from langchain_g4f.transport.impersonate.failures import Failure, failure_of
from langchain_g4f.transport.request import WatchedBody

HIGH_WATER = 256 * 1024
"""Bytes that may wait for their reader before curl pauses; it adds a piece of its own, at most."""
_PAUSE = 0x10000001
_PROCEED, _ABORT = 0, 1


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of the final response."""

    version: bytes
    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]


class Transfer:
    """A request on its way.

    Args:
        curl: Ready to go but for the callbacks, which are set here.
        request: Its timeouts are read again each time.
        content: The body; empty for none.
        ring: Called when there is something new to be seen.

    Attributes:
        head: Of the answer, once it is complete.
        over: Nothing will be added to the answer.
        failure: Why it is over, if it should not be.
        paused: Whether curl waits for the buffer to be emptied.
        tunnelled: Whether it failed behind a proxy, which had made the connection.
    """

    def __init__(
        self, curl: Curl, request: httpx.Request, content: bytes, ring: Callable[[], None]
    ) -> None:
        self.curl = curl
        self.head: Head | None = None
        self.over = self.paused = self.tunnelled = False
        self.failure: Failure | None = None
        self._timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        self._content, self._unread = BytesIO(content), len(content)
        self._ring = ring
        self._lines: list[bytes] = []
        self._pieces: deque[bytes] = deque()
        self._received = self._taken = 0
        self._connected: float | None = None
        self._wrote = 0.0
        self._waiting_since: float | None = None
        self._watched: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stop: Callable[[Transfer], None] | None = None
        self._itself: object = ffi.new_handle(self)
        curl.setopt(CurlOpt.HEADERFUNCTION, self.on_header)
        curl.setopt(CurlOpt.WRITEFUNCTION, self.on_body)
        if content:
            curl.setopt(CurlOpt.READFUNCTION, self.on_read)
        # curl_cffi has no wrapper for this one
        lib._curl_easy_setopt(curl._curl, CurlOpt.PREREQFUNCTION, _before_sending)  # noqa: SLF001
        lib._curl_easy_setopt(curl._curl, CurlOpt.PREREQDATA, self._itself)  # noqa: SLF001

    @property
    def sent(self) -> bool:
        """Whether the service may have received the request."""
        return self._connected is not None

    # -- for whoever reads, in any thread --------------------------------------

    def take(self) -> bytes:
        """What has arrived, empty for nothing. Look at `over` before, and at `paused` after."""
        pieces = []
        while self._pieces:
            pieces.append(self._pieces.popleft())
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._taken += len(data)
        return data

    def waits(self) -> bool:
        """Somebody waits for bytes from now on; whether `watch` is due, for a new timeout."""
        self._waiting_since = monotonic()
        return self._timeouts.get("read") != self._watched

    def waits_no_more(self) -> None:
        """Nobody waits: silence is no fault of the service."""
        self._waiting_since = None

    # -- for whoever runs it ---------------------------------------------------

    def began(self, stop: Callable[[Transfer], None]) -> None:
        """It runs from now on; ``stop`` takes it out of what runs."""
        self._stop = stop
        self.watch()

    def watch(self) -> None:
        """Set the timer again, for the timeouts as they are now."""
        if self._timer is not None:
            self._timer.cancel()
        self._watched = self._timeouts.get("read")
        if not self.over:
            self._tick()

    def resume(self) -> None:
        """Let curl go on: the buffer was emptied."""
        if self.over or not self.paused:
            return
        self.paused = False
        try:
            self.curl.pause(0)
        except CurlError as exc:
            code = int(exc.code)
            self.abort(failure_of(code, proxy_status=0, os_error=0))

    def abort(self, failure: Failure | None = None) -> None:
        """Give up at once; without a failure the answer just ends."""
        if self.over:
            return
        self.failure = failure
        if self._stop is not None:
            self._stop(self)
        self._end()

    def ended(self, code: int) -> None:
        """Curl has finished."""
        if code != CurlECode.OK:
            proxy_status = int(self.curl.getinfo(CurlInfo.HTTP_CONNECTCODE) or 0)  # type: ignore[arg-type]
            self.tunnelled = 200 <= proxy_status < 300
            os_error = int(self.curl.getinfo(CurlInfo.OS_ERRNO) or 0)  # type: ignore[arg-type]
            wrote = int(self.curl.getinfo(CurlInfo.REQUEST_SIZE) or 0)  # type: ignore[arg-type]
            if not wrote and code != CurlECode.ABORTED_BY_CALLBACK:
                # a kept connection that the service had given up: not a byte of it was written
                self._connected = None
            self.failure = failure_of(code, proxy_status=proxy_status, os_error=os_error)
        self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.over = True
        self.curl.close()
        self._itself = None
        self._ring()

    # -- what curl calls -------------------------------------------------------

    def on_connected(self) -> int:
        """The request is about to be sent.

        curl would send it once more, whatever the method, when a connection that was used before
        breaks. Whether that may be is not curl's to decide.
        """
        if self._connected is not None:
            return _ABORT
        self._connected = monotonic()
        return _PROCEED

    def on_header(self, line: bytes) -> int:
        """A line of the head, an empty one at its end; trailers are dropped."""
        if self.head is None:
            if line.strip():
                self._lines.append(line)
            elif self._lines:
                head, self._lines = _parse(self._lines), []
                if head.status >= HTTPStatus.OK:
                    self.head = head
                    self._ring()
        return len(line)

    def on_body(self, data: bytes) -> int:
        """Bytes of the body."""
        if self._received - self._taken >= HIGH_WATER:
            self.paused = True
            # a reader in another thread that has not seen that may have emptied the buffer
            if self._received - self._taken >= HIGH_WATER:
                return _PAUSE
            self.paused = False
        self._pieces.append(data)
        self._received += len(data)
        self._ring()
        return len(data)

    def on_read(self, size: int) -> bytes:
        """At most ``size`` bytes of the request's body."""
        data = self._content.read(size)
        self._unread -= len(data)
        self._wrote = monotonic()
        return data

    # -- clocks ----------------------------------------------------------------

    def _tick(self) -> None:
        now = monotonic()
        due, failure = self._deadline(now)
        if due <= now:
            self.abort(failure)
        elif due < math.inf:
            self._timer = asyncio.get_running_loop().call_later(due - now, self._tick)

    def _deadline(self, now: float) -> tuple[float, Failure]:
        """When to look again at the latest, and what has happened if that is now."""
        read, write = self._limit("read"), self._limit("write")
        if self.head is not None:
            since = now if self._waiting_since is None else self._waiting_since
            return since + read, _read_timeout
        if self._connected is None:  # curl has a clock for that
            return now + min(read, write), _read_timeout
        wrote = max(self._connected, self._wrote)
        if self._unread:
            # it may be written a moment from now, and then the other clock begins
            return min(wrote + write, now + read), _write_timeout
        return wrote + read, _read_timeout

    def _limit(self, name: str) -> float:
        seconds = self._timeouts.get(name)
        return math.inf if seconds is None else seconds


@ffi.callback("int(void *, char *, char *, int, int)", error=_ABORT)  # type: ignore[untyped-decorator]
def _before_sending(data: object, *_: object) -> int:
    transfer: Transfer = ffi.from_handle(data)
    return transfer.on_connected()


def _parse(lines: list[bytes]) -> Head:
    version, _, rest = lines[0].strip().partition(b" ")
    code, _, reason = rest.strip().partition(b" ")
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        headers.append((name.strip(), value.strip()))
    status = 0
    with suppress(ValueError):
        status = int(code)
    return Head(version, status, reason, headers)


def _read_timeout() -> httpx.TransportError:
    return httpx.ReadTimeout("no bytes in time")


def _write_timeout() -> httpx.TransportError:
    return httpx.WriteTimeout("not written in time")


def content_of(request: httpx.Request) -> bytes:
    """The whole body; that sending began is noted elsewhere."""
    stream: Any = request.stream
    if isinstance(stream, WatchedBody):
        return stream.content()
    return b"".join(cast("Iterable[bytes]", stream))


def note_sent(request: httpx.Request, transfer: Transfer) -> None:
    """Note in the request whether it may have been received, and by whom."""
    if transfer.tunnelled:
        request.extensions.pop("proxy", None)
    if transfer.sent and isinstance(request.stream, WatchedBody):
        request.stream.started = True


def response(transfer: Transfer, body: Any) -> httpx.Response:  # noqa: ANN401 -- a sync or an async stream
    """The answer of a transfer with this body.

    Raises:
        httpx.TransportError: It ended without one.
    """
    head = transfer.head
    if head is None:
        if transfer.failure is None:
            msg = "given up"
            raise httpx.ReadError(msg)
        raise transfer.failure()
    return httpx.Response(
        head.status,
        headers=head.headers,
        stream=body,
        extensions={"http_version": head.version, "reason_phrase": head.reason},
    )


__all__ = ["HIGH_WATER", "Head", "Transfer", "content_of", "note_sent", "response"]
