"""The day of the recordings, for what a server sets expires."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import cookiejar
from types import SimpleNamespace

import pytest

RECORDED = datetime(2026, 11, 20, 7, 45, tzinfo=UTC)


@pytest.fixture(autouse=True)
def day_of_the_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cookies be as fresh as they were: they were set for one hour, or for two weeks."""
    clock = SimpleNamespace(time=RECORDED.timestamp, gmtime=time.gmtime)
    monkeypatch.setattr(cookiejar, "time", clock)
