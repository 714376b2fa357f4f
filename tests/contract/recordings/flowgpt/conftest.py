"""The time of the recordings, which is part of what is signed."""

from __future__ import annotations

import pytest

from tests.contract.recordings.flowgpt.recordings import freeze


@pytest.fixture(autouse=True)
def time_of_the_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request be made at the second at which it was recorded."""
    freeze(monkeypatch)
