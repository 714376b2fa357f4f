"""Many streams and many models at once; each load runs in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import threading
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, cast

import httpx
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.messages import to_chat_request
from langchain_g4f.core.events import Text
from tests.nightly.clients import (
    Held,
    all_closed,
    at_rest,
    close_sync_clients,
    eventually,
    forget_peak,
    make_model,
    memory,
    peak,
    percentile,
    problems,
    settled,
)
from tests.nightly.server import Served, serving, token

Level = Literal["astream", "arun", "httpx"]


@dataclass
class Figures:
    """What came out of a load.

    Attributes:
        complete: Streams that came whole and right.
        chunks: Pieces of text, all streams together.
        seconds: Wall time from the first call to the end of the last.
        cpu_s: Processor time of this process meanwhile.
        first: Seconds from each call to its first piece of text.
        growth: Memory at its peak over memory before, in MiB.
        left: What was left behind, in words.
    """

    complete: int = 0
    chunks: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    first: list[float] = field(default_factory=list)
    growth: float = 0.0
    left: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Chunks a second."""
        return self.chunks / self.seconds

    def __str__(self) -> str:
        p50, p99 = percentile(self.first, 50), percentile(self.first, 99)
        return (
            f"{self.complete} complete, {self.rate:,.0f} chunks/s, {self.seconds:.1f} s wall,"
            f" {self.cpu_s:.1f} s CPU, first chunk p50 {p50:.2f} s, p99 {p99:.2f} s,"
            f" +{self.growth:.0f} MiB"
        )


async def texts(model: ChatHuggingChat, level: Level, number: int) -> AsyncIterator[str]:
    """The pieces of one answer, by way of LangChain or below it."""
    question = f"question {number}"
    if level == "astream":
        async for chunk in model.astream(question):
            if chunk.content:
                yield str(chunk.content)
        return
    turn = to_chat_request([HumanMessage(question)], model="m", options={})
    async with aclosing(model._aevents(turn)) as events:
        async for event in events:
            if isinstance(event, Text):
                yield event.text


async def bare_texts(http: httpx.AsyncClient, served: Served) -> AsyncIterator[str]:
    """The pieces of one answer with httpx alone: what cannot be done without."""
    created = (await http.post(f"{served.url}/conversation", json={"model": "m"})).json()
    url = f"{served.url}/conversation/{created['conversationId']}"
    async with http.stream("POST", url, data={"data": "{}"}) as response:
        pending = b""
        async for data in response.aiter_raw():
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                update = json.loads(line)
                if update["type"] == "stream":
                    yield update["token"].rstrip("\0")


def streams(
    count: int, events: int, rate: float, level: Level, impersonate: str | None = None
) -> Figures:
    """So many async streams at once."""
    with serving(events, rate) as served:
        outside = Held.now()
        figures = asyncio.run(_streams(served, count, level, impersonate))
        figures.left += all_closed(served, outside)
    return figures


async def _streams(served: Served, count: int, level: Level, impersonate: str | None) -> Figures:
    model = make_model(served, impersonate=impersonate)
    if level == "httpx":
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=50)
        async with httpx.AsyncClient(limits=limits, timeout=60) as http:
            return await _measured(served, count, lambda _: bare_texts(http, served))
    [_ async for _ in texts(model, level, 0)]  # imports, and the client
    before = at_rest(served)
    figures = await _measured(served, count, partial(texts, model, level))
    figures.left = await settled(served, before)
    return figures


async def _measured(
    served: Served, count: int, answer: Callable[[int], AsyncIterator[str]]
) -> Figures:
    figures = Figures()
    expected = "".join(token(number) for number in range(served.events))
    base = memory()
    forget_peak()

    async def one(number: int) -> None:
        pieces: list[int] = []
        begin = time.perf_counter()
        async for text in answer(number):
            if not pieces:
                figures.first.append(time.perf_counter() - begin)
            pieces.append(len(text))
        figures.chunks += len(pieces)
        figures.complete += sum(pieces) == len(expected) and len(pieces) == served.events

    begin, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(number) for number in range(count)))
    figures.seconds, figures.cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    figures.growth = peak() - base
    return figures


def sync_streams(count: int, events: int, rate: float, impersonate: str | None = None) -> Figures:
    """So many threads, each with one stream."""
    with serving(events, rate) as served:
        outside = Held.now()
        model = make_model(served, impersonate=impersonate)
        list(model.stream("warm up"))
        before, base = at_rest(served), memory()
        forget_peak()
        figures = Figures()
        mutex = threading.Lock()
        threads = [
            threading.Thread(target=_one_sync, args=(model, served, figures, mutex))
            for _ in range(count)
        ]
        begin, cpu = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        figures.seconds, figures.cpu_s = time.perf_counter() - begin, time.process_time() - cpu
        figures.growth = peak() - base
        eventually(lambda: not problems(served, before, Held.now()))
        figures.left = problems(served, before, Held.now())
        close_sync_clients()
        figures.left += all_closed(served, outside)
    return figures


def _one_sync(
    model: ChatHuggingChat, served: Served, figures: Figures, mutex: threading.Lock
) -> None:
    begin, first = time.perf_counter(), 0.0
    pieces: list[str] = []
    for chunk in model.stream("question"):
        if chunk.content:
            first = first or time.perf_counter() - begin
            pieces.append(str(chunk.content))
    expected = [token(number) for number in range(served.events)]
    with mutex:
        figures.first.append(first)
        figures.chunks += len(pieces)
        figures.complete += pieces == expected


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


_WARM_UP = 200


@dataclass
class Dropped:
    """What is left of models that were dropped.

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
