"""The caller rests in the midst of an answer, and the service goes on as fast as it can."""

from __future__ import annotations

import asyncio
import gc
import itertools
import resource
import time
from dataclasses import replace
from pathlib import Path

from tests.contract.faults.byte_server import ChunkedWriter, Exchange
from tests.contract.faults.harness import assert_given_up, begin, by_stream, end, read
from tests.contract.faults.registry import PATIENT, Provider, fault

MIB = 1 << 20
OFFERED = 200 * MIB
REST_S = 0.3


class Flood:
    """An answer that never waits for its reader, of numbered pieces of text.

    Attributes:
        sent: How many bytes of it were taken by the network.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.sent = 0

    @staticmethod
    def text(number: int) -> str:
        """A piece of the answer."""
        return f"{number} {'x' * 16_000}"

    def __call__(self, exchange: Exchange) -> None:
        self.sent = 0
        self._provider.answering(*self._provider.start, then=self._go_on)(exchange)

    def _go_on(self, _exchange: Exchange, stream: ChunkedWriter) -> None:
        for number in itertools.count():
            piece = self._provider.token(self.text(number))
            stream.chunk(piece)
            self.sent += len(piece)
            if self.sent > OFFERED:
                return

    async def stands_still(self) -> None:
        """Wait until nothing has been taken for a while."""
        sent, since = self.sent, time.monotonic()
        while time.monotonic() - since < REST_S:
            await asyncio.sleep(0.02)
            if self.sent != sent:
                sent, since = self.sent, time.monotonic()


def resident() -> int:
    """Memory of this process, in bytes; curl's is in no account of Python's."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


async def growth_at_rest(provider: Provider, way: str) -> int:
    """How much memory an answer takes whose reader rests, in bytes; it goes on afterwards."""
    flood = Flood(provider)
    clocks = replace(PATIENT, silence=REST_S / 2)
    with provider.server(answer=flood) as server:
        before = resident()
        stream = begin(provider.model(server, timeout=clocks), way)
        assert await read(stream, 1) == [flood.text(0)]
        await flood.stands_still()
        growth = resident() - before
        assert 0 < flood.sent < OFFERED
        assert await read(stream, 100) == [flood.text(1 + number) for number in range(100)]
        await end(stream)
        await assert_given_up(provider, server)
    return growth


@fault(37)
@by_stream
async def test_unread_answer_stays_at_the_service(provider: Provider, way: str) -> None:
    """A rest costs no memory and no answer: it goes on where it stood, after any clock."""
    await growth_at_rest(provider, way)  # what the first answer takes, and keeps
    assert await growth_at_rest(provider, way) < 16 * MIB
