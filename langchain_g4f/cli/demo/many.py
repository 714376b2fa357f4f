"""Twenty answers at once, with a bar on a terminal and a summary everywhere."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from langchain_g4f.cli.demo.stage import Meter, Stage, expect, milliseconds

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from rich.console import Console

STREAMS = 20
SHORTEST_TOKENS = 100
STEP_TOKENS = 5
STREAM_PACE_MS = 10


async def show_many(stage: Stage) -> None:
    """Stream twenty answers at once."""
    model = stage.chat_model("sandbox/text-small")
    lengths = [SHORTEST_TOKENS + STEP_TOKENS * number for number in range(STREAMS)]
    now_open: set[int] = set()
    most_open = done = 0
    before = len(stage.sandbox.conversations)

    async def stream(number: int) -> Meter:
        nonlocal most_open, done
        meter = Meter(time.perf_counter())
        question = f"[[long:{lengths[number]}]] [[pace:{STREAM_PACE_MS}]] stream {number}"
        async for chunk in model.astream(question):
            if meter.add(chunk):
                now_open.add(number)
                most_open = max(most_open, len(now_open))
                progress.advance(bar)
        now_open.discard(number)
        done += 1
        progress.update(bar, done=done)
        return meter

    started_s = time.perf_counter()
    with _progress(stage.console) as progress:
        bar = progress.add_task("streaming", total=sum(lengths), done=0)
        meters = await _all_of(stream(number) for number in range(STREAMS))
    wall_s = time.perf_counter() - started_s
    complete = sum(
        meter.finish_reason == "stop" and meter.text.split() == _words(length)
        for meter, length in zip(meters, lengths, strict=True)
    )
    _report_many(stage, meters, complete, wall_s, most_open)
    expect(complete == STREAMS, f"{STREAMS} complete answers")
    expect(len(stage.sandbox.conversations) - before == STREAMS, "a conversation for each")
    expect(most_open == STREAMS, f"all {STREAMS} streams open at the same time")


async def _all_of(streams: Iterable[Coroutine[None, None, Meter]]) -> list[Meter]:
    """Run the streams at once; when one fails, end the others first, then fail like it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(stream) for stream in streams]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _report_many(
    stage: Stage, meters: list[Meter], complete: int, wall_s: float, most_open: int
) -> None:
    chunks = sum(meter.chunks for meter in meters)
    firsts = sorted(meter.first_token_s for meter in meters)
    stage.say(f"{'complete':>22}  {complete} of {STREAMS}, {most_open} open at the same time")
    stage.say(f"{'wall time':>22}  {wall_s:.2f} s")
    stage.say(f"{'chunks':>22}  {chunks}, {chunks / wall_s:.0f} per second")
    stage.say(
        f"{'time to first token':>22}  {milliseconds(median(firsts))} in the middle, "
        f"{milliseconds(firsts[-1])} at most"
    )


class _RateColumn(ProgressColumn):
    """Tokens per second. The sandbox sends one token per chunk."""

    def render(self, task: Task) -> Text:
        """Show the rate since the beginning."""
        return Text(f"{task.completed / (task.elapsed or 1):5.0f} tokens/s")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(f"{{task.fields[done]:2}}/{STREAMS} done"),
        _RateColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _words(count: int) -> list[str]:
    return [f"w{number}" for number in range(1, count + 1)]


__all__ = ["show_many"]
