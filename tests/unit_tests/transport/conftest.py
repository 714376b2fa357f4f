"""Every test of the transport starts with fresh clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f.transport import client


@pytest.fixture(autouse=True)
def fresh_clients() -> Iterator[None]:
    """Give each test clients of its own."""
    kept = dict(client._sync)
    client._sync.clear()
    yield
    while client._sync:
        client._sync.popitem()[1].http.close()
    client._sync.update(kept)
