"""The benchmark of ChatG4F: ``python -m benchmarks.g4f``. Needs neither g4f nor a network.

In each round every chat model has one turn, and every other round runs in reverse order. A ratio is
the median of the ratios of the rounds. Fails only if a chat model gives a different text than its
provider.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median

from benchmarks.common import (
    WrongTextError,
    calm_environment,
    mark,
    markdown,
    note,
    setting,
    tell,
    write_docs,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
AIM = 1.25
"""Highest ratio of CPU to aim for: ChatG4F to the floor, async, with an async provider."""
_PACKAGES = ("langchain-core", "pydantic")


def measure(rounds: int, count: int) -> dict[tuple[str, str], list[float]]:
    """CPU of each turn in seconds, by name and mode; a first turn of each does not count.

    Raises:
        WrongTextError: A chat model gave a different text than its provider.
    """
    from benchmarks.g4f.contenders import Words, contenders

    whole = Words(count).whole
    with asyncio.Runner() as runner:
        everybody = contenders(count, runner)
        samples: dict[tuple[str, str], list[float]] = {key: [] for key in everybody}
        for number in range(rounds + 1):
            for key in list(everybody)[:: -1 if number % 2 else 1]:
                text, cpu = everybody[key]()
                if text != whole:
                    raise WrongTextError(" ".join(key))
                if number:
                    samples[key].append(cpu)
    return samples


def table(samples: dict[tuple[str, str], list[float]], count: int) -> str:
    """The table as Markdown, with a note."""
    from benchmarks.g4f.contenders import FLOOR, MODES, NATIVE, THREAD

    rows = [["CPU, µs a chunk", *MODES]]
    for name in (FLOOR, NATIVE, THREAD):
        middles = [1e6 * median(samples[name, mode]) / count for mode in MODES]
        rows.append([name, *(f"{middle:.1f}" for middle in middles)])
    for name in (NATIVE, THREAD):
        cells = []
        for mode in MODES:
            ratio = _ratio(samples[name, mode], samples[FLOOR, mode])
            aim = AIM if (name, mode) == (NATIVE, "async") else None
            cells.append(f"{ratio:.2f}{mark(round(ratio, 2), aim)}")
        wish = f" (aim, async: at most {AIM})" if name == NATIVE else ""
        rows.append([f"{name} / {FLOOR}{wish}", *cells])
    rounds = len(samples[FLOOR, "async"])
    return markdown(rows) + "\n\n" + note(setting(_PACKAGES), f"{rounds} rounds of {count} chunks")


def _ratio(ours: list[float], floor: list[float]) -> float:
    return median(a / b for a, b in zip(ours, floor, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.g4f", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="paired rounds (default: 40)")
    parser.add_argument("--chunks", type=int, default=2000, help="chunks per turn (default: 2000)")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"put the table into docs/{DOCS.name}"
    )
    given = parser.parse_args()
    calm_environment()
    try:
        text = table(measure(given.rounds, given.chunks), given.chunks)
    except WrongTextError as error:
        tell(f"wrong text: {error}")
        return 1
    print(text)
    if given.write_docs:
        write_docs(DOCS, "g4f", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
