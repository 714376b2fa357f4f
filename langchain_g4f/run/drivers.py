"""`run` and `arun` perform a call's operations and yield its events.

One blocks, one awaits; nothing is decided here. Both are generators
whose closing is part of the promise: it ends the call at the service, too. When the
caller is cancelled, the clean-up is shielded and the cancellation goes on unchanged.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections import deque
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, Self, assert_never

from langchain_g4f.core.plan import Ask, Resolve, Sleep
from langchain_g4f.errors import APIConnectionError, G4FError
from langchain_g4f.run.call import Call
from langchain_g4f.run.operations import (
    OPERATIONS,
    READ,
    AwaitLock,
    Close,
    Open,
    Operation,
    Outcome,
    Read,
    Tell,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.plan import Plan
    from langchain_g4f.run.operations import Steps
    from langchain_g4f.transport.async_transport import AsyncExchange
    from langchain_g4f.transport.client import AsyncClient, SyncClient
    from langchain_g4f.transport.sync_transport import SyncExchange

_PATIENCE_S = 0.3
"""How long a caller who was cancelled waits for the clean-up."""

_under_way: set[asyncio.Task[None]] = set()
"""The clean-ups; an event loop does not keep its tasks."""


def run(plan: Plan, context: CallContext, client: SyncClient) -> Generator[Event]:
    """Perform ``plan``, blocking, and yield its events.

    Raises:
        G4FError: What the plan did not recover from.
    """
    call = Call(plan, context, client.budget)
    exchange = client.exchange(call.seconds_left)
    steps = call.steps()
    try:
        yield from _drive(steps, exchange)
    finally:
        steps.close()
        with closing(call.ending(request_sent=exchange.request_sent)) as ending:
            deque(_drive(ending, exchange), maxlen=0)


def _drive(steps: Steps[None], exchange: SyncExchange) -> Generator[Event]:
    outcome: Outcome = None
    error: G4FError | None = None
    while True:
        try:
            if error is None:
                step = steps.send(outcome)
            else:
                step, error = steps.throw(error), None
        except StopIteration:
            return
        outcome = None
        if type(step) not in OPERATIONS:
            yield step  # type: ignore[misc]  # what is no operation is an event
            continue
        try:
            outcome = _perform(step, exchange)  # type: ignore[arg-type]
        except G4FError as exc:
            error = exc


def _perform(operation: Operation, exchange: SyncExchange) -> Outcome:
    match operation:
        case Read():
            return exchange.read(operation.within)
        case Open():
            return exchange.open(operation.request, operation.clocks)
        case Tell():
            with closing(exchange.beside()) as other:
                other.open(operation.request, operation.clocks)
        case Close():
            exchange.close()
        case Sleep():
            exchange.sleep(operation.seconds)
        case Resolve():
            return exchange.look_up(operation.host, operation.port, operation.seconds)
        case Ask():
            return operation.question()
        case AwaitLock():
            with suppress(FutureTimeoutError):
                operation.granted.result(operation.seconds)
        case _:
            assert_never(operation)
    return None


class arun:  # noqa: N801 -- used as the generator function beside it
    """Like `run`, on the running event loop. Close it, or iterate it to its end.

    It is no async generator: a loop that shuts down closes all of those at once, and of
    two that are nested one would then be found "already running".
    """

    def __init__(self, plan: Plan, context: CallContext, client: AsyncClient) -> None:
        self._call = Call(plan, context, client.budget)
        self._steps = self._call.steps()
        self._client = client
        self._exchange = client.exchange(self._call.seconds_left)
        self._outcome: Outcome = None
        self._error: G4FError | None = None
        self._state: Literal["new", "open", "over"] = "new"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; if anything else comes of it, the call has ended."""
        if self._state == "over":
            raise StopAsyncIteration
        if self._state == "new":
            self._state = "open"
            self._client.enter()
            self._call.gone = partial(_is_over, weakref.ref(asyncio.get_running_loop()))
        try:
            while True:
                step = self._advance()
                if type(step) not in OPERATIONS:
                    return step  # type: ignore[return-value]  # no operation is an event
                try:
                    if step is READ:
                        self._outcome = await self._exchange.read()
                    else:
                        self._outcome = await _aperform(step, self._exchange)  # type: ignore[arg-type]
                except G4FError as exc:
                    self._error = exc
        except GeneratorExit:  # collected with its task: nothing can be awaited any more
            self._call.gone = lambda: True
            raise
        except BaseException as exc:
            await self._end(hurried=isinstance(exc, asyncio.CancelledError))
            raise

    async def aclose(self) -> None:
        """End the call, at the service, too."""
        await self._end(hurried=False)

    async def _end(self, *, hurried: bool) -> None:
        state, self._state = self._state, "over"
        if state != "open":
            return
        self._steps.close()
        ending = self._call.ending(request_sent=self._exchange.request_sent)
        await _Ending(ending, self._exchange, self._client.leave).perform(hurried=hurried)

    def _advance(self) -> Operation | Event:
        outcome, self._outcome = self._outcome, None
        error, self._error = self._error, None
        try:
            return self._steps.send(outcome) if error is None else self._steps.throw(error)
        except StopIteration:
            raise StopAsyncIteration from None


async def _aperform(operation: Operation, exchange: AsyncExchange) -> Outcome:
    match operation:
        case Read():
            return await exchange.read(operation.within, held=operation.held)
        case Open():
            return await exchange.open(operation.request, operation.clocks)
        case Tell():
            other = exchange.beside()
            try:
                await other.open(operation.request, operation.clocks)
            finally:
                await other.close()
        case Close():
            await exchange.close()
        case Sleep():
            await exchange.sleep(operation.seconds)
        case Resolve():
            return await exchange.look_up(operation.host, operation.port, operation.seconds)
        case Ask():
            return await asyncio.to_thread(operation.question)
        case AwaitLock():
            granted = asyncio.wrap_future(operation.granted)
            await asyncio.wait((granted,), timeout=operation.seconds)
        case _:
            assert_never(operation)
    return None


class _Ending:
    """What an async call owes at its end: done to the last step, whoever is cancelled.

    A task of its own does it, for the caller may be cancelled again. A loop that shuts
    down cancels that task as well, perhaps before it began; then another one goes on.

    Whoever is cancelled has a time limit, as a rule, and has passed it: they wait only a moment,
    enough for a service that answers. A slower one is told without them. What remains has the
    clock for clean-ups as its bound, and the client waits for it when it is closed.

    Args:
        steps: What is owed.
        exchange: The connection of the call.
        over: Called when all is done.
    """

    def __init__(
        self, steps: Steps[None], exchange: AsyncExchange, over: Callable[[], None]
    ) -> None:
        self._steps = steps
        self._exchange = exchange
        self._over = over
        self._due: Operation | Event | None = None

    async def perform(self, *, hurried: bool) -> None:
        """Do it; a cancellation of the caller goes on after that, or after a moment.

        Args:
            hurried: Whether the caller was cancelled already.
        """
        self._advance(None, None)
        clock = asyncio.get_running_loop().time
        cancelled: asyncio.CancelledError | None = None
        until = clock() + _PATIENCE_S if hurried else math.inf
        task: asyncio.Task[None] | None = None
        while self._due is not None and clock() < until:
            if task is None or task.done():
                task = asyncio.ensure_future(self._work())
                _under_way.add(task)
                task.add_done_callback(_under_way.discard)
            try:
                await asyncio.wait((task,), timeout=until - clock() if until < math.inf else None)
            except asyncio.CancelledError as exc:
                cancelled, until = exc, min(until, clock() + _PATIENCE_S)
            if task.done() and not task.cancelled():
                task.result()
        if cancelled is not None:
            raise cancelled

    async def _work(self) -> None:
        while self._due is not None:
            outcome: Outcome = None
            error: Exception | None = None
            try:
                outcome = await _aperform(self._due, self._exchange)  # type: ignore[arg-type]
            except asyncio.CancelledError:
                if not (isinstance(self._due, Open) and self._exchange.request_sent):
                    continue
                error = APIConnectionError("cancelled", request_sent=True)
            except Exception as exc:  # noqa: BLE001 -- the steps release what they hold first
                error = exc
            self._advance(outcome, error)

    def _advance(self, outcome: Outcome, error: Exception | None) -> None:
        """Find the step that is due next."""
        self._due = None
        try:
            self._due = self._steps.send(outcome) if error is None else self._steps.throw(error)
        except StopIteration:
            pass
        finally:
            if self._due is None:
                self._over()


def _is_over(loop: weakref.ref[asyncio.AbstractEventLoop]) -> bool:
    """Whether an event loop will never run again."""
    found = loop()
    return found is None or found.is_closed()


__all__ = ["arun", "run"]
