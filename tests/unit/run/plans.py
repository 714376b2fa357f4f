"""The plans that more than one file of tests runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Event, Title
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Defer, Lock, Plan, send, stream
from langchain_g4f.errors import G4FError
from tests.unit.run.service import Decoder, FakeService, request

REFUSED = httpx.ConnectError("refused")
RESET = httpx.ReadError("reset")
TURNS = 100
"""Turns of the event loop without a request after which a call waits for ever."""


def answer(retry: RetryWhen = RetryWhen.NOT_SENT) -> Plan:
    """A small request, then the answer."""
    yield from send(request("create"))
    yield Title("created")
    yield from stream(request("answer", retry=retry), Decoder, abort=request("stop"))


def reattaching(again: Callable[[], Request]) -> Plan:
    """An answer that is taken up again where it was cut."""
    end = yield from stream(request("answer"), Decoder, abort=request("stop"))
    if end.error:
        yield Title("cut")
        yield from stream(again, Decoder, abort=request("stop-again"))


def deferring(then: Callable[[], Plan]) -> Plan:
    """Things to clean up, a lock, and something that comes after."""
    yield Lock("key")
    yield Defer(request("first"))
    yield Defer(request("second"))
    yield from then()
    yield Defer(request("never reached"))


async def until(service: FakeService, call: Any, event: Event | None) -> None:
    """Use a call up to an event; without one to its end, whatever that is."""
    try:
        while await call.next() != event:
            pass
    except (StopAsyncIteration, G4FError):
        assert event is None


async def cancel_in(service: FakeService, plan: Plan, **context: Any) -> None:
    """Cancel a call where it waits for ever."""
    call = service.call("async", plan, service.context(**context))
    task = asyncio.ensure_future(call.all())
    quiet, asked = 0, list[str]()
    while quiet < TURNS:
        await asyncio.sleep(0)
        quiet = quiet + 1 if asked == service.asked else 0
        asked = service.asked
    task.cancel("why not")
    with pytest.raises(asyncio.CancelledError, match="why not"):
        await task
