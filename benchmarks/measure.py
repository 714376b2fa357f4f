"""Runs the contenders and reads the clocks.

Rounds are paired: in each, every contender has one turn under the same conditions, and in every
other round they go in reverse order. CPU is the time of this process alone, all threads included;
the server is another process. Each contender warms up once, so that connections stand.
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
"""What is imported before, and what under the clock."""
_SHORT, _WARM_UP = 20, 5
"""Tokens of an answer of which only the first is of interest, and rounds that do not count."""
_TIMED = """
import time
{}
cpu, wall = time.process_time(), time.perf_counter()
{}
print(1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall))
"""


@dataclass(frozen=True)
class Sample:
    """One answer.

    Attributes:
        cpu_us: CPU per token.
        wall_us: Wall per token.
        first_ms: Wall until the first token.
        requests: HTTP requests the server had received by then.
    """

    cpu_us: float
    wall_us: float
    first_ms: float
    requests: int


@dataclass(frozen=True)
class ImportSample:
    """One import in a fresh interpreter."""

    cpu_ms: float
    wall_ms: float


Samples = dict[tuple[str, str], dict[str, list[Sample]]]
"""By mode and shape, then by contender; one sample a round."""


class _Reading:
    """One answer under the clock."""

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
        """Count what a stream yielded, and let the server go on."""
        if text := self._text(item):
            self._pieces.append(text)
            if not self._first:
                self._first = time.perf_counter() - self._wall
                self._requests = self._shared.requests.value
            self._shared.seen.value = len(self._pieces)

    def end(self, who: str, expected: list[str]) -> Sample:
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        if self._pieces != expected:
            msg = f"{who}: {len(self._pieces)} of {len(expected)} tokens, or other ones"
            raise WrongTextError(msg)
        a_token = 1e6 / len(expected)
        return Sample(cpu * a_token, wall * a_token, self._first * 1e3, self._requests)


def measure_streams(rounds: int, count: int, tell: Callable[[str], None]) -> Samples:
    """Every contender in every mode and shape, ``rounds`` times."""
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
    """Short answers with tools bound and without, by mode and contender."""
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
    """Every import in fresh interpreters; the first round warms the disk and is not counted."""
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
