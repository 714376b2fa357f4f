"""A sandbox for each test, a model on it, and the entry points to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.auth import store
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["invoke", "astream"])
def mode(request: pytest.FixtureRequest) -> str:
    """The entry point to call: one is sync and whole, the other async and streamed."""
    return str(request.param)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    yield tmp_path
    store._warn_once.cache_clear()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A chat-ui server that echoes."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def model(sandbox: Sandbox) -> ChatHuggingChat:
    """A model on the sandbox that has nothing set but where and whom to ask."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
