"""Exchanges that look like a browser's, and what their tests wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Clocks
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.exchanges import CLOCKS, Exchange, made

CHROME = ClientSettings(impersonate="chrome")
MIB = 1024 * 1024


def chrome(mode: str, settings: ClientSettings = CHROME) -> Exchange:
    """An exchange over the kept client of this mode."""
    return Exchange(made(mode, settings).exchange())


async def read_all(exchange: Exchange, request: Request, clocks: Clocks = CLOCKS) -> None:
    """Open an answer and read it to its end."""
    await exchange.open(request, clocks)
    while await exchange.read() is not None:
        pass


async def until(condition: Callable[[], object], within_s: float = 5) -> bool:
    """Whether this comes true in time, while the event loop runs."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


def clocks(**seconds: float) -> Clocks:
    """The usual ones, but for these."""
    usual = {"connect": 2.0, "pool": 2.0, "write": 2.0, "first_event": 2.0, "silence": 2.0}
    return Clocks(**(usual | seconds))


def begin(asked: Asked) -> None:
    """Begin an answer and leave it at that."""
    asked.start_stream().chunk(b"a")
    asked.never_answer()
