"""Runs the clients against real servers 5 and 6, in rounds.

In each round every client has one turn, and every other round runs in reverse order. The server is
another process, and so is gradio_client; CPU is that of the client's process. Each client first has
one turn that does not count.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import WrongTextError
from benchmarks.gradio.contenders import FLOOR, OURS, RAW, GradioClient, Turn, contenders
from benchmarks.gradio.decoder import LONG, SHORT, words
from langchain_g4f.testing import GradioSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.gradio.contenders import Contenders, Key

ROOT = Path(__file__).resolve().parents[2]
LINES = ("gradio5", "gradio6")
CLIENT_LINE = "gradio6"
"""The environment with the gradio_client that is measured on both servers: the newest one."""
BRIEF = 3
"""Chunks of the answers that measure the time to the first chunk."""
PACE_MS = 5

Samples = dict["Key", list[Turn]]
"""Turns by client and mode; one for each round."""


@dataclass(frozen=True)
class Rounds:
    """Rounds of each measurement, and the lengths of the answers in chunks."""

    first: int = 30
    answer: int = 9
    paced: int = 5
    growth: int = 5
    decoder: int = 15
    short: int = SHORT
    long: int = LONG


@dataclass
class Line:
    """The figures of one server.

    Attributes:
        server: Version of Gradio.
        client: Version of gradio_client.
        first: Answers of a few chunks, for the time to the first chunk.
        flowing: Answers as fast as the server can.
        paced: Answers with a pause between two chunks.
        growth: CPU of the long answer divided by that of the short one, by client and mode.
        loads: Load averages of the machine over one minute.
    """

    server: str
    client: str
    first: Samples = field(default_factory=dict)
    flowing: Samples = field(default_factory=dict)
    paced: Samples = field(default_factory=dict)
    growth: dict[Key, list[float]] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)


def environment(line: str) -> Path:
    """The interpreter with this version of Gradio.

    Raises:
        FileNotFoundError: The environment is missing.
    """
    python = ROOT / f".venv-{line}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run `make bench-servers`")
    return python


def measure_line(line: str, rounds: Rounds, tell: Callable[[str], None]) -> Line:
    """Measure everything that needs a server of this version."""
    with ExitStack() as stack:
        space = stack.enter_context(GradioSpace("phi4", python=environment(line), pace_s=0))
        client = stack.enter_context(GradioClient(environment(CLIENT_LINE), space.base_url))
        runner = stack.enter_context(asyncio.Runner())
        everybody = stack.enter_context(contenders(space.base_url, runner, client))
        found = Line(space.version, client.version)

        def note(what: str) -> None:
            found.loads.append(os.getloadavg()[0])
            tell(f"{line}: {what}, load average {found.loads[-1]:.1f}")

        note("first chunk")
        some = {key: take for key, take in everybody.items() if key[0] != FLOOR}
        found.first = measure_turns(some, BRIEF, rounds.first)
        note(f"{rounds.short} chunks at once")
        found.flowing = measure_turns(everybody, rounds.short, rounds.answer)
        note(f"{rounds.short} chunks, {PACE_MS} ms apart")
        found.paced = measure_turns(everybody, rounds.short, rounds.paced, PACE_MS)
        note(f"{rounds.long} chunks")
        some = {key: take for key, take in everybody.items() if key[0] in (RAW, OURS)}
        found.growth = measure_growth(some, rounds)
        note("done")
    return found


def measure_turns(everybody: Contenders, count: int, rounds: int, pace_ms: float = 0) -> Samples:
    """Measure ``rounds`` answers of ``count`` chunks for each client."""
    samples: Samples = {key: [] for key in everybody}
    for number in range(rounds + 1):
        for key in list(everybody)[:: -1 if number % 2 else 1]:
            turn = _turn(everybody, key, count, pace_ms)
            if number:
                samples[key].append(turn)
    return samples


def measure_growth(everybody: Contenders, rounds: Rounds) -> dict[Key, list[float]]:
    """CPU of a long answer divided by the mean of the short ones before and after it."""
    growth: dict[Key, list[float]] = {key: [] for key in everybody}
    for number in range(rounds.growth):
        for key in list(everybody)[:: -1 if number % 2 else 1]:
            before, long, after = (
                _turn(everybody, key, count).cpu_ms
                for count in (rounds.short, rounds.long, rounds.short)
            )
            growth[key].append(2 * long / (before + after))
    return growth


def _turn(everybody: Contenders, key: Key, count: int, pace_ms: float = 0) -> Turn:
    prompt = f"[[long:{count}]]" + (f" [[slow:{pace_ms / 1e3}]]" if pace_ms else "")
    turn = everybody[key](prompt)
    if turn.text != "".join(words(count)):
        raise WrongTextError(f"{' '.join(key)}: {turn.text[-40:]!r}")
    return turn
