"""Calls that are given up, while they wait and while they are answered, on real servers.

The app is told once, its worker is free again, and the session is not used any more. Gradio 5 may
leave a cancelled call in the queue: then its turn comes, and it is stopped at its first word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f.core.events import Progress
from langchain_g4f.testing import GradioSpace
from tests.contract.faults.harness import (
    ask,
    by_stream,
    by_turns,
    chunks,
    eventually,
    nothing_open,
)
from tests.servers.gradio.acceptance import aside, obligation, one_worker, phi4_at
from tests.servers.gradio.conftest import Line, Raw, Space
from tests.servers.gradio.front import Front

pytestmark = [pytest.mark.servers, obligation(5, 16)]

LONG = f"[[slow:0.05]] {' '.join(f'w{number}' for number in range(200))}"
SOON_S = 5.0


class GivenUpError(Exception):
    """What a caller raises who does not want to wait."""


async def assert_told_once(front: Front) -> None:
    """The server was told to stop this very event of this very session, and nothing else."""
    assert await eventually(lambda: bool(front.to("/cancel")) and nothing_open(), within_s=SOON_S)
    (cancel,) = front.bodies("/cancel")
    assert cancel["session_hash"] == front.sessions[-1]
    assert len(cancel["event_id"]) == 32
    assert cancel["fn_index"] == front.bodies("/join")[-1]["fn_index"]


async def assert_stopped(server: GradioSpace, calls: int) -> None:
    """The worker is free long before the answer would have been complete."""
    assert await eventually(lambda: not server.busy, within_s=SOON_S)
    assert len(server.calls) == calls
    call = server.calls[-1]
    assert call.outcome == "stopped"
    assert "w199" not in call.said


async def assert_next_call_works(front: Front, way: str) -> None:
    """The next call is answered, in another session."""
    answer = await ask(phi4_at(front), way, "Next")
    assert answer.text == "Turn 1. You said: Next"
    assert len({*front.sessions}) == len(front.sessions)


@by_stream
async def test_stream_closed_while_running_stops_the_app(way: str, space: Space) -> None:
    """Who leaves the loop early has it stopped."""
    server = one_worker(space)
    count = len(server.calls)
    with Front(server) as front:
        given = ""
        found = chunks(phi4_at(front), way, LONG)
        async for chunk in found:
            given += chunk.text
            if "w3" in given:
                break
        await found.aclose()  # type: ignore[attr-defined]
        await assert_told_once(front)
        await assert_stopped(server, count + 1)
        await assert_next_call_works(front, way)


async def test_task_cancelled_while_running_stops_the_app(space: Space) -> None:
    """A cancelled task is the same, and stays cancelled."""
    server = one_worker(space)
    count = len(server.calls)
    with Front(server) as front:
        task = asyncio.create_task(phi4_at(front).ainvoke(LONG))
        # before that the call does not know its name, so it could not be cancelled
        assert await eventually(
            lambda: len(server.calls) > count and bool(front.to("/queue/data")), within_s=SOON_S
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await assert_told_once(front)
        await assert_stopped(server, count + 1)
        await assert_next_call_works(front, "ainvoke")


@by_turns
async def test_stop_sequence_stops_the_app(way: str, space: Space) -> None:
    """The answer ends before the string, and the app is not left to go on."""
    server = one_worker(space)
    count = len(server.calls)
    with Front(server) as front:
        answer = await ask(phi4_at(front).bind(stop=["w5 "]), way, LONG)
        assert answer.text == "Turn 1. You said: w0 w1 w2 w3 w4 "
        assert answer.response_metadata["finish_reason"] == "stop"
        await assert_told_once(front)
        await assert_stopped(server, count + 1)
        # The app has said more than the caller was given: its session is not continued.
        prompt = [HumanMessage(LONG), answer, HumanMessage("[[slow:0]] And then?")]
        assert (await ask(phi4_at(front), way, prompt)).text.startswith("Turn 1. ")
        assert len({*front.sessions}) == 2


@asynccontextmanager
async def occupied(server: GradioSpace) -> AsyncIterator[int]:
    """Have the worker busy for a second; gives the number of calls with that one."""
    count = len(server.calls)
    with Raw(server) as raw:
        raw.join(11, raw.prepare_phi4("[[hang:1]] busy"))
        assert await eventually(lambda: len(server.calls) > count, within_s=SOON_S)
        yield count + 1


async def assert_out_of_the_queue(server: GradioSpace, calls: int, line: Line, way: str) -> None:
    """Once the worker is free, the call that was given up does not hold it."""
    answer = await aside(phi4_at(server), way, "Next")
    assert answer.text == "Turn 1. You said: Next"
    assert await eventually(lambda: not server.busy, within_s=SOON_S)
    after = server.calls[calls:]
    assert after[-1].text == "Next"
    stale = [(call.outcome, call.said) for call in after[:-1]]
    assert stale == [] or (line, stale) == ("gradio5", [("stopped", "Turn ")])


@by_turns
async def test_call_given_up_while_it_waits_leaves_the_worker(
    way: str, line: Line, space: Space
) -> None:
    """Whoever does not like the place in the queue can raise, and the app is told."""

    def impatient(progress: Progress) -> None:
        if progress.kind == "queued":
            raise GivenUpError

    server = one_worker(space)
    async with occupied(server) as calls:
        with Front(server) as front:
            with pytest.raises(GivenUpError):
                await ask(phi4_at(front, on_progress=impatient), way, LONG)
            await assert_told_once(front)
            assert server.busy
            await assert_out_of_the_queue(server, calls, line, way)


async def test_task_cancelled_while_it_waits_leaves_the_worker(line: Line, space: Space) -> None:
    """A task that is cancelled in the queue has told the app when it ends."""
    server = one_worker(space)
    async with occupied(server) as calls:
        with Front(server) as front:
            heard: list[Progress] = []
            model = phi4_at(front, on_progress=heard.append)
            task = asyncio.create_task(model.ainvoke(LONG))
            assert await eventually(lambda: bool(heard), within_s=SOON_S)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await assert_told_once(front)
            assert server.busy
            await assert_out_of_the_queue(server, calls, line, "ainvoke")
