"""Named locks that threads and event loops wait on alike.

A model object may be used from several threads and loops at once, and a
conversation takes one message at a time whoever sends it. A waiter is a
``concurrent.futures.Future``: a thread blocks on it, a task wraps it.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future


class KeyedLocks:
    """Fair locks by key; a lock nobody holds costs nothing."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: dict[str, deque[Future[None]]] = {}

    def acquire(self, key: str) -> Future[None]:
        """A future that is done once the caller holds the lock.

        A caller that gives up waiting cancels the future; if that comes too
        late (``cancel()`` is False) it holds the lock and must release it.
        """
        granted: Future[None] = Future()
        with self._mutex:
            queue = self._waiting.get(key)
            if queue is None:
                self._waiting[key] = deque()
                granted.set_result(None)
            else:
                queue.append(granted)
        return granted

    def release(self, key: str) -> None:
        """Hand the lock to the next waiter that still waits."""
        with self._mutex:
            queue = self._waiting[key]
            while queue:
                waiter = queue.popleft()
                if waiter.set_running_or_notify_cancel():
                    waiter.set_result(None)
                    return
            del self._waiting[key]


__all__ = ["KeyedLocks"]
