"""The benchmark command: it runs, checks what it read, and writes what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.proves("promise:benchmark-table")
def test_benchmarks_print_the_table_and_write_it_as_json(tmp_path: Path) -> None:
    """Every contender reads the text that was sent; how long it took is no matter of a test."""
    written = tmp_path / "results.json"
    sizes = ["--rounds", "1", "--chunks", "20", "--imports", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *sizes, "--json", str(written)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "ChatHuggingChat / LangChain floor" in done.stdout
    assert json.loads(written.read_text(encoding="utf-8"))
