"""A thread that iterates what would block, and hands the values over one by one.

An async iterator gets an event loop of its own there, whatever runs around it. The queue is
bounded, so a provider waits for a slow reader. Closing ends the provider's generator where that is
possible; a call that blocks is left to the thread, and the caller does not wait for it.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from langchain_g4f.g4f_adapter.attempt import END, NOTHING_YET
from langchain_g4f.g4f_adapter.errors import ProviderExitError

_CAPACITY = 64
"""Values that are waiting for the reader at most."""


class Worker:
    """Runs one answer of a provider.

    Args:
        start: Asks for the answer: gives an iterator, an awaitable or a value.
        notify: Called from the thread when there is something to get.
    """

    def __init__(
        self, start: Callable[[], object], notify: Callable[[], object] = lambda: None
    ) -> None:
        self._start = start
        self._notify = notify
        self._changed = threading.Condition()
        self._values: deque[object] = deque()
        self._failure: Exception | None = None
        self._over = False
        self._closed = False
        self._cancel: Callable[[], object] | None = None
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._run,), name="langchain-g4f provider", daemon=True
        )
        self._thread.start()

    def get(self, timeout: float = 0.0) -> object:
        """The next value, `END`, or `NOTHING_YET` after ``timeout`` seconds.

        Raises:
            Exception: What the provider raised; `ProviderExitError` for other than an `Exception`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._values or self._over, timeout):
                return NOTHING_YET
            if self._values:
                self._changed.notify_all()
                return self._values.popleft()
        if self._failure is not None:
            raise self._failure
        return END

    def close(self, wait: float = 0.0) -> None:
        """End it, and wait up to so many seconds until the thread has ended."""
        with self._changed:
            self._closed = True
            self._values.clear()
            self._changed.notify_all()
        self.cancel()
        self._thread.join(wait)
        if wait and self._thread.is_alive():
            self.cancel()  # the provider may wait for a server while it cleans up

    def cancel(self) -> None:
        """Cancel the provider's task, if it has one."""
        with self._changed:  # the task's loop stays open as long as this is held
            if self._cancel is not None:
                self._cancel()

    @property
    def ended(self) -> bool:
        """Whether the thread has nothing left to do."""
        return self._over

    def _run(self) -> None:
        try:
            self._drain(self._start())
        except Exception as error:  # noqa: BLE001 -- `get` raises it
            self._fail(error)
        except BaseException as error:  # noqa: BLE001 -- no user interrupts this thread
            self._fail(ProviderExitError(error))
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._notify()

    def _fail(self, error: Exception) -> None:
        self._failure = None if self._closed else error

    def _drain(self, result: object) -> None:
        if hasattr(result, "__aiter__"):
            asyncio.run(self._in_a_task(self._each, result))
        elif inspect.isawaitable(result):
            asyncio.run(self._in_a_task(self._one, result))
        elif isinstance(result, str | bytes | Mapping) or not isinstance(result, Iterable):
            self._put(result)
        else:
            self._iterate(result)

    def _iterate(self, values: Iterable[object]) -> None:
        try:
            for value in values:
                if not self._put(value):
                    break
        finally:
            close = getattr(values, "close", None)
            if callable(close):
                close()

    async def _in_a_task(self, read: Callable[[Any], Awaitable[None]], result: object) -> None:
        task = asyncio.ensure_future(_without_exit(read, result))
        loop = asyncio.get_running_loop()
        with self._changed:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._closed:
                task.cancel()
        try:
            await asyncio.wait((task,))
        finally:
            with self._changed:
                self._cancel = None
        task.result()

    async def _each(self, values: Any) -> None:
        iterator = aiter(values)
        try:
            async for value in iterator:
                if not self._put(value):
                    break
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def _one(self, result: Awaitable[object]) -> None:
        value = await result
        if hasattr(value, "__aiter__"):
            await self._each(value)
        else:
            self._put(value)

    def _put(self, value: object) -> bool:
        """Hand a value over once there is room; False if the reader is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._values) < _CAPACITY)
            if self._closed:
                return False
            self._values.append(value)
            self._changed.notify_all()
        self._notify()
        return True


async def _without_exit(read: Callable[[Any], Awaitable[None]], result: object) -> None:
    try:
        await read(result)
    except (SystemExit, KeyboardInterrupt) as error:  # asyncio would stop its loop for these
        raise ProviderExitError(error) from error


__all__ = ["Worker"]
