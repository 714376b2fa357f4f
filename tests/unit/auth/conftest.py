"""A folder for settings for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_g4f.auth import store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()
