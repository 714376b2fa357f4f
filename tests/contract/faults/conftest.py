"""Every fault test starts with fresh clients, and ends with nothing left behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from langchain_g4f.providers.gradio_space import space
from langchain_g4f.transport import client, retry
from tests.contract.faults.certificates import Authority
from tests.contract.faults.harness import assert_nothing_open


@pytest.fixture(scope="package", autouse=True)
def cheap_collections() -> Iterator[None]:
    """Look at what a test made, and not again at all that stands already."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Give each test its own clients; what it forgot to close is an error of that test."""
    yield
    assert_nothing_open()
    while client._sync:
        client._sync.popitem()[1].http.close()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the waits between attempts down."""
    monkeypatch.setattr(retry, "_FIRST_S", 0.01)
    monkeypatch.setattr(space, "_FIRST_S", 0.02)


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts yet."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """The same authority, trusted by what the test does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    client._ssl_context.cache_clear()
    yield authority
    client._ssl_context.cache_clear()
