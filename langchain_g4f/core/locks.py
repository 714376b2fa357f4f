"""Named locks that threads and event loops wait on alike.

A model object may be used from several threads and loops at once, and a
conversation takes one message at a time whoever sends it. A waiter is a
``concurrent.futures.Future``: a thread blocks on it, a task wraps it.

An event loop that is closed in the midst of a call never runs the end of it, so whoever
waits looks from time to time whether the holder is still there.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field


def _never() -> bool:
    return False


@dataclass(eq=False, slots=True)
class _Place:
    granted: Future[None]
    gone: Callable[[], bool]
    behind: deque[_Place] = field(default_factory=deque)


class KeyedLocks:
    """Fair locks by key; a free lock takes no memory."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held: dict[str, _Place] = {}

    def acquire(self, key: str, gone: Callable[[], bool] = _never) -> Future[None]:
        """A future that is done once the caller holds the lock.

        A caller that gives up waiting cancels the future; if that comes too
        late (``cancel()`` is False) it holds the lock and must release it.

        Args:
            key: Name of the lock.
            gone: Whether the caller can never release it any more; asked in any thread.
        """
        place = _Place(Future(), gone)
        with self._mutex:
            holder = self._held.get(key)
            if holder is None:
                self._held[key] = place
                place.granted.set_result(None)
            else:
                holder.behind.append(place)
        self.look(key)
        return place.granted

    def look(self, key: str) -> None:
        """Hand the lock on if its holder is gone."""
        with self._mutex:
            holder = self._held.get(key)
            if holder is not None and holder.gone():
                self._hand_on(key, holder)

    def release(self, key: str, granted: Future[None] | None = None) -> None:
        """Hand the lock to the next waiter that still waits.

        Args:
            key: Name of the lock.
            granted: What `acquire` gave the caller, who may have lost the lock meanwhile; None
                for whoever holds it.
        """
        with self._mutex:
            holder = self._held.get(key)
            if holder is not None and granted in (None, holder.granted):
                self._hand_on(key, holder)

    def _hand_on(self, key: str, holder: _Place) -> None:
        waiting = holder.behind
        while waiting:
            place = waiting.popleft()
            if not place.gone() and place.granted.set_running_or_notify_cancel():
                place.behind = waiting
                self._held[key] = place
                place.granted.set_result(None)
                return
        del self._held[key]


__all__ = ["KeyedLocks"]
