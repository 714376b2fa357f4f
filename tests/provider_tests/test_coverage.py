"""Every recording of the folders in `coverage.toml` is replayed, or it is said why not."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXCUSES: dict[str, dict[str, str]] = tomllib.loads(
    (HERE / "coverage.toml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The recordings that a test of this folder is marked with; nothing is run."""
    out = tmp_path_factory.mktemp("evidence") / "evidence.md"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, "--evidence-out", str(out), str(HERE)],
        capture_output=True,
        check=False,  # what is shown elsewhere is missing here
        cwd=ROOT,
    )
    rows = [line.split(" | ") for line in out.read_text(encoding="utf-8").splitlines()]
    return {
        row[0].removeprefix("| `cassette:").rstrip("`")
        for row in rows
        if row[0].startswith("| `cassette:") and "::" in row[-1]
    }


@pytest.mark.parametrize("folder", EXCUSES)
def test_recording_is_either_replayed_or_excused(folder: str, marked: set[str]) -> None:
    """None is forgotten, none is both, and no excuse is for a recording that is not there."""
    root = ROOT / "cassettes"
    paths = [path for path in (root / folder).rglob("*") if path.suffix in {".jsonl", ".yaml"}]
    recorded = {path.relative_to(root).with_suffix("").as_posix() for path in paths}
    excused = {f"{folder}/{name}" for name in EXCUSES[folder]}
    replayed = {name for name in marked if name.startswith(f"{folder}/")}
    assert excused <= recorded
    assert replayed == recorded - excused


@pytest.mark.parametrize("folder", EXCUSES)
def test_excuse_is_one_line_that_says_something(folder: str) -> None:
    """It is read in a table."""
    for name, why in EXCUSES[folder].items():
        assert len(why) >= len("the client sends JSON"), name
        assert "\n" not in why, name
