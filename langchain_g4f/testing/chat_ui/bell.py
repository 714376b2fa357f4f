"""Waking those who wait: for more updates, for a stop, for the end of a pause."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes every waiter when rung. Belongs to one event loop.

    Lighter than a condition under `asyncio.timeout`, which matters with hundreds of streams.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait now."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            _wake(waiter)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return when the bell rings, or after `timeout_s` seconds."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.add(waiter)
        timer = None if timeout_s is None else loop.call_later(timeout_s, _wake, waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer:
                timer.cancel()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
