"""Models created, used once and dropped; runs in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass, field

from tests.nightly.clients import (
    all_closed,
    at_rest,
    close_sync_clients,
    make_model,
    problems,
)
from tests.nightly.meter import Held, memory
from tests.nightly.server import Served, serving

_WARM_UP = 200


@dataclass
class Dropped:
    """What is left of models that nobody has.

    Attributes:
        growth: Memory they left behind, in MiB.
        alive: Models that are still there.
        left: What else is, in words.
    """

    growth: float = 0.0
    alive: int = 0
    left: list[str] = field(default_factory=list)


def dropped(count: int) -> Dropped:
    """Create, use and drop so many models, every other one in an event loop of its own."""
    with serving(events=5, rate=10_000) as served:
        outside = Held.now()
        _use(served, _WARM_UP)
        base, before = memory(), at_rest(served)
        kept = _use(served, count)
        found = Dropped(memory() - base, sum(each() is not None for each in kept))
        found.left = problems(served, before, Held.now())
        close_sync_clients()
        found.left += all_closed(served, outside)
    return found


def _use(served: Served, count: int) -> list[weakref.ref[object]]:
    kept = [_use_one(served, number) for number in range(count)]
    gc.collect()
    return kept


def _use_one(served: Served, number: int) -> weakref.ref[object]:
    model = make_model(served, cookies={"hf-chat": f"identity-{number}", "token": "x" * 100})
    if number % 2:
        model.invoke("hi")
    else:
        asyncio.run(model.ainvoke("hi"))
    return weakref.ref(model)
