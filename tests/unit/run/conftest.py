"""Both drivers, and short waits between attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from langchain_g4f.transport import retry
from tests.unit.run.service import MODES, FakeService, Reply


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """The name of the driver."""
    return str(request.param)


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the waits between attempts down."""
    monkeypatch.setattr(retry, "_FIRST_S", 0.001)


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeService]]:
    """Make services; none may have an open answer in the end."""
    made: list[FakeService] = []

    def make(**table: Reply | list[Reply]) -> FakeService:
        made.append(FakeService(**table))
        return made[-1]

    yield make
    assert [service.open_bodies for service in made] == [0] * len(made)
