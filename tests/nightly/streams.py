"""Many streams at once, in one event loop or in threads; runs in a process of its own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import httpx
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.messages import to_chat_request
from langchain_g4f.core.events import Text
from tests.nightly.clients import (
    all_closed,
    at_rest,
    close_sync_clients,
    make_model,
    problems,
    settled,
)
from tests.nightly.meter import Held, eventually, forget_peak, memory, peak, percentile
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
