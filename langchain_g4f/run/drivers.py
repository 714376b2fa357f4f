"""`run` and `arun` perform a call's operations and yield its events.

One blocks, one awaits; nothing is decided here. Both are generators
whose closing is part of the promise: it ends the call at the service, too. When the
caller is cancelled, the clean-up is shielded and the cancellation goes on unchanged.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from langchain_g4f.errors import APITimeoutError, G4FError
from langchain_g4f.run.call import Call
from langchain_g4f.run.operations import (
    OPERATIONS,
    READ,
    Acquire,
    Close,
    Open,
    Operation,
    Outcome,
    Read,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator

    from langchain_g4f.events import Event
    from langchain_g4f.plan import Plan, Session
    from langchain_g4f.run.operations import Steps
    from langchain_g4f.transport.client import AsyncClient, SyncClient
    from langchain_g4f.transport.exchange import AsyncExchange, SyncExchange


def run(plan: Plan, session: Session, client: SyncClient) -> Generator[Event]:
    """Perform ``plan``, blocking, and yield its events.

    Raises:
        G4FError: What the plan did not recover from.
    """
    call = Call(plan, session, client.budget)
    exchange = client.exchange()
    steps = call.steps()
    try:
        yield from _drive(steps, exchange)
    finally:
        steps.close()
        for _ in _drive(call.ending(request_sent=exchange.request_sent), exchange):
            pass


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
        case Close():
            exchange.close()
        case Wait():
            exchange.sleep(operation.seconds)
        case Acquire():
            with suppress(FutureTimeoutError):
                operation.granted.result(operation.seconds)
                return None
            raise _lock_timeout(operation)
        case _:
            assert_never(operation)
    return None


async def arun(plan: Plan, session: Session, client: AsyncClient) -> AsyncGenerator[Event]:
    """Like `run`, on the running event loop. Close it, or iterate it to its end."""
    call = Call(plan, session, client.budget)
    exchange = client.exchange()
    steps = call.steps()
    outcome: Outcome = None
    error: G4FError | None = None
    client.enter()
    try:
        while True:
            try:
                if error is None:
                    step = steps.send(outcome)
                else:
                    step, error = steps.throw(error), None
            except StopIteration:
                return
            outcome = None
            try:
                if step is READ:
                    outcome = await exchange.read()
                elif type(step) in OPERATIONS:
                    outcome = await _aperform(step, exchange)  # type: ignore[arg-type]
                else:
                    yield step  # type: ignore[misc]  # what is no operation is an event
            except G4FError as exc:
                error = exc
    finally:
        steps.close()
        ending = call.ending(request_sent=exchange.request_sent)
        try:
            first = next(ending, None)
            if first is not None:
                await _shielded(_afinish(ending, first, exchange))
        finally:
            client.leave()


async def _aperform(operation: Operation, exchange: AsyncExchange) -> Outcome:
    match operation:
        case Read():
            return await exchange.read(operation.within)
        case Open():
            return await exchange.open(operation.request, operation.clocks)
        case Close():
            await exchange.close()
        case Wait():
            await exchange.sleep(operation.seconds)
        case Acquire():
            with suppress(TimeoutError):
                async with asyncio.timeout(operation.seconds):
                    await asyncio.wrap_future(operation.granted)
                    return None
            raise _lock_timeout(operation)
        case _:
            assert_never(operation)
    return None


async def _afinish(
    ending: Steps[None],
    step: Operation | Event,
    exchange: AsyncExchange,
) -> None:
    """Perform the rest of ``ending``, whose first step is ``step``."""
    outcome: Outcome = None
    while True:
        error: G4FError | None = None
        try:
            outcome = await _aperform(step, exchange)  # type: ignore[arg-type]
        except G4FError as exc:
            error = exc
        try:
            step = ending.send(outcome) if error is None else ending.throw(error)
        except StopIteration:
            return


async def _shielded(work: Coroutine[object, object, None]) -> None:
    """Let ``work`` end (its clocks are short) even if the caller is cancelled again."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(task)
        raise


def _lock_timeout(operation: Acquire) -> APITimeoutError:
    return APITimeoutError(f"another call did not end within {operation.seconds:g} s", kind="total")


__all__ = ["arun", "run"]
