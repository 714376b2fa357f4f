"""Waiting in an app's queue: a clock of its own, and a place that is given up when the call is."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APITimeoutError
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, ByteServer, ChunkedWriter, Exchange
from tests.contract.faults.harness import (
    ask,
    assert_given_up,
    assert_nothing_open,
    by_stream,
    by_turns,
    closed,
    eventually,
    fail,
)
from tests.contract.faults.registry import PATIENT, PHI4, Part, Provider, cut, end, fault, hang

BEAT_S = 0.03
IMPATIENT = replace(PATIENT, idle=0.2, total=0.3, queue=0.25)
"""Clocks of which that of the queue is not the first to run out."""
QUEUED = (gr.estimation(2, 3), gr.HEARTBEAT)

Then = Callable[[Exchange, ChunkedWriter], None]


def waiting(*places: bytes, each_s: float, then: Then) -> Action:
    """Tell one place after the other, with heartbeats in between."""

    def act(exchange: Exchange, stream: ChunkedWriter) -> None:
        for place in places:
            until = time.monotonic() + each_s
            stream.chunk(place)
            while time.monotonic() < until and not exchange.hold(BEAT_S):
                stream.chunk(gr.HEARTBEAT)
        then(exchange, stream)

    return PHI4.answering(then=act)


def answer(exchange: Exchange, stream: ChunkedWriter) -> None:
    """Say it at last."""
    for piece in PHI4.whole("Hello", " there"):
        stream.chunk(piece)
    end(exchange, stream)


def beat(exchange: Exchange, stream: ChunkedWriter) -> None:
    """Say for ever that the connection is alive."""
    while not exchange.hold(BEAT_S):
        stream.chunk(gr.HEARTBEAT)


@fault(29, 30, only="PH")
@pytest.mark.proves("obligation:gradio-space:10")
@by_turns
async def test_queue_that_moves_on_is_waited_in_beyond_the_other_clocks(
    provider: Provider, way: str
) -> None:
    """A change of place starts the clock again; idle and total clock stand still meanwhile."""
    seen: list[Progress] = []
    places = [gr.estimation(rank, rank + 1) for rank in (3, 2, 1, 0)]
    with provider.server(data=waiting(*places, each_s=0.15, then=answer)) as server:
        model = provider.model(server, timeout=IMPATIENT, on_progress=seen.append)
        started = time.monotonic()
        assert (await ask(model, way)).text == "Hello there"
        assert time.monotonic() - started > 2 * IMPATIENT.total - 0.1
        assert provider.asked(server) == provider.good_call
    ranks = [progress.data["rank"] for progress in seen if progress.kind == "queued"]
    assert ranks == [3, 2, 1, 0]


@fault(29, only="PH")
@pytest.mark.proves("obligation:gradio-space:10")
@by_turns
@pytest.mark.parametrize("again", [(), (gr.estimation(2, 9), gr.estimation(2, 4, rank_eta=1.5))])
async def test_place_that_does_not_change_runs_out_the_queue_clock(
    provider: Provider, way: str, again: tuple[bytes, ...]
) -> None:
    """Neither heartbeats nor news of others are progress: the place is given up."""
    places = (gr.estimation(2, 3), *again)
    with provider.server(data=waiting(*places, each_s=0.06, then=beat)) as server:
        started = time.monotonic()
        error = await fail(
            provider.model(server, timeout=IMPATIENT), way, APITimeoutError, host=None
        )
        assert 0.25 <= time.monotonic() - started < 1.2
        assert provider.asked(server) == (*provider.good_call, "cancel")
        assert await closed(provider, server, "data")
    assert (error.kind, error.partial_text) == ("queue", "")
    assert "place in the queue" in str(error)


@fault(29, only="PH")
@by_turns
async def test_queue_clock_is_set_by_its_own_name(provider: Provider, way: str) -> None:
    """`queue_timeout=` leaves the other clocks as they are."""
    with provider.server(data=waiting(gr.estimation(2), each_s=0, then=beat)) as server:
        started = time.monotonic()
        model = provider.model(server, queue_timeout=0.2)
        error = await fail(model, way, APITimeoutError, host=None)
        assert 0.2 <= time.monotonic() - started < 1.2
    assert error.kind == "queue"


@fault(29, only="PH")
@by_turns
async def test_call_that_a_worker_took_is_no_longer_queued(provider: Provider, way: str) -> None:
    """From then on heartbeats alone are idleness, however patient the queue clock is."""
    started = waiting(gr.estimation(0), gr.STARTS, each_s=0.05, then=beat)
    with provider.server(data=started) as server:
        model = provider.model(server, timeout=replace(PATIENT, idle=0.25))
        error = await fail(model, way, APITimeoutError, host=None)
        assert provider.asked(server) == (*provider.good_call, "cancel")
    assert error.kind == "idle"


@fault(2, only="PH", curl=False)
@pytest.mark.proves("obligation:gradio-space:10")
@by_turns
async def test_silence_in_the_queue_is_noticed(provider: Provider, way: str) -> None:
    """A connection without so much as a heartbeat is dead, however long the queue is."""
    with provider.server(data=provider.answering(*QUEUED, then=hang)) as server:
        model = provider.model(server, timeout=replace(PATIENT, silence=0.25))
        error = await fail(model, way, APITimeoutError)
        assert provider.asked(server) == (*provider.good_call, "cancel")
        assert await closed(provider, server, "data")
    assert error.kind == "silence"


def assert_cancelled_once(provider: Provider, server: ByteServer) -> None:
    """The very call that was joined is cancelled, in its own session."""
    (join,), (cancel,) = provider.sent(server, "join"), provider.sent(server, "cancel")
    assert gr.said(cancel) == {
        "session_hash": gr.said(join)["session_hash"],
        "fn_index": gr.ANSWER,
        "event_id": gr.EVENT_ID,
    }


@fault(36, only="PH")
@pytest.mark.proves("obligation:gradio-space:16")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize("said", [(), QUEUED, (*QUEUED, gr.STARTS)], ids=["", "queued", "started"])
async def test_call_cancelled_in_the_queue_gives_up_its_place(
    provider: Provider, way: str, said: tuple[bytes, ...]
) -> None:
    """The job is cancelled before the cancellation comes back, and the stream is closed."""
    with provider.server(data=provider.answering(*said, then=hang)) as server:
        task = asyncio.create_task(ask(provider.model(server), way))
        assert await eventually(lambda: "data" in provider.asked(server))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert provider.asked(server) == (*provider.good_call, "cancel")
        assert_cancelled_once(provider, server)
        assert await closed(provider, server, "data")
    assert_nothing_open()


@fault(36, only="PH", curl=False)
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_call_cancelled_while_it_joins_has_nothing_to_cancel(
    provider: Provider, way: str
) -> None:
    """A job whose name is not known cannot be given up; the connection is closed."""
    with provider.server(join=Exchange.never_answer) as server:
        task = asyncio.create_task(ask(provider.model(server), way))
        assert await eventually(lambda: "join" in provider.asked(server))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await closed(provider, server, "join")
        assert provider.asked(server) == provider.until("join")
    assert_nothing_open()


@fault(14, 36, only="PH", curl=False)
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_call_cancelled_between_two_sessions_gives_up_both(
    provider: Provider, way: str
) -> None:
    """The first broke and is being cancelled; the second was joined, and is cancelled as well."""
    parts: dict[str, Part] = {"cancel": [Exchange.never_answer, gr.cancel_ok]}
    with provider.server(data=provider.answering(then=cut), **parts) as server:
        task = asyncio.create_task(ask(provider.model(server), way))
        assert await eventually(lambda: "cancel" in provider.asked(server))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        again = ("predict", "join", "cancel", "cancel")
        assert provider.asked(server) == (*provider.good_call, *again)
        joined, cancelled = (
            [gr.said(request)["session_hash"] for request in provider.sent(server, part)]
            for part in ("join", "cancel")
        )
        assert joined == cancelled
    assert_nothing_open()


async def begun(model: Any, way: str) -> Any:
    """A stream of which the first piece was read."""
    stream = getattr(model, way)("hi")
    first = next(stream) if way == "stream" else await anext(stream)
    assert first.text == "Hello"
    return stream


@fault(34, 35, only="PH")
@pytest.mark.proves("obligation:gradio-space:5", "obligation:gradio-space:16")
@by_stream
@pytest.mark.parametrize("dropped", [False, True], ids=["closed", "dropped"])
async def test_stream_given_up_is_cancelled_once_and_its_session_never_used_again(
    provider: Provider, way: str, dropped: bool
) -> None:
    """On some servers a job that was cancelled spoils the next one of its session."""
    unfinished = provider.answering(*provider.start, provider.token("Hello"), then=hang)
    with provider.server(data=[unfinished, gr.answer_ok]) as server:
        model = provider.model(server)
        stream = await begun(model, way)
        if not dropped:
            await (asyncio.to_thread(stream.close) if way == "stream" else stream.aclose())
        del stream
        gc.collect()
        await assert_given_up(provider, server)
        assert_cancelled_once(provider, server)
        assert (await ask(model, "ainvoke")).text == "Hello there"
        first, second = provider.sent(server, "join")
        assert gr.said(first)["session_hash"] != gr.said(second)["session_hash"]
