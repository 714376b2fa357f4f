"""Small events that make much work: what an answer consists of is bounded, and clocks hold."""

from __future__ import annotations

import asyncio
import gc
import time
from asyncio.events import Handle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_g4f.errors import APITimeoutError, TooLargeError
from langchain_g4f.providers.gradio_space.content import MAX_PARTS
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import ChunkedWriter, Exchange
from tests.contract.faults.harness import by_case, by_turns, fail
from tests.contract.faults.registry import Provider, fault

# --- row 57 --------------------------------------------------------------------------------------

MANY = 200_000
_ONE: Any = ["a"]
SHAPES: dict[str, Any] = {
    "parts": [gr.message("user", "hi"), gr.message("assistant", _ONE * MANY)],
    "messages": [gr.message("user", "hi"), *_ONE * MANY],
    "texts": [
        gr.message("user", "hi"),
        gr.message("assistant", [{"type": "text", "text": "a"}] * 20_000),
    ],
    "an object of no known kind": [
        gr.message("user", "hi"),
        gr.message("assistant", [{f"k{n}": n for n in range(20_000)}]),
    ],
    "files": [
        gr.message("user", "hi"),
        gr.message("assistant", [{"path": f"/f/{n}"} for n in range(20_000)]),
    ],
}


@contextmanager
def timed_callbacks() -> Iterator[list[float]]:
    """The CPU seconds of each callback of the event loop, without collecting garbage of others."""
    found: list[float] = []
    run = Handle._run

    def timed(handle: Handle) -> None:
        begin = time.thread_time()
        run(handle)
        found.append(time.thread_time() - begin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Handle, "_run", timed)
        gc.collect()
        gc.disable()
        try:
            yield found
        finally:
            gc.enable()


@fault(57, only="PH")
@by_case(SHAPES, "value")
async def test_answer_of_very_many_parts_is_refused_where_it_begins(
    provider: Provider, way: str, value: Any
) -> None:
    """Each of 400 small edits would have all of it read again."""
    first = gr.generating([value, None])
    small = [gr.edits(["add", [1, "k"], n]) for n in range(400)]
    pieces = (gr.estimation(), gr.STARTS, first, *small, *provider.end("a"))
    with provider.server(data=provider.answering(*pieces)) as server:
        model = provider.model(server)
        with timed_callbacks() as callbacks:
            error = await fail(model, way, TooLargeError, host=None)
        assert provider.asked(server) == (*provider.good_call, "cancel")
    assert "more than" in str(error)
    if way == "astream":
        assert max(callbacks) < 0.05


@fault(57, only="PH")
@by_turns
async def test_many_small_edits_leave_the_clocks_and_other_tasks_their_time(
    provider: Provider, way: str
) -> None:
    """The largest answer that is read, and more edits of it than there is time for."""
    parts = [{"type": "text", "text": "a" * 1_000}] * (MAX_PARTS - 2)
    first = gr.generating([[gr.message("user", "hi"), gr.message("assistant", parts)], None])
    path = [1, "content", 0, "text"]
    small = b"".join(gr.edits(["replace", path, f"b{n}"]) for n in range(60_000))

    def flood(exchange: Exchange) -> None:
        stream: ChunkedWriter = exchange.start_stream(content_type=gr.EVENT_STREAM)
        for piece in (gr.estimation(), gr.STARTS, first, small):
            stream.chunk(piece)
        exchange.hold(5)

    with provider.server(data=flood) as server:
        model = provider.model(server, timeout=1.0)
        started = time.monotonic()
        with timed_callbacks() as callbacks:
            error = await fail(model, way, APITimeoutError, host=None)
        assert time.monotonic() - started < 1.5
    assert error.kind == "total"
    if way == "astream":
        assert max(callbacks) < 0.05
    await asyncio.sleep(0)
