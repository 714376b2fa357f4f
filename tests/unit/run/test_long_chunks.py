"""Much that arrives at once: the clocks hold, and other tasks have turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from langchain_g4f.core.events import Event
from langchain_g4f.core.http import ResponseHead
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.plan import Plan, stream
from langchain_g4f.errors import StreamInterruptedError
from tests.unit.run.test_clocks import timeout_of
from tests.unit.run.world import Decoder, Reply, Service, request

Serve = Callable[..., Service]


class Slow(Decoder):
    """Takes a millisecond of the service's clock for each byte, and says nothing."""

    service: Service

    def feed(self, data: bytes) -> Iterator[Event]:
        self.service.now += len(data) / 1000
        yield from ()


def slow_answer(service: Service) -> Plan:
    """One answer, slowly decoded."""

    def decoder(head: ResponseHead) -> Slow:
        made = Slow(head)
        made.service = service
        return made

    end = yield from stream(request("x"), decoder, abort=request("stop"))
    if end.error:
        raise end.error


@pytest.mark.proves("promise:clocks", "fault:57:PH")
async def test_clocks_are_looked_at_within_a_long_chunk(way: str, serve: Serve) -> None:
    """However much arrives at once, and whatever is made of it."""
    for clock in ("total", "idle"):
        service = serve(x=Reply([b"-" * 1_000_000]))
        clocks = Clocks(**{clock: 10.0})
        error = await timeout_of(service, way, slow_answer(service), clocks)
        assert error.kind == clock
        assert service.now - 1000 < 18


async def test_other_tasks_have_turns_within_a_long_chunk(serve: Serve) -> None:
    """Every few milliseconds of decoding."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.ensure_future(count())
    found = []
    for length in (1, 40_000):
        service, turns = serve(x=Reply([b"-" * length])), 0
        with pytest.raises(StreamInterruptedError):
            await service.call("arun", slow_answer(service)).all()
        found.append(turns)
    others.cancel()
    assert found[1] - found[0] >= 8
