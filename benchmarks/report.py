"""Medians, ratios and the table.

A ratio is the median of the rounds' own ratios, so that a busy machine slows both sides of it. The
table is Markdown, the same on the screen and in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import FLOOR, OPENAI, OURS, RAW
from benchmarks.measure import CELLS, MODES

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measure import ImportSample, Sample, Samples

RATIOS = [(OURS, FLOOR, 1.25), (OURS, OPENAI, 0.25), (OURS, RAW, None), (FLOOR, OPENAI, None)]
"""CPU of the first over CPU of the second, and what is aimed at, at most."""
FIRST_SHOWN_SHAPE = "paced"
IMPORT_AIM_MS = 60.0
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
_PACKAGES = ("langchain-core", "langchain-openai", "httpx", "openai", "pydantic")


def summary(
    samples: Samples, imports: dict[str, list[ImportSample]], rounds: int, count: int
) -> dict[str, Any]:
    """Everything that is written as JSON."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in _PACKAGES},
        "rounds": rounds,
        "chunks": count,
        "streams": {f"{mode} {shape}": _cell(samples[mode, shape]) for mode, shape in CELLS},
        "imports": _imports(imports),
    }


def _cell(by_name: dict[str, list[Sample]]) -> dict[str, Any]:
    return {
        "medians": {
            name: {
                "cpu_us": _median([s.cpu_us for s in found]),
                "wall_us": _median([s.wall_us for s in found]),
                "first_ms": _median([s.first_ms for s in found]),
                "requests": max(s.requests for s in found),
            }
            for name, found in by_name.items()
        },
        "cpu_ratios": {
            _ratio_name(over, under): _ratio(by_name[over], by_name[under])
            for over, under, _ in RATIOS
        },
    }


def _ratio_name(over: str, under: str) -> str:
    return f"{over} / {under}"


def _ratio(over: list[Sample], under: list[Sample]) -> dict[str, float]:
    ratios = sorted(a.cpu_us / b.cpu_us for a, b in zip(over, under, strict=True))
    named = {"median": median(ratios), "lowest": ratios[0], "highest": ratios[-1]}
    return {name: round(value, 3) for name, value in named.items()}


def _imports(imports: dict[str, list[ImportSample]]) -> dict[str, Any]:
    floor, ours, _ = imports.values()
    pairs = list(zip(floor, ours, strict=True))
    return {
        "medians": {
            name: {
                "cpu_ms": _median([s.cpu_ms for s in found]),
                "wall_ms": _median([s.wall_ms for s in found]),
            }
            for name, found in imports.items()
        },
        "more_cpu_ms": _median([b.cpu_ms - a.cpu_ms for a, b in pairs]),
        "more_wall_ms": _median([b.wall_ms - a.wall_ms for a, b in pairs]),
    }


def _median(values: list[float]) -> float:
    return round(median(values), 2)


def table(found: dict[str, Any]) -> str:
    """The tables, with what was aimed at."""
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    where = f"{found['rounds']} rounds of {found['chunks']} chunks; Python {found['python']}, "
    note = f"{where}{found['machine']}; {versions}."
    streams = found["streams"]
    tables = _stream_rows(streams), _first_rows(streams), _import_rows(found["imports"])
    return "\n\n".join([*map(_markdown, tables), note])


def _stream_rows(streams: dict[str, Any]) -> list[list[str]]:
    rows = [["CPU (wall), µs a chunk", *streams]]
    for name in (RAW, FLOOR, OURS, OPENAI):
        times = [cell["medians"][name] for cell in streams.values()]
        rows.append([name, *(f"{t['cpu_us']:.1f} ({t['wall_us']:.1f})" for t in times)])
    for over, under, aim in RATIOS:
        name = _ratio_name(over, under)
        ratios = [cell["cpu_ratios"][name]["median"] for cell in streams.values()]
        title = f"{name} (aim: at most {aim})" if aim else name
        rows.append([title, *(f"{ratio:.2f}{_mark(ratio, aim)}" for ratio in ratios)])
    return rows


def _first_rows(streams: dict[str, Any]) -> list[list[str]]:
    rows = [["First token", *(f"{mode}, ms" for mode in MODES), "requests before it"]]
    for name in (RAW, OURS, OPENAI):
        found = [streams[f"{mode} {FIRST_SHOWN_SHAPE}"]["medians"][name] for mode in MODES]
        requests = max(each["requests"] for each in found)
        rows.append([name, *(f"{each['first_ms']:.2f}" for each in found), str(requests)])
    return rows


def _import_rows(imports: dict[str, Any]) -> list[list[str]]:
    rows = [["Import", "CPU, ms", "wall, ms"]]
    for name, times in imports["medians"].items():
        rows.append([name, f"{times['cpu_ms']:.0f}", f"{times['wall_ms']:.0f}"])
    more = imports["more_cpu_ms"], imports["more_wall_ms"]
    title = f"ChatHuggingChat - BaseChatModel (aim: at most {IMPORT_AIM_MS:.0f})"
    return [*rows, [title, *(f"{ms:.0f}{_mark(ms, IMPORT_AIM_MS)}" for ms in more)]]


def _mark(value: float, aim: float | None) -> str:
    if aim is None:
        return ""
    return " ✓" if value <= aim else " ✗"


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = (
        "| " + " | ".join(text.ljust(n) for text, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
    rule = "| " + " | ".join("-" * n for n in widths) + " |"
    return "\n".join([head, rule, *body])


def write_docs(path: Path, text: str) -> None:
    """Replace what stands between the two markers."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        msg = f"{path}: no markers {BEGIN} and {END}"
        raise ValueError(msg)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
