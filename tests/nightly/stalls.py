"""How long callbacks hold the event loop; runs in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from asyncio.events import Handle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from langchain_g4f import ChatHuggingChat
from tests.nightly.clients import make_model
from tests.nightly.server import serving

LIMIT_S = 0.05


@dataclass
class Stalls:
    """The callbacks of an event loop, without what the garbage collector took of them.

    Attributes:
        count: How many there were.
        longest: The longest, in seconds.
        longest_cpu: The one that computed longest, in seconds.
        longest_collection: Of the garbage collector, in seconds.
        held: Those that held the loop too long by themselves: they computed or waited.
    """

    count: int = 0
    longest: float = 0.0
    longest_cpu: float = 0.0
    longest_collection: float = 0.0
    held: list[str] = field(default_factory=list)

    def note(self, handle: Handle, wall: float, cpu: float, *, waited: bool) -> None:
        """Take down one callback."""
        self.count += 1
        self.longest, self.longest_cpu = max(self.longest, wall), max(self.longest_cpu, cpu)
        # a busy machine may take the processor away for longer than that
        if cpu > LIMIT_S or (wall > LIMIT_S and waited):
            self.held.append(f"{handle!r}: {wall:.3f} s, of which {cpu:.3f} s computing")


class _Collections:
    """The time that the garbage collector has taken."""

    def __init__(self) -> None:
        self.seconds = self.longest = self._begin = 0.0

    def __call__(self, phase: str, _info: object) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._begin = now
        else:
            self.seconds += now - self._begin
            self.longest = max(self.longest, now - self._begin)


@contextmanager
def _watching() -> Iterator[Stalls]:
    """Time every callback of the event loops of this process."""
    found, collections, run = Stalls(), _Collections(), Handle._run

    def timed(handle: Handle) -> None:
        waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        collected, cpu, wall = collections.seconds, time.thread_time(), time.perf_counter()
        run(handle)
        collected = collections.seconds - collected
        cpu = time.thread_time() - cpu - collected
        wall = time.perf_counter() - wall - collected
        waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - waits
        found.note(handle, wall, cpu, waited=waits > 0)

    gc.callbacks.append(collections)
    Handle._run = timed  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        Handle._run = run  # type: ignore[method-assign]
        gc.callbacks.remove(collections)
        found.longest_collection = collections.longest


def stalls(streams: int, events: int, rate: float) -> Stalls:
    """Time every callback while so many streams are read."""
    with serving(events, rate) as served:
        return asyncio.run(_stalls(make_model(served), streams))


async def _stalls(model: ChatHuggingChat, streams: int) -> Stalls:
    await _read(model)  # imports, and the client
    with _watching() as found:
        await asyncio.gather(*(_read(model) for _ in range(streams)))
    return found


async def _read(model: ChatHuggingChat) -> None:
    async for _ in model.astream("question"):
        pass
