"""A model on the load server, and what a process holds: nothing but idle connections after it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
import os
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from langchain_g4f import ChatHuggingChat
from langchain_g4f.transport import client
from langchain_g4f.transport.impersonate import CurlTransport, SyncCurlTransport
from tests.nightly.server import Served

P = ParamSpec("P")
T = TypeVar("T")

MIB = 1024 * 1024
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_unraisable: list[str] = []


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do this in a fresh process, where a warning is an error, and return the result.

    What could not be raised there, in a finaliser for example, is raised here.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _strict) as process:
        result = process.submit(work, *args, **kwargs).result()
        problems = process.submit(_problems).result()
    assert not problems, problems
    return result


def _strict() -> None:
    warnings.simplefilter("error")
    sys.unraisablehook = lambda found: _unraisable.append(repr(found.exc_value))


def _problems() -> list[str]:
    gc.collect()
    return _unraisable


@dataclass(frozen=True)
class Held:
    """What this process holds at the moment."""

    descriptors: int
    threads: int
    tasks: int

    @classmethod
    def now(cls) -> Held:
        tasks = 0
        with suppress(RuntimeError):  # no loop runs
            tasks = len(asyncio.all_tasks())
        return cls(len(os.listdir("/proc/self/fd")), threading.active_count(), tasks)  # noqa: PTH208


def memory() -> float:
    """Resident memory in MiB, garbage and free space given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _field("VmRSS")


def forget_peak() -> None:
    """Have `peak` start over."""
    _CLEAR.write_text("5")


def peak() -> float:
    """The most resident memory since `forget_peak`, in MiB."""
    return _field("VmHWM")


def _field(name: str) -> float:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of them do not exceed."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def slope(values: Sequence[float]) -> float:
    """How much they grow from one to the next, by least squares."""
    return statistics.linear_regression(range(len(values)), values).slope


async def aeventually(condition: Callable[[], bool], within_s: float = 2.0) -> bool:
    """Whether this comes true in time, while the event loop runs."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def eventually(condition: Callable[[], bool], within_s: float = 2.0) -> bool:
    """Whether this comes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


KEPT = 50
"""Connections that may wait for the next request."""


def make_model(served: Served, **settings: Any) -> ChatHuggingChat:
    """A model for this server, with an identity."""
    identity = {"cookies": {"hf-chat": "load-session"}}
    return ChatHuggingChat(base_url=served.url, model="m", **(identity | settings))


def close_sync_clients() -> None:
    """Close those that serve all threads; those of event loops end with them."""
    while client._sync:
        client._sync.popitem()[1].http.close()


def transports() -> list[Any]:
    """What all the package's clients ask by."""
    found: list[Any] = list(client._sync.values())
    for of_loop in tuple(client._async.values()):
        found.extend(of_loop.clients.values())
    return [each.http._transport for each in found]


def requests_under_way() -> int:
    """How many requests are not over."""
    count = 0
    for each in transports():
        if is_curl(each):
            count += 0 if each._multi is None else len(each._multi._running)
        else:
            count += len(each._pool._requests)
    return count


def idle_connections(served: Served) -> int:
    """How many connections are kept for later; none may be in any other state."""
    connections = [c for each in transports() if not is_curl(each) for c in each._pool.connections]
    if not all(c.is_idle() for c in connections):
        return -1
    if any(map(is_curl, transports())):  # curl does not tell how many it keeps
        return served.counts.open
    return len(connections)


def is_curl(transport: object) -> bool:
    """Whether this one looks like a browser."""
    return isinstance(transport, CurlTransport | SyncCurlTransport)


def at_rest(served: Served) -> Held:
    """What this process holds besides idle connections."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):  # cancelled, and about to end
            thread.join()
    held = Held.now()
    return replace(held, descriptors=held.descriptors - idle_connections(served))


def problems(served: Served, before: Held, after: Held) -> list[str]:
    """What is not as it was, now that nothing is under way."""
    found = []
    if count := requests_under_way():
        found.append(f"{count} requests in a pool")
    idle = idle_connections(served)
    if idle < 0:
        found.append("connections that are not idle")
    if idle > KEPT:
        found.append(f"{idle} connections are kept")
    if served.counts.open != idle:
        found.append(f"{served.counts.open} connections at the server, {idle} here")
    if after.descriptors != before.descriptors + idle:
        found.append(f"descriptors: {before.descriptors} + {idle}, then {after.descriptors}")
    if after.threads != before.threads:
        found.append(f"threads: {before.threads}, then {after.threads}")
    if after.tasks != before.tasks:
        found.append(f"tasks: {before.tasks}, then {after.tasks}")
    return found


async def settled(served: Served, before: Held) -> list[str]:
    """What is still not as it was after two seconds."""
    await aeventually(lambda: not problems(served, before, Held.now()))
    return problems(served, before, Held.now())


def all_closed(served: Served, outside: Held) -> list[str]:
    """What is not as it was before there were clients, two seconds after their end."""
    if eventually(lambda: Held.now() == outside and not served.counts.open):
        return []
    return [f"after the end: {outside}, then {Held.now()}; {served.counts}"]
