"""A folder for settings, and a server that wants a login, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_g4f.auth import store
from langchain_g4f.testing import Sandbox


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    yield tmp_path / "settings"
    store._warn_once.cache_clear()


@pytest.fixture
def closed() -> Iterator[Sandbox]:
    """A server that turns anonymous callers away."""
    with Sandbox(login_required=True) as sandbox:
        yield sandbox
