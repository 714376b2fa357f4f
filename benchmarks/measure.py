"""Runs the clients and measures their times.

In each round, every client has one turn, and every other round runs in reverse order. CPU is the
time of all threads of this process; the server is another process. Each client first has one turn
that does not count, which opens its connections.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import WrongTextError
from benchmarks.contenders import Contender, contenders, plain_and_with_tools
from benchmarks.server import SHAPES, Shared, serving, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
MODES = ("async", "sync")
CELLS = [(mode, shape) for mode in MODES for shape in SHAPES]
FLOOR_IMPORT = "from langchain_core.language_models import BaseChatModel"
OUR_IMPORT = "from langchain_g4f import ChatHuggingChat"
IMPORTS = {
    "BaseChatModel": ("", FLOOR_IMPORT),
    "ChatHuggingChat": ("", OUR_IMPORT),
    "ChatHuggingChat after BaseChatModel": (FLOOR_IMPORT, OUR_IMPORT),
}
"""By name: the statement before the measurement, and the measured statement."""
_SHORT, _WARM_UP = 20, 5
"""Tokens of an answer of which only the first is measured, and rounds that do not count."""
_TIMED = """
import time
{}
cpu, wall = time.process_time(), time.perf_counter()
{}
print(1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall))
"""


@dataclass(frozen=True)
class Sample:
    """The times of one answer.

    Attributes:
        cpu_us: CPU time per token, in µs.
        wall_us: Wall time per token, in µs.
        first_ms: Wall time until the first token, in ms.
        requests: HTTP requests that the server had received at the first token.
    """

    cpu_us: float
    wall_us: float
    first_ms: float
    requests: int


@dataclass(frozen=True)
class ImportSample:
    """The times of one import in a fresh interpreter."""

    cpu_ms: float
    wall_ms: float


Samples = dict[tuple[str, str], dict[str, list[Sample]]]
"""Samples by mode and shape, then by client; one for each round."""


class _Reading:
    """Measures one answer while it is read."""

    def __init__(self, text: Callable[[object], str], shared: Shared) -> None:
        self._text = text
        self._shared = shared
        self._pieces: list[str] = []
        self._first = 0.0
        self._requests = 0
        shared.seen.value = shared.requests.value = 0
        gc.collect()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def take(self, item: object) -> None:
        """Store an item of the stream, and let the server send the next."""
        if text := self._text(item):
            self._pieces.append(text)
            if not self._first:
                self._first = time.perf_counter() - self._wall
                self._requests = self._shared.requests.value
            self._shared.seen.value = len(self._pieces)

    def end(self, who: str, expected: list[str]) -> Sample:
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        if self._pieces != expected:
            msg = f"{who}: {len(self._pieces)} of {len(expected)} tokens, or different ones"
            raise WrongTextError(msg)
        a_token = 1e6 / len(expected)
        return Sample(cpu * a_token, wall * a_token, self._first * 1e3, self._requests)


def measure_streams(rounds: int, count: int, tell: Callable[[str], None]) -> Samples:
    """Measure every client in every mode and shape, ``rounds`` times."""
    expected = tokens(count)
    samples: Samples = {cell: {} for cell in CELLS}
    with serving(count) as (server, shared), asyncio.Runner() as runner:

        def one(contender: Contender, mode: str) -> Sample:
            if mode == "async":
                return runner.run(_aread(contender, shared, expected))
            return _read(contender, shared, expected)

        fields = {shape: contenders(server, shape) for shape in SHAPES}
        for mode, shape in CELLS:
            for contender in fields[shape]:
                one(contender, mode)
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for mode, shape in CELLS:
                for contender in fields[shape][:: -1 if number % 2 else 1]:
                    sample = one(contender, mode)
                    samples[mode, shape].setdefault(contender.name, []).append(sample)
    return samples


def measure_tools(rounds: int, tell: Callable[[str], None]) -> dict[str, dict[str, list[Sample]]]:
    """Measure short answers with and without tools, by mode and client."""
    expected = tokens(_SHORT)
    samples: dict[str, dict[str, list[Sample]]] = {mode: {} for mode in MODES}
    with serving(_SHORT) as (server, shared), asyncio.Runner() as runner:
        pair = plain_and_with_tools(server, "paced")
        tell(f"first tokens with tools, {rounds} rounds")
        for number in range(-_WARM_UP, rounds):
            for mode in MODES:
                for contender in pair[:: -1 if number % 2 else 1]:
                    if mode == "async":
                        sample = runner.run(_aread(contender, shared, expected))
                    else:
                        sample = _read(contender, shared, expected)
                    if number >= 0:
                        samples[mode].setdefault(contender.name, []).append(sample)
    return samples


def _read(contender: Contender, shared: Shared, expected: list[str]) -> Sample:
    reading = _Reading(contender.text, shared)
    for item in contender.stream():
        reading.take(item)
    return reading.end(contender.name, expected)


async def _aread(contender: Contender, shared: Shared, expected: list[str]) -> Sample:
    reading = _Reading(contender.text, shared)
    async for item in contender.astream():
        reading.take(item)
    return reading.end(contender.name, expected)


def measure_imports(rounds: int, tell: Callable[[str], None]) -> dict[str, list[ImportSample]]:
    """Measure each import in fresh interpreters, after a first round that only warms the disk."""
    samples: dict[str, list[ImportSample]] = {name: [] for name in IMPORTS}
    tell(f"imports, {rounds} rounds")
    for _ in range(rounds + 1):
        for name, statements in IMPORTS.items():
            done = subprocess.run(
                [sys.executable, "-c", _TIMED.format(*statements)],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
            )
            cpu, wall = done.stdout.split()
            samples[name].append(ImportSample(float(cpu), float(wall)))
    return {name: found[1:] for name, found in samples.items()}
