"""The transport for callers that block.

Transfers run on an event loop of their own, in a daemon thread that all transports of the
process share, while there are any. A caller reads from the transfer's buffer itself: nothing is
handed over item by item, and what waits there is taken at once.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from functools import partial

import httpx

from langchain_g4f.transport.impersonate.config import ImpersonateConfig
from langchain_g4f.transport.impersonate.multi import Multi
from langchain_g4f.transport.impersonate.transfer import Transfer, content_of, note_sent, response

_GRACE_S = 5.0
_Post = Callable[[Callable[[], None]], None]


class SyncCurlTransport(httpx.BaseTransport):
    """Asks as a browser does; serves all threads.

    Args:
        config: As which one, and by which proxy.
    """

    def __init__(self, config: ImpersonateConfig) -> None:
        self._config = config
        self._mutex = threading.Lock()
        self._worker: _Worker | None = None
        self._multi: Multi | None = None
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and read the head of its answer.

        Raises:
            httpx.TransportError: There is no answer.
        """
        content = content_of(request)
        curl = self._config.prepared(request, content)
        bell = _ThreadBell()
        transfer = Transfer(curl, request, content, bell.ring)
        post = self._hired().post
        request.extensions["hang_up"] = partial(_give_up, transfer, post)
        try:
            post(lambda: self._start(transfer))
            while transfer.head is None and not transfer.over:
                bell.wait()
            body = _SyncBody(transfer, bell, post)
            return response(transfer, body)
        except BaseException:
            _abort(transfer, bell, post)
            raise
        finally:
            note_sent(request, transfer)

    def close(self) -> None:
        """Abort what is under way, and close all connections."""
        with self._mutex:
            worker, self._worker, self._closed = self._worker, None, True
        if worker is not None:
            worker.run(self._aclose())
            _leave(worker)

    def _hired(self) -> _Worker:
        with self._mutex:
            if self._closed:
                msg = "the client was closed"
                raise RuntimeError(msg)
            if self._worker is None:
                self._worker = _hire()
            return self._worker

    def _start(self, transfer: Transfer) -> None:
        if self._closed:
            transfer.abort()
            return
        if self._multi is None:
            self._multi = Multi()
        self._multi.start(transfer)

    async def _aclose(self) -> None:
        multi, self._multi = self._multi, None
        if multi is not None:
            await multi.aclose()


class _ThreadBell:
    """Rung by a transfer, waited for by its reader; it knows neither."""

    def __init__(self) -> None:
        self._rung = threading.Lock()
        self._rung.acquire()

    def ring(self) -> None:
        """Wake the reader; if it does not wait, it will not wait the next time."""
        if self._rung.locked():
            self._rung.release()

    def wait(self, within_s: float = -1) -> bool:
        """Until it is rung; whether that was in time."""
        return self._rung.acquire(timeout=within_s)


def _abort(transfer: Transfer, bell: _ThreadBell, post: _Post) -> None:
    """Give a transfer up, and wait for that."""
    if not transfer.over:
        post(transfer.abort)
    while not transfer.over and bell.wait(_GRACE_S):
        pass
    bell.ring()  # a reader may be waiting


def _give_up(transfer: Transfer, post: _Post) -> None:
    """Have a transfer given up, without waiting for that."""
    with suppress(RuntimeError):  # the loop has stopped
        post(transfer.abort)


class _SyncBody(httpx.SyncByteStream):
    """The body of an answer. No transfer knows it, so it can be dropped, which ends that."""

    def __init__(self, transfer: Transfer, bell: _ThreadBell, post: _Post) -> None:
        self._transfer = transfer
        self._bell = bell
        self._post = post

    def __iter__(self) -> Iterator[bytes]:
        transfer = self._transfer
        while True:
            over = transfer.over
            if data := transfer.take():
                if transfer.paused:
                    self._post(transfer.resume)
                yield data
            elif over:
                break
            else:
                self._arrival()
        if transfer.failure is not None:
            raise transfer.failure()

    def _arrival(self) -> None:
        if self._transfer.waits():
            self._post(self._transfer.watch)
        try:
            self._bell.wait()
        finally:
            self._transfer.waits_no_more()
        if self._transfer.over:
            self._bell.ring()  # `close` may be waiting

    def close(self) -> None:
        """Give up what has not arrived yet."""
        with suppress(RuntimeError):  # the loop has stopped
            _abort(self._transfer, self._bell, self._post)

    def __del__(self) -> None:
        if not self._transfer.over:
            _give_up(self._transfer, self._post)


class _Worker:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.users = 0
        self._loop = asyncio.new_event_loop()
        # what allocates under it may collect a dropped body, which posts, too
        self._mutex = threading.RLock()
        self._stopped = False
        self._thread = threading.Thread(
            target=self._loop.run_forever, daemon=True, name="langchain_g4f impersonate"
        )
        self._thread.start()

    def post(self, call: Callable[[], object]) -> None:
        """Have it called there. What was posted will be called; after `stop` it is refused."""
        with self._mutex:
            if self._stopped:
                msg = "the client was closed"
                raise RuntimeError(msg)
            self._loop.call_soon_threadsafe(call)

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Have it awaited there, and wait for that."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_GRACE_S)

    def leave_to_parent(self) -> None:
        """Refuse everything: in a forked child there is no such thread."""
        self._mutex = threading.RLock()  # another thread may have held it at the fork
        self._stopped = True

    def stop(self) -> None:
        """End the thread."""
        self.post(self._loop.stop)
        self._stopped = True
        self._thread.join(_GRACE_S)
        self._loop.close()


_mutex = threading.Lock()
_worker: _Worker | None = None
_of_the_parent: list[object] = []


def _hire() -> _Worker:
    global _worker  # noqa: PLW0603 -- one for the process
    with _mutex:
        if _worker is None:
            _worker = _Worker()
        _worker.users += 1
        return _worker


def _leave(worker: _Worker) -> None:
    global _worker  # noqa: PLW0603 -- one for the process
    with _mutex:
        worker.users -= 1
        if worker.users:
            return
        _worker = None
    worker.stop()


def _forget_in_child() -> None:
    """The thread stayed with the parent."""
    global _mutex, _worker  # noqa: PLW0603 -- another thread may have held it at the fork
    _mutex = threading.Lock()
    if _worker is not None:
        _worker.leave_to_parent()
        _of_the_parent.append(_worker)
    _worker = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)

__all__ = ["SyncCurlTransport"]
