"""How long something takes, where only its growth is of interest."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of ``work``: the least of three, and without collecting what other tests left."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return min(_once(work) for _ in range(3))
    finally:
        if enabled:
            gc.enable()


def _once(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def assert_grows(
    work: Callable[[int], object], short: int, long: int, *, less_than: float, least_s: float
) -> None:
    """Work of the long size takes less than so many times the time of the short one.

    It is measured again if it does not, at most three times: other programs disturb a measurement.
    Of a short time that is below ``least_s``, ``least_s`` is taken.
    """
    times: list[tuple[float, float]] = []
    for _ in range(3):
        times.append((_once(lambda: work(short)), _once(lambda: work(long))))
        if times[-1][1] < less_than * max(times[-1][0], least_s):
            return
    raise AssertionError(times)
