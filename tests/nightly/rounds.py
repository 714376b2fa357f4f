"""Rounds of many streams, half of them given up half-way; runs in a process of its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_g4f import ChatHuggingChat
from tests.nightly.clients import all_closed, at_rest, make_model, settled
from tests.nightly.meter import Held, memory
from tests.nightly.server import Served, serving


@dataclass
class Rounds:
    """Memory after each round in MiB, and what was left behind."""

    memory: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    complete: int = 0
    cancelled: int = 0
    stopped: int = 0
    left: list[str] = field(default_factory=list)


def rounds(count: int, streams: int, events: int, rate: float) -> Rounds:
    """So many rounds of so many streams, half of each given up at a random event."""
    with serving(events, rate) as served:
        outside = Held.now()
        found = asyncio.run(_rounds(served, count, streams))
        found.stopped = served.counts.stopped.value
        found.left += all_closed(served, outside)
    return found


async def _rounds(served: Served, count: int, streams: int) -> Rounds:
    found, dice = Rounds(), random.Random(7)
    model = make_model(served)
    [_ async for _ in model.astream("warm up")]
    before = at_rest(served)
    for _ in range(count):
        begin = time.perf_counter()
        calls: list[Awaitable[bool]] = []
        for number in range(streams):
            until = dice.randint(1, served.events - 1)
            match number % 4:
                case 1:
                    calls.append(_cancelled(model, until))
                case 3:
                    calls.append(_read(model, until))
                case _:
                    calls.append(_read(model, None))
        whole = sum(await asyncio.gather(*calls))
        found.complete += whole
        found.cancelled += streams - whole
        found.left += await settled(served, before)
        found.seconds.append(time.perf_counter() - begin)
        found.memory.append(memory())
    return found


async def _read(model: ChatHuggingChat, until: int | None) -> bool:
    """Read an answer, or the beginning of one; whether it was whole."""
    count = 0
    async with aclosing(cast("Any", model.astream("question"))) as chunks:
        async for chunk in chunks:
            count += bool(chunk.content)
            if count == until:
                return False
    return True


async def _cancelled(model: ChatHuggingChat, until: int) -> bool:
    """Read the beginning of an answer in a task that is cancelled then."""
    reached = asyncio.Event()

    async def read() -> None:
        count = 0
        async for chunk in model.astream("question"):
            count += bool(chunk.content)
            if count == until:
                reached.set()
                await asyncio.sleep(60)

    task = asyncio.create_task(read())
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    return False
