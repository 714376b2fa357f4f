"""Every test of the transport starts with fresh clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f.transport import client


@pytest.fixture(autouse=True)
def fresh_clients() -> Iterator[None]:
    """Give each test clients of its own; those of earlier tests are closed, with their threads."""
    _close_all()
    yield
    _close_all()


def _close_all() -> None:
    while client._sync:
        client._sync.popitem()[1].http.close()
