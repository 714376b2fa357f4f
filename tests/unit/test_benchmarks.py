"""The benchmark commands: they run, check what they read, and write what they print.

That of Gradio needs real servers: tests/servers/gradio/test_benchmarks.py runs the whole of it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.common import WrongTextError, write_docs
from benchmarks.gradio.contenders import CLIENT, FLOOR, MODES, OURS, RAW, Turn, contenders
from benchmarks.gradio.decoder import SHAPES, DecoderSamples, measure_decoder
from benchmarks.gradio.measure import Line, Rounds, measure_growth, measure_turns
from benchmarks.gradio.report import summary, tables
from tests.gradio_standin import GradioStandin

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
TURN = Turn("word0", first_ms=20.0, wall_ms=300.0, cpu_ms=40.0)


@pytest.mark.proves("promise:benchmark-table")
def test_benchmarks_print_the_table_and_write_it_as_json(tmp_path: Path) -> None:
    """Every contender reads the text that was sent; how long it took is no matter of a test."""
    written = tmp_path / "results.json"
    sizes = ["--rounds", "1", "--chunks", "20", "--imports", "1", "--pairs", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *sizes, "--json", str(written)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "ChatHuggingChat / LangChain floor" in done.stdout
    assert "with two tools bound" in done.stdout
    assert json.loads(written.read_text(encoding="utf-8"))


def test_gradio_contenders_read_what_the_app_says() -> None:
    """Raw httpx, the floor and ours, async and sync, each have a turn a round, and the text."""
    with (
        GradioStandin("phi4") as app,
        asyncio.Runner() as runner,
        contenders(app.base_url, runner) as everybody,
    ):
        samples = measure_turns(everybody, count=5, rounds=1)
        ours = {key: take for key, take in everybody.items() if key[0] == OURS}
        growth = measure_growth(ours, Rounds(growth=1, short=5, long=20))
        with pytest.raises(WrongTextError, match="ChatGradioSpace sync"):
            measure_turns({(OURS, "sync"): lambda _: TURN}, count=5, rounds=1)
    assert set(samples) == {(name, mode) for name in (RAW, FLOOR, OURS) for mode in MODES}
    assert all(len(turns) == 1 for turns in samples.values())
    assert all(0 < turn.first_ms <= turn.wall_ms for turns in samples.values() for turn in turns)
    assert growth.keys() == ours.keys()


def test_gradio_decoder_reads_every_canned_shape() -> None:
    """The canned answers of all shapes come out of the decoder word by word."""
    found = measure_decoder(1, short=5, long=20)
    assert found.keys() == SHAPES.keys()
    assert all(len(samples.growth) == 1 for samples in found.values())


def line(version: str, ours: Turn) -> Line:
    """A line on which everybody but ours took `TURN`."""
    names = [(name, mode) for name in (RAW, FLOOR, OURS) for mode in MODES]
    samples = {key: [ours if key[0] == OURS else TURN] for key in [*names, (CLIENT, "sync")]}
    growth = {key: [10.0] for key in names}
    return Line(version, "2.7.2", samples, samples, samples, growth, [0.5, 1.5])


def row(text: str, begin: str) -> list[str]:
    """The figures of the first row that begins so."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {begin}"))
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_gradio_table_says_which_aims_were_missed() -> None:
    """Later than httpx by 5 ms and 15 %, more than half of gradio_client, more than 11 times."""
    good = line("5.22.0", replace(TURN, first_ms=24.9, cpu_ms=20.0))
    bad = line("6.31.0", replace(TURN, first_ms=26.0, cpu_ms=21.0))
    bad.growth[OURS, "async"] = [11.5]
    decoder = {"chatbot": DecoderSamples([4.0], [16.0], [10.1])}
    found = summary({"gradio5": good, "gradio6": bad}, decoder, Rounds())
    text = tables(found)
    assert row(text, f"{OURS} - {RAW}") == ["+4.9 ✓", "+4.9 ✓", "+6.0 ✗", "+6.0 ✗"]
    assert row(text, f"{OURS} / {CLIENT} (aim") == ["0.50 ✓", "0.50 ✓", "0.53 ✗", "0.53 ✗"]
    assert row(text, f"{OURS} (aim: at most 11)") == ["10.0 ✓", "10.0 ✓", "11.5 ✗", "10.0 ✓"]
    assert "load average 0.5 to 1.5" in text
    assert json.loads(json.dumps(found)) == found


def test_gradio_first_chunk_may_be_later_by_a_share_of_a_slow_server() -> None:
    """Of 60 ms, 15 % are 9: eight are within, although they are more than 5."""
    slow = line("5.22.0", replace(TURN, first_ms=68.0))
    for mode in MODES:
        slow.first[RAW, mode] = [replace(TURN, first_ms=60.0)]
    decoder = {"chatbot": DecoderSamples([4.0], [16.0], [10.1])}
    text = tables(summary({"gradio5": slow}, decoder, Rounds()))
    assert row(text, f"{OURS} - {RAW}") == ["+8.0 ✓", "+8.0 ✓"]


def test_docs_are_written_between_their_own_markers(tmp_path: Path) -> None:
    """What stands around the markers, and between others, is kept; without markers nothing is."""
    page = tmp_path / "page.md"
    page.write_text("a <!-- x: begin -->old<!-- x: end --> b <!-- y: begin -->c<!-- y: end -->")
    write_docs(page, "x", "new")
    text = page.read_text(encoding="utf-8")
    assert text == (
        "a <!-- x: begin -->\n\nnew\n\n<!-- x: end --> b <!-- y: begin -->c<!-- y: end -->"
    )
    with pytest.raises(ValueError, match="no markers"):
        write_docs(page, "z", "new")
