"""Helpers of all benchmarks: a clean environment, medians, Markdown, and writing to the docs."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class WrongTextError(Exception):
    """A client did not read what the server sent, so its times mean nothing."""


def calm_environment() -> None:
    """Remove proxies, tracing and accounts of this shell from the environment."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    for name in list(os.environ):
        if name.startswith(("LANGCHAIN_", "LANGSMITH_", "OPENAI_", "HF_", "GRADIO_")):
            del os.environ[name]


def tell(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def setting(packages: Sequence[str]) -> dict[str, Any]:
    """Python, machine and package versions of this run."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in packages},
    }


def note(found: dict[str, Any], how: str) -> str:
    """The line below a table: how it was measured, and `setting`."""
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return f"{how}; Python {found['python']}, {found['machine']}; {versions}."


def middle(values: Iterable[float]) -> float:
    """The median, rounded."""
    return round(median(values), 2)


def spread(values: Iterable[float]) -> dict[str, float]:
    """Median, lowest and highest value, rounded."""
    in_order = sorted(values)
    named = {"median": median(in_order), "lowest": in_order[0], "highest": in_order[-1]}
    return {name: round(value, 3) for name, value in named.items()}


def mark(value: float, aim: float | None) -> str:
    """A tick if ``value`` is at most ``aim``, else a cross; empty without an aim."""
    if aim is None:
        return ""
    return " ✓" if value <= aim else " ✗"


def markdown(rows: list[list[str]]) -> str:
    """A Markdown table; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = (
        "| " + " | ".join(text.ljust(n) for text, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
    rule = "| " + " | ".join("-" * n for n in widths) + " |"
    return "\n".join([head, rule, *body])


def write_docs(path: Path, name: str, text: str) -> None:
    """Replace the text between the two markers of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found_begin, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        msg = f"{path}: no markers {begin} and {end}"
        raise ValueError(msg)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
