"""Every fault test starts with fresh clients, and ends with nothing left behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from langchain_g4f.chat_models.base import BaseChatG4F
from langchain_g4f.core.limits import Limits
from langchain_g4f.media import download
from langchain_g4f.providers.gradio_space import client as queue
from langchain_g4f.providers.gradio_space import space
from langchain_g4f.transport import client, retry
from tests.contract.faults.certificates import Authority
from tests.contract.faults.downloads import Resolver
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
    monkeypatch.setattr(queue, "_FIRST_S", 0.02)


@pytest.fixture
def eighth_of_the_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models read lines and answers of an eighth of the usual sizes: 1 MiB and 8 MiB."""
    real = BaseChatG4F._limits

    def limits(self: BaseChatG4F) -> Limits:
        found = real(self)
        sizes = replace(found.sizes, line=found.sizes.line // 8, response=found.sizes.response // 8)
        return replace(found, sizes=sizes)

    monkeypatch.setattr(BaseChatG4F, "_limits", limits)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The names of this test."""
    return Resolver(monkeypatch)


@pytest.fixture
def only_here_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 127.0.0.1 were on the internet, and nothing else."""
    monkeypatch.setattr(download, "is_public", lambda address: address == "127.0.0.1")


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no test trusts yet."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """The same authority, trusted by what the test does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    client._ssl_context.cache_clear()
    yield authority
    client._ssl_context.cache_clear()
