"""What a process holds: memory, descriptors, threads, tasks; and work in a process of its own."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

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
    """Let `peak` begin anew."""
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
