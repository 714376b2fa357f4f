"""Performs a call and yields its events: blocking, or on the running event loop.

An async provider is iterated on the caller's event loop, in the caller's task: no thread, no second
loop. What blocks goes to a `Worker`. However a call ends, the provider's generator is closed.

These drivers stay apart from `langchain_g4f.run`, which performs plans of HTTP requests. There a
call is cleaned up in a task of its own, and a generator has to be closed in the task that
iterated it. Retries, clocks and the request to stop belong to a connection there, and a provider
has none that we know.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Self

from langchain_g4f.core.events import Event, ModelInfo, Progress
from langchain_g4f.errors import APITimeoutError, G4FError
from langchain_g4f.g4f_adapter.attempt import END, NOTHING_YET, Attempt
from langchain_g4f.g4f_adapter.errors import ProviderExitError
from langchain_g4f.g4f_adapter.request import ProviderCall
from langchain_g4f.g4f_adapter.worker import Worker

_GRACE_S = 0.5
"""Longest wait for a provider to clean up when a call has ended."""


def _grace(call: ProviderCall) -> float:
    return min(call.limits.clocks.abort, _GRACE_S)


def _login_callback(call: ProviderCall | None, event: Progress) -> Callable[[], object] | None:
    """The function to call because of an event, if any."""
    if call and call.on_login and event.kind == "login_required":
        return partial(call.on_login, str(event.data.get("login_url") or ""))
    return None


def provider_events(call: ProviderCall) -> Generator[Event]:
    """The events of ``call``, blocking; a running event loop does not matter.

    Raises:
        G4FError: The provider failed.
    """
    if call.model:
        yield ModelInfo(call.model)
    number, began = 0, time.monotonic()
    while True:
        attempt, worker = Attempt(call, began, number), Worker(call.start)
        failure, wait = None, None
        try:
            while not attempt.ended and failure is None:
                events: list[Event] = []
                try:
                    events += attempt.read(_next_value(worker, attempt))
                except Exception as error:  # noqa: BLE001 -- a provider may raise anything
                    failure = attempt.failed(error)
                    wait = attempt.wait_before_retry(failure, time.monotonic())
                for event in events:
                    if isinstance(event, Progress) and (tell := _login_callback(call, event)):
                        tell()
                    yield event
        finally:
            worker.close(_grace(call))
        if failure is None:
            return
        if wait is None:
            raise failure
        yield attempt.retry_event(failure, wait)
        number += 1
        threading.Event().wait(wait)


def _next_value(worker: Worker, attempt: Attempt) -> object:
    now = time.monotonic()
    value = worker.get(attempt.deadline(now) - now)
    if value is NOTHING_YET:
        raise attempt.timeout(time.monotonic())
    return value


class AsyncProviderEvents:
    """Like `provider_events`, on the running event loop. Close it, or iterate it to its end.

    Like `langchain_g4f.run.arun`, it is not an async generator itself. It has one that does
    nothing: a loop that shuts down waits for that one, and so for the end of the call.

    Args:
        prepare: Makes the call, for which it may download files.
    """

    def __init__(self, prepare: Callable[[], Awaitable[ProviderCall]]) -> None:
        self._prepare = prepare
        self._call: ProviderCall | None = None
        self._ready: deque[Event] = deque()
        self._number = 0
        self._began = 0.0
        self._over = False
        self._values: _Values | None = None
        self._ended = asyncio.Event()
        self._keeper = self._keep()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; if this raises, the call has ended."""
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            failure = None
            try:
                values = self._values or await self._ask()
                attempt = values.attempt
                try:
                    self._ready.extend(attempt.read(await values.next()))
                except Exception as error:  # noqa: BLE001 -- a provider may raise anything
                    failure = attempt.failed(error)
                if failure is not None:  # outside of `except`: the original is no context of it
                    await self._retry(values, failure)
                elif attempt.ended:
                    await self.aclose()
            except BaseException:
                await self.aclose()
                raise
        event = self._ready.popleft()
        if isinstance(event, Progress) and (tell := _login_callback(self._call, event)):
            await asyncio.to_thread(tell)
        return event

    async def aclose(self) -> None:
        """End the call, and the provider's generator."""
        if self._over:
            return
        self._over = True
        try:
            if self._values is not None:
                await self._values.close()
        finally:
            self._values = None
            self._ended.set()
            with suppress(RuntimeError):  # the loop is closing it, and waits for this
                await self._keeper.aclose()

    async def _keep(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self._ended.wait()

    async def _ask(self) -> _Values:
        """Begin an attempt; the first one makes the call."""
        if self._call is None:
            self._call = await self._prepare()
            await anext(self._keeper)
            self._began = asyncio.get_running_loop().time()
            if self._call.model:
                self._ready.append(ModelInfo(self._call.model))
        self._values = _Values(self._call, Attempt(self._call, self._began, self._number))
        return self._values

    async def _retry(self, values: _Values, failure: G4FError) -> None:
        """Wait for the next attempt.

        Raises:
            G4FError: There is no further attempt.
        """
        wait = values.attempt.wait_before_retry(failure, asyncio.get_running_loop().time())
        if wait is None:
            raise failure
        self._values = None
        await values.close()
        self._number += 1
        self._ready.append(values.attempt.retry_event(failure, wait))
        await asyncio.sleep(wait)


class _Values:
    """The values of one attempt, awaited on the running event loop.

    One timer keeps the clocks, because a timeout for each value would cost more than the value. A
    task that is cancelled may wait for a server while it cleans up, as HTTP clients do; then it
    is cancelled once more.

    Args:
        call: The call.
        attempt: Its clocks.
    """

    def __init__(self, call: ProviderCall, attempt: Attempt) -> None:
        self.attempt = attempt
        self._call = call
        self._grace = _grace(call)
        self._loop = asyncio.get_running_loop()
        self._next: Callable[[], Awaitable[object]] = self._first
        self._iterator: Any = None
        self._worker: Worker | None = None
        self._news = asyncio.Event()
        self._waiting: asyncio.Task[Any] | None = None
        self._since = 0.0
        self._late: APITimeoutError | None = None
        self._cancelled = 0
        self._timer: asyncio.TimerHandle | None = None

    async def next(self) -> object:
        """The next value, or `END`.

        Raises:
            APITimeoutError: It did not come in time.
            Exception: What the provider raised; `ProviderExitError` for other than an `Exception`.
        """
        self._waiting = asyncio.current_task()
        self._since = self._loop.time()
        if self._timer is None:
            self._call_at(self.attempt.deadline(self._since))
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
        """The error of the clock, if the clock alone ended the wait."""
        if self._late is None or self._waiting is None:
            return None
        late, self._late = self._late, None
        others = [self._waiting.uncancel() for _ in range(self._cancelled)]
        return late if others[-1] == 0 else None

    async def close(self) -> None:
        """Close the provider's iterator, or end its thread."""
        self._stop_timer()
        if self._worker is not None:
            self._worker.close()
            await self._wait_for(self._worker)
        close = getattr(self._iterator, "aclose", None)
        if close is None:
            return
        task = asyncio.current_task()
        try:  # an HTTP client may wait for the end of a body
            async with asyncio.timeout(self._grace):
                await close()
        # a loop that shuts down may be closing it, too; and how else a provider fails to clean up
        # does not matter to an answer that has ended
        except BaseException as error:
            if _is_the_callers(error, task, self._loop) or _is_cancelled(error, task):
                raise

    async def _first(self) -> object:
        self._next = await self._open()
        value = await self._next()
        self._stop_timer()  # the clock between values may be shorter than the one before the first
        return value

    async def _open(self) -> Callable[[], Awaitable[object]]:
        """Ask the provider, and choose how its result is read."""
        if self._call.blocks:
            return self._in_a_thread(self._call.start)
        result = self._call.start()
        if not hasattr(result, "__aiter__"):
            if not inspect.isawaitable(result):
                return self._in_a_thread(lambda: result)
            result = await result
            if not hasattr(result, "__aiter__"):
                return _once(result)
        self._iterator = aiter(result)
        found: Callable[[], Awaitable[object]] = self._iterator.__anext__
        return found

    def _in_a_thread(self, start: Callable[[], object]) -> Callable[[], Awaitable[object]]:
        loop, news = self._loop, self._news

        def notify() -> None:
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(news.set)

        self._worker = worker = Worker(start, notify)
        weakref.finalize(self, worker.close)  # if this is dropped, there is no reader

        async def get() -> object:
            while True:
                news.clear()
                value = worker.get()
                if value is not NOTHING_YET:
                    return value
                await news.wait()

        return get

    async def _wait_for(self, worker: Worker) -> None:
        """Wait a short time for the thread to end."""
        try:
            async with asyncio.timeout(self._grace):
                while not worker.ended:
                    self._news.clear()
                    if not worker.ended:
                        await self._news.wait()
        except TimeoutError:
            worker.cancel()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _call_at(self, when: float) -> None:
        # weak: the timer must not keep an answer alive that is not read any more
        check = weakref.WeakMethod(self._check)
        self._timer = self._loop.call_at(when, _call_if_alive, check)

    def _check(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        now, deadline = self._loop.time(), self.attempt.deadline(self._since)
        if now < deadline:
            self._call_at(deadline)
            return
        self._late = self._late or self.attempt.timeout(now)
        self._cancelled += 1
        self._waiting.cancel()
        self._call_at(now + self._grace)


def _once(value: object) -> Callable[[], Awaitable[object]]:
    values = iter((value,))

    async def get() -> object:
        return next(values, END)

    return get


def _is_cancelled(error: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Whether the task itself was cancelled, and not something that it waits for."""
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)


def _is_the_callers(
    error: BaseException, task: asyncio.Task[Any] | None, loop: asyncio.AbstractEventLoop
) -> bool:
    """Whether the user interrupts the program, or a task is dropped, which does not run then."""
    if isinstance(error, GeneratorExit):
        return asyncio.current_task(loop) is not task
    return isinstance(error, KeyboardInterrupt)


def _call_if_alive(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    found = method()
    if found is not None:
        found()


__all__ = ["AsyncProviderEvents", "provider_events"]
