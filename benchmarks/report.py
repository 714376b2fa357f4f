"""Medians, ratios and the table.

A ratio is the median of the ratios of the rounds, so that a busy machine slows both sides. The
table is Markdown, both on the screen and in docs/benchmarks.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.common import mark, markdown, middle, note, setting, spread
from benchmarks.contenders import FLOOR, OPENAI, OURS, PLAIN, RAW, TOOLS
from benchmarks.measure import CELLS, MODES

if TYPE_CHECKING:
    from benchmarks.measure import ImportSample, Sample, Samples

RATIOS = [(OURS, FLOOR, 1.25), (OURS, OPENAI, 0.25), (OURS, RAW, None), (FLOOR, OPENAI, None)]
"""CPU of the first divided by CPU of the second, and the highest ratio to aim for."""
FIRST_SHOWN_SHAPE = "paced"
IMPORT_AIM_MS = 60.0
TOOLS_AIM = 1.05
"""Time to the first token with tools divided by that without; differences of 5 % are noise."""
_PACKAGES = ("langchain-core", "langchain-openai", "httpx", "openai", "pydantic")


def summary(
    samples: Samples,
    tools: dict[str, dict[str, list[Sample]]],
    imports: dict[str, list[ImportSample]],
    rounds: int,
    count: int,
) -> dict[str, Any]:
    """All figures, as they are written to the JSON file."""
    return {
        **setting(_PACKAGES),
        "rounds": rounds,
        "chunks": count,
        "streams": {f"{mode} {shape}": _cell(samples[mode, shape]) for mode, shape in CELLS},
        "tools": {mode: _first_tokens(pair) for mode, pair in tools.items()},
        "imports": _imports(imports),
    }


def _first_tokens(pair: dict[str, list[Sample]]) -> dict[str, Any]:
    plain, bound = pair[PLAIN], pair[TOOLS]
    return {
        "rounds": len(plain),
        "medians": {name: middle([s.first_ms for s in found]) for name, found in pair.items()},
        "ratio": spread(a.first_ms / b.first_ms for a, b in zip(bound, plain, strict=True)),
    }


def _cell(by_name: dict[str, list[Sample]]) -> dict[str, Any]:
    return {
        "medians": {
            name: {
                "cpu_us": middle([s.cpu_us for s in found]),
                "wall_us": middle([s.wall_us for s in found]),
                "first_ms": middle([s.first_ms for s in found]),
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
    return spread(a.cpu_us / b.cpu_us for a, b in zip(over, under, strict=True))


def _imports(imports: dict[str, list[ImportSample]]) -> dict[str, Any]:
    floor, ours, _ = imports.values()
    pairs = list(zip(floor, ours, strict=True))
    return {
        "medians": {
            name: {
                "cpu_ms": middle([s.cpu_ms for s in found]),
                "wall_ms": middle([s.wall_ms for s in found]),
            }
            for name, found in imports.items()
        },
        "more_cpu_ms": middle([b.cpu_ms - a.cpu_ms for a, b in pairs]),
        "more_wall_ms": middle([b.wall_ms - a.wall_ms for a, b in pairs]),
    }


def table(found: dict[str, Any]) -> str:
    """The tables, with the aims."""
    streams = found["streams"]
    tables = (
        _stream_rows(streams),
        _first_rows(streams),
        _tool_rows(found["tools"]),
        _import_rows(found["imports"]),
    )
    how = f"{found['rounds']} rounds of {found['chunks']} chunks"
    return "\n\n".join([*map(markdown, tables), note(found, how)])


def _stream_rows(streams: dict[str, Any]) -> list[list[str]]:
    rows = [["CPU (wall), µs a chunk", *streams]]
    for name in (RAW, FLOOR, OURS, OPENAI):
        times = [cell["medians"][name] for cell in streams.values()]
        rows.append([name, *(f"{t['cpu_us']:.1f} ({t['wall_us']:.1f})" for t in times)])
    for over, under, aim in RATIOS:
        name = _ratio_name(over, under)
        ratios = [cell["cpu_ratios"][name]["median"] for cell in streams.values()]
        title = f"{name} (aim: at most {aim})" if aim else name
        rows.append([title, *(f"{ratio:.2f}{mark(ratio, aim)}" for ratio in ratios)])
    return rows


def _first_rows(streams: dict[str, Any]) -> list[list[str]]:
    rows = [["First token", *(f"{mode}, ms" for mode in MODES), "requests before it"]]
    for name in (RAW, OURS, OPENAI):
        found = [streams[f"{mode} {FIRST_SHOWN_SHAPE}"]["medians"][name] for mode in MODES]
        requests = max(each["requests"] for each in found)
        rows.append([name, *(f"{each['first_ms']:.2f}" for each in found), str(requests)])
    return rows


def _tool_rows(tools: dict[str, Any]) -> list[list[str]]:
    ratios = [tools[mode]["ratio"]["median"] for mode in MODES]
    title = f"with / without, of {tools[MODES[0]]['rounds']} pairs (aim: at most {TOOLS_AIM})"
    return [
        ["First token, ChatHuggingChat", *(f"{mode}, ms" for mode in MODES)],
        *(
            [name, *(f"{tools[mode]['medians'][name]:.2f}" for mode in MODES)]
            for name in (PLAIN, TOOLS)
        ),
        [title, *(f"{ratio:.2f}{mark(ratio, TOOLS_AIM)}" for ratio in ratios)],
    ]


def _import_rows(imports: dict[str, Any]) -> list[list[str]]:
    rows = [["Import", "CPU, ms", "wall, ms"]]
    for name, times in imports["medians"].items():
        rows.append([name, f"{times['cpu_ms']:.0f}", f"{times['wall_ms']:.0f}"])
    more = imports["more_cpu_ms"], imports["more_wall_ms"]
    title = f"ChatHuggingChat - BaseChatModel (aim: at most {IMPORT_AIM_MS:.0f})"
    return [*rows, [title, *(f"{ms:.0f}{mark(ms, IMPORT_AIM_MS)}" for ms in more)]]
