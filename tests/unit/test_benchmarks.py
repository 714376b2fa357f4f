"""The benchmark commands: they run, check what they read, and write what they print.

That of Gradio needs real servers: tests/servers/gradio/test_benchmarks.py runs the whole of it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.common import WrongTextError
from benchmarks.gradio.contenders import FLOOR, MODES, OURS, RAW, Turn, contenders
from benchmarks.gradio.measure import Rounds, measure_growth, measure_turns
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
