"""Every recording of the folders in `coverage.toml` is replayed, or it is said why not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.evidence import plugin

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXCUSES: dict[str, dict[str, str]] = tomllib.loads(
    (HERE / "coverage.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("folder", EXCUSES)
def test_recording_is_either_replayed_or_excused(folder: str, pytestconfig: pytest.Config) -> None:
    """None is forgotten, none is both, and no excuse is for a recording that is not there."""
    if not plugin.collects(pytestconfig, HERE):
        pytest.skip("this run collects a part of the tests only")
    root = ROOT / "cassettes"
    paths = [path for path in (root / folder).rglob("*") if path.suffix in {".jsonl", ".yaml"}]
    recorded = {path.relative_to(root).with_suffix("").as_posix() for path in paths}
    excused = {f"{folder}/{name}" for name in EXCUSES[folder]}
    prefix = f"cassette:{folder}/"
    here = HERE.relative_to(ROOT).as_posix()
    replayed = {
        name.removeprefix("cassette:")
        for name, tests in pytestconfig.stash[plugin.SHOWN].items()
        if name.startswith(prefix) and any(test.startswith(here) for test in tests)
    }
    assert excused <= recorded
    assert replayed == recorded - excused


@pytest.mark.parametrize("folder", EXCUSES)
def test_excuse_is_one_line_that_says_something(folder: str) -> None:
    """It is read in a table."""
    for name, why in EXCUSES[folder].items():
        assert len(why) >= len("the client sends JSON"), name
        assert "\n" not in why, name
