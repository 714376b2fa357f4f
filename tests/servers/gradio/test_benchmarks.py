"""The benchmarks of Gradio, on servers of both lines, as small as they go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.servers


@pytest.mark.timeout(240)
def test_gradio_benchmarks_print_the_tables_and_write_them_as_json(tmp_path: Path) -> None:
    """Everybody, gradio_client too, reads the text that was sent, on both lines."""
    written = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gradio", "--least", "--json", str(written)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "ChatGradioSpace / gradio_client" in done.stdout
    columns = [f"Gradio {line} {mode}" for line in (5, 6) for mode in ("async", "sync")]
    assert list(json.loads(written.read_text(encoding="utf-8"))["first"]) == columns
