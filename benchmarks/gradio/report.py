"""Medians, ratios and the tables of the Gradio benchmark.

A ratio is the median of the ratios of the rounds, so that a busy machine slows both sides; likewise
a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.common import mark, markdown, middle, note, setting, spread
from benchmarks.gradio.contenders import CLIENT, FLOOR, MODES, OURS, RAW
from benchmarks.gradio.measure import PACE_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.gradio.contenders import Key
    from benchmarks.gradio.decoder import DecoderSamples
    from benchmarks.gradio.measure import Line, Rounds, Samples

FIRST_AIM_MS, FIRST_AIM_SHARE = 5.0, 0.15
"""The first chunk may come this much later than with httpx; the larger of the two counts."""
GROWTH_AIM = 11.0
RATIOS = [(OURS, CLIENT, 0.5), (OURS, FLOOR, None), (OURS, RAW, None), (FLOOR, CLIENT, None)]
"""CPU of the first divided by CPU of the second, and the highest ratio to aim for."""
_EVERYBODY = (RAW, FLOOR, OURS, CLIENT)
_PACKAGES = ("langchain-core", "httpx", "pydantic")


def summary(
    lines: Mapping[str, Line], decoder: Mapping[str, DecoderSamples], rounds: Rounds
) -> dict[str, Any]:
    """All figures, as they are written to the JSON file."""
    columns = {
        f"Gradio {line.server.partition('.')[0]} {mode}": (line, mode)
        for line in lines.values()
        for mode in MODES
    }
    here = setting(_PACKAGES)
    here["versions"] |= {
        "gradio": " and ".join(line.server for line in lines.values()),
        CLIENT: next(iter(lines.values())).client,
    }
    return {
        **here,
        "rounds": vars(rounds),
        "loads": [round(load, 2) for line in lines.values() for load in line.loads],
        "first": {key: _first(line.first, mode) for key, (line, mode) in columns.items()},
        "flowing": {key: _cpu(line.flowing, mode) for key, (line, mode) in columns.items()},
        "paced": {key: _cpu(line.paced, mode) for key, (line, mode) in columns.items()},
        "growth": {
            key: {name: spread(line.growth[name, mode]) for name in (RAW, OURS)}
            for key, (line, mode) in columns.items()
        },
        "decoder": {
            name: {
                "json_us": middle(found.json_us),
                "ours_us": middle(found.ours_us),
                "growth": spread(found.growth),
            }
            for name, found in decoder.items()
        },
    }


def _key(name: str, mode: str) -> Key:
    return name, "sync" if name == CLIENT else mode


def _first(samples: Samples, mode: str) -> dict[str, Any]:
    times = {
        name: [turn.first_ms for turn in samples[_key(name, mode)]] for name in (RAW, OURS, CLIENT)
    }
    raw, ours, client = times.values()
    return {
        "medians": {name: middle(found) for name, found in times.items()},
        "later_ms": spread(a - b for a, b in zip(ours, raw, strict=True)),
        "aim_ms": max(FIRST_AIM_MS, FIRST_AIM_SHARE * middle(raw)),
        "of_client": spread(a / b for a, b in zip(ours, client, strict=True)),
    }


def _cpu(samples: Samples, mode: str) -> dict[str, Any]:
    found = {name: samples[_key(name, mode)] for name in _EVERYBODY}
    return {
        "medians": {
            name: {
                "cpu_ms": middle(turn.cpu_ms for turn in turns),
                "wall_ms": middle(turn.wall_ms for turn in turns),
            }
            for name, turns in found.items()
        },
        "cpu_ratios": {
            f"{over} / {under}": spread(
                a.cpu_ms / b.cpu_ms for a, b in zip(found[over], found[under], strict=True)
            )
            for over, under, _ in RATIOS
        },
    }


def tables(found: dict[str, Any]) -> str:
    """The tables, with the aims."""
    rounds, short, long = (found["rounds"][name] for name in ("answer", "short", "long"))
    rows = [
        _first_rows(found["first"], found["rounds"]["first"]),
        _cpu_rows(f"CPU (wall) of {short} chunks at once, ms", found["flowing"]),
        _cpu_rows(f"CPU (wall) of {short} chunks, {PACE_MS} ms apart, ms", found["paced"]),
        _growth_rows(f"CPU of {long} chunks / CPU of {short}", found["growth"]),
        _decoder_rows(found["decoder"], long, short),
    ]
    load = f"load average {min(found['loads']):.1f} to {max(found['loads']):.1f}"
    how = (
        f"{found['rounds']['first']} rounds for the first chunk, {rounds} at once,"
        f" {found['rounds']['paced']} apart, {found['rounds']['growth']} of {long} chunks; {load}"
    )
    return "\n\n".join([*map(markdown, rows), note(found, how)])


def _first_rows(cells: dict[str, Any], rounds: int) -> list[list[str]]:
    rows = [[f"First chunk, ms (median of {rounds})", *cells]]
    rows += [
        [name, *(f"{cell['medians'][name]:.1f}" for cell in cells.values())]
        for name in (RAW, OURS, CLIENT)
    ]
    title = f"{OURS} - {RAW} (aim: at most {FIRST_AIM_MS:g}, or {FIRST_AIM_SHARE:.0%})"
    later = [(cell["later_ms"]["median"], cell["aim_ms"]) for cell in cells.values()]
    rows.append([title, *(f"{ms:+.1f}{mark(ms, aim)}" for ms, aim in later)])
    ratios = (cell["of_client"]["median"] for cell in cells.values())
    return [*rows, [f"{OURS} / {CLIENT}", *(f"{ratio:.2f}" for ratio in ratios)]]


def _cpu_rows(title: str, cells: dict[str, Any]) -> list[list[str]]:
    rows = [[title, *cells]]
    for name in _EVERYBODY:
        times = [cell["medians"][name] for cell in cells.values()]
        rows.append([name, *(f"{t['cpu_ms']:.0f} ({t['wall_ms']:.0f})" for t in times)])
    for over, under, aim in RATIOS:
        name = f"{over} / {under}"
        ratios = [cell["cpu_ratios"][name]["median"] for cell in cells.values()]
        shown = f"{name} (aim: at most {aim})" if aim else name
        rows.append([shown, *(f"{ratio:.2f}{mark(ratio, aim)}" for ratio in ratios)])
    return rows


def _growth_rows(title: str, cells: dict[str, Any]) -> list[list[str]]:
    rows = [[title, *cells]]
    for name, aim in ((RAW, None), (OURS, GROWTH_AIM)):
        ratios = [cell[name]["median"] for cell in cells.values()]
        shown = f"{name} (aim: at most {aim:g})" if aim else name
        rows.append([shown, *(f"{ratio:.1f}{mark(ratio, aim)}" for ratio in ratios)])
    return rows


def _decoder_rows(shapes: dict[str, Any], long: int, short: int) -> list[list[str]]:
    growth = f"{long} / {short} chunks (aim: at most {GROWTH_AIM:g})"
    rows = [["Decoder alone, CPU, µs an event", "`json.loads`", "the decoder", growth]]
    for name, found in shapes.items():
        grown = found["growth"]["median"]
        figures = f"{found['json_us']:.1f}", f"{found['ours_us']:.1f}"
        rows.append([name, *figures, f"{grown:.1f}{mark(grown, GROWTH_AIM)}"])
    return rows
