"""One attempt to get an answer on the running event loop.

What does not block is awaited where the caller is, anything else in a `Worker`. One timer keeps the
clocks, as a timeout for each value would cost more than the value. What is cancelled may first wait
for a server while it cleans up, as HTTP clients do; then it is cancelled once more.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from langchain_g4f.chat_models.g4f.call import Clock, ProviderCall
from langchain_g4f.chat_models.g4f.causes import ProviderExitError
from langchain_g4f.chat_models.g4f.worker import END, NOTHING_YET, Worker
from langchain_g4f.core.events import Event
from langchain_g4f.errors import APITimeoutError, G4FError


class Attempt:
    """One attempt to get an answer.

    Args:
        call: The call.
        began: When it began, in seconds on the clock of the running loop.

    Attributes:
        reader: What reads the answer.
    """

    def __init__(self, call: ProviderCall, began: float) -> None:
        self.reader = call.reader()
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._clock = Clock(call, began)
        self._next: Callable[[], Awaitable[object]] = self._first
        self._values: Any = None
        self._worker: Worker | None = None
        self._news = asyncio.Event()
        self._waiting: asyncio.Task[Any] | None = None
        self._since = 0.0
        self._late: APITimeoutError | None = None
        self._cancelled = 0
        self._timer: asyncio.TimerHandle | None = None

    def end(self) -> Iterator[Event]:
        """What ends it."""
        return self._call.end(self.reader)

    def wait(self, failure: G4FError, attempt: int, spent: float) -> float | None:
        """Seconds until another attempt; None for never."""
        return None if self.reader.begun else self._call.wait(failure, attempt, spent)

    async def next(self) -> object:
        """The next value, or `END`.

        Raises:
            APITimeoutError: It did not come in time.
            Exception: What the provider raised; `ProviderExitError` for what is no `Exception`.
        """
        self._waiting = asyncio.current_task()
        self._since = self._now()
        if self._timer is None:
            self._set_timer()
        try:
            value = await self._next()
        except StopAsyncIteration:
            if (late := self._was_late()) is None:
                return END
        except BaseException as error:
            if _is_the_callers(error, self._waiting, self._loop):
                raise
            if (late := self._was_late()) is None:
                if isinstance(error, Exception) or _is_cancelled(error, self._waiting):
                    raise
                raise ProviderExitError(error) from error
        else:
            if self._late is None or (late := self._was_late()) is None:
                return value
        finally:
            self._waiting = None
        raise late

    def _was_late(self) -> APITimeoutError | None:
        """The error of the clock, if it is that which ended the waiting, and nobody else."""
        if self._late is None or self._waiting is None:
            return None
        late, self._late = self._late, None
        others = [self._waiting.uncancel() for _ in range(self._cancelled)]
        return late if others[-1] == 0 else None

    async def close(self) -> None:
        """End it."""
        self._stop_timer()
        if self._worker is not None:
            self._worker.close()
            await self._ended(self._worker)
        close = getattr(self._values, "aclose", None)
        if close is not None:
            task = asyncio.current_task()
            # a loop that shuts down is at it already; how else a provider fails to clean up
            # is no concern of an answer that has ended
            try:
                async with asyncio.timeout(self._call.grace):  # an HTTP client may wait for the end
                    await close()
            except BaseException as error:
                if _is_the_callers(error, task, self._loop) or _is_cancelled(error, task):
                    raise

    async def _first(self) -> object:
        self._next = self._open()
        value = await self._next()
        self._clock.moved()
        self._stop_timer()  # the clock that runs from now on may be shorter
        return value

    def _open(self) -> Callable[[], Awaitable[object]]:
        """Ask, and find out what has come of it."""
        if self._call.blocks:
            return self._in_a_thread(self._call.start)
        result = self._call.start()
        if hasattr(result, "__aiter__"):
            self._values = aiter(result)
            found: Callable[[], Awaitable[object]] = self._values.__anext__
            return found
        if inspect.isawaitable(result):
            return self._once(result)
        return self._in_a_thread(lambda: result)

    def _once(self, result: Awaitable[object]) -> Callable[[], Awaitable[object]]:
        """Await it; what comes of it is a value, or again something to iterate."""

        async def first() -> object:
            self._next = self._nothing
            value = await result
            if isinstance(value, str | bytes) or not hasattr(value, "__aiter__"):
                return value
            self._values = aiter(value)
            self._next = self._values.__anext__
            return await self._values.__anext__()

        return first

    async def _nothing(self) -> object:
        return END

    def _in_a_thread(self, start: Callable[[], object]) -> Callable[[], Awaitable[object]]:
        loop, news = self._loop, self._news

        def notify() -> None:
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(news.set)

        self._worker = worker = Worker(start, notify)
        weakref.finalize(self, worker.close)  # if this is dropped, it has no reader

        async def get() -> object:
            while True:
                news.clear()
                value = worker.get()
                if value is not NOTHING_YET:
                    return value
                await news.wait()

        return get

    async def _ended(self, worker: Worker) -> None:
        """Wait a short time for the thread to end."""
        try:
            async with asyncio.timeout(self._call.grace):
                while not worker.ended:
                    self._news.clear()
                    if not worker.ended:
                        await self._news.wait()
        except TimeoutError:
            worker.cancel()  # what cleans up may be waiting for a server

    def _set_timer(self) -> None:
        self._call_at(self._clock.deadline(self._since))

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _call_at(self, when: float) -> None:
        # it must not keep an answer alive that nobody reads any more
        check = weakref.WeakMethod(self._check)
        self._timer = self._loop.call_at(when, _call_if_alive, check)

    def _check(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        now = self._now()
        if now < self._clock.deadline(self._since):
            self._set_timer()
            return
        self._late = self._late or self._clock.error(now)
        self._cancelled += 1
        self._waiting.cancel()
        self._call_at(now + self._call.grace)  # what cleans up may be waiting for a server


def _is_cancelled(error: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Whether a task was cancelled, and not what it waits for."""
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)


def _is_the_callers(
    error: BaseException, task: asyncio.Task[Any] | None, loop: asyncio.AbstractEventLoop
) -> bool:
    """Whether the user interrupts the program, or a task is dropped; that is not running then."""
    if isinstance(error, GeneratorExit):
        return asyncio.current_task(loop) is not task
    return isinstance(error, KeyboardInterrupt)


def _call_if_alive(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    found = method()
    if found is not None:
        found()


__all__ = ["Attempt"]
