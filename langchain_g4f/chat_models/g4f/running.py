"""Runs a call and gives its events: blocking, or on the running event loop.

An async provider is iterated where the caller is: no thread, no second loop. What blocks goes to
a `Worker`. A provider's generator is closed however the call ends. The clocks are kept by one
timer for a call, as a timeout for each value would cost more than the value.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import closing, suppress
from typing import Self

from langchain_g4f.chat_models.g4f.attempt import Attempt
from langchain_g4f.chat_models.g4f.call import Clock, ProviderCall, retry_event
from langchain_g4f.chat_models.g4f.worker import END, NOTHING_YET, Worker
from langchain_g4f.core.events import Event, Progress
from langchain_g4f.errors import G4FError


def provider_events(call: ProviderCall) -> Generator[Event]:
    """The events of ``call``, blocking; a running event loop does not matter.

    Raises:
        G4FError: What the provider failed with.
    """
    with closing(_answered(call)) as events:
        for event in events:
            if tell := call.login(event):
                tell()  # out here: what it raises is no error of the provider
            yield event


def _answered(call: ProviderCall) -> Generator[Event]:
    yield from call.begin()
    attempt, began = 0, time.monotonic()
    while True:
        reader = call.reader()
        worker = Worker(call.start)
        clock = Clock(call, began)
        try:
            while (value := _next_of(worker, clock)) is not END:
                clock.moved()
                yield from reader.read(value)
            yield from call.end(reader)
        except Exception as error:  # noqa: BLE001 -- a provider may raise anything
            failure = reader.failed(error)
            spent = time.monotonic() - began
            wait = None if reader.begun else call.wait(failure, attempt, spent)
        else:
            return
        finally:
            worker.close(call.grace)
        if wait is None:
            raise failure
        attempt += 1
        yield retry_event(failure, attempt, wait)
        threading.Event().wait(wait)


def _next_of(worker: Worker, clock: Clock) -> object:
    now = time.monotonic()
    value = worker.get(clock.deadline(now) - now)
    if value is NOTHING_YET:
        raise clock.error(time.monotonic())
    return value


class AsyncProviderEvents:
    """Like `provider_events`, on the running event loop. Close it, or iterate it to its end.

    Like `langchain_g4f.run.arun`, it is not an async generator itself. It has one that does
    nothing: a loop that shuts down waits for that, and so for the end of the call.

    Args:
        prepare: Makes the call; what it needs may have to be fetched.
    """

    def __init__(self, prepare: Callable[[], Awaitable[ProviderCall]]) -> None:
        self._prepare = prepare
        self._call: ProviderCall | None = None
        self._ready: deque[Event] = deque()
        self._attempt = 0
        self._began = 0.0
        self._over = False
        self._answer: Attempt | None = None
        self._ended = asyncio.Event()
        self._keeper = self._keep()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; if anything else comes of it, the call has ended."""
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            failure = None
            try:
                answer = self._answer or await self._asked()
                try:
                    value = await answer.next()
                    if value is END:
                        self._ready.extend(answer.end())
                        await self.aclose()
                    else:
                        self._ready.extend(answer.reader.read(value))
                except Exception as error:  # noqa: BLE001 -- a provider may raise anything
                    failure = answer.reader.failed(error)
                if failure is not None:  # out here: it is not to have the original as its context
                    await self._again(answer, failure)
            except BaseException:
                await self.aclose()
                raise
        event = self._ready.popleft()
        if isinstance(event, Progress) and (tell := self._call and self._call.login(event)):
            await asyncio.to_thread(tell)
        return event

    async def aclose(self) -> None:
        """End the call, and the provider's generator."""
        if self._over:
            return
        self._over = True
        try:
            if self._answer is not None:
                await self._answer.close()
        finally:
            self._answer = None
            self._ended.set()
            with suppress(RuntimeError):  # the loop is closing it, and waits for this
                await self._keeper.aclose()

    async def _keep(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self._ended.wait()

    async def _asked(self) -> Attempt:
        """Another attempt; the first one makes the call."""
        if self._call is None:
            self._call = await self._prepare()
            await anext(self._keeper)
            self._began = asyncio.get_running_loop().time()
            self._ready.extend(self._call.begin())
        self._answer = Attempt(self._call, self._began)
        return self._answer

    async def _again(self, answer: Attempt, failure: G4FError) -> None:
        """Wait for another attempt.

        Raises:
            G4FError: There is none.
        """
        spent = asyncio.get_running_loop().time() - self._began
        wait = answer.wait(failure, self._attempt, spent)
        if wait is None:
            raise failure
        self._answer = None
        await answer.close()
        self._attempt += 1
        self._ready.append(retry_event(failure, self._attempt, wait))
        await asyncio.sleep(wait)


__all__ = ["AsyncProviderEvents", "provider_events"]
