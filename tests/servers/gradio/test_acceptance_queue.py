"""Places in the queue, and calls that are given up while they wait, on real servers."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import pytest

from langchain_g4f import Clocks
from tests.contract.faults.harness import ask, by_call, eventually
from tests.servers.gradio.acceptance import (
    Heard,
    aside,
    last_calls,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import Raw, Space

pytestmark = pytest.mark.servers


@obligation(8)
@by_call
async def test_places_of_three_calls_are_seen(way: str, space: Space) -> None:
    """The last of three sees its place count down, with a time where the app knows one."""
    server = one_worker(space)
    await ask(phi4_at(server), way, "so that there is a time to tell")
    before = len(server.calls)
    heard = [Heard() for _ in range(3)]
    tasks = []
    for number, each in enumerate(heard):
        model = phi4_at(server, on_progress=each)
        tasks.append(asyncio.create_task(aside(model, way, f"[[queue:0.4]] {number}")))
        if number == 0:
            assert await eventually(lambda: len(server.calls) > before, within_s=5)
        else:
            assert await eventually(lambda each=each: each.of("queued"), within_s=5)
    answers = [await task for task in tasks]
    assert [answer.text for answer in answers] == [f"Turn 1. You said: {n}" for n in range(3)]
    assert [call.text[-1] for call in last_calls(server, 3)] == ["0", "1", "2"]

    places = [[each.data["rank"] for each in found.of("queued")] for found in heard]
    assert places[1][0] == 0
    assert places[2][:2] == [1, 0]
    first, *_ = heard[2].of("queued")
    assert first.data["queue_size"] == 2
    assert isinstance(first.data["eta_s"], float)
    assert first.message.startswith("place 2 of 2 in the queue, about ")
    assert [found.kinds.index("started") for found in heard] == [
        len(found.of("queued")) for found in heard
    ]


@obligation(10)
async def test_time_in_the_queue_does_not_count_for_other_clocks(space: Space) -> None:
    """Calls that wait longer than they may take altogether are answered."""
    server = one_worker(space)
    count = len(server.calls)
    heard = {way: Heard() for way in ("invoke", "ainvoke")}
    with ExitStack() as stack:
        for raw in [stack.enter_context(Raw(server)) for _ in range(2)]:
            raw.join(11, raw.prepare_phi4("[[hang:1.4]]"))
        assert await eventually(lambda: len(server.calls) > count, within_s=5)
        clocks = Clocks(idle=2, total=2)
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(
                aside(phi4_at(server, timeout=clocks, on_progress=each), way, way)
                for way, each in heard.items()
            )
        )
    assert time.monotonic() - begun > clocks.total
    assert [answer.text for answer in answers] == [f"Turn 1. You said: {way}" for way in heard]
    assert all(each.of("queued") for each in heard.values())
