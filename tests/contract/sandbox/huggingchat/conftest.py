"""A sandbox of each generation for a test, and a model on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import MODEL, Generation


@pytest.fixture(params=["current", "legacy"])
def generation(request: pytest.FixtureRequest) -> Generation:
    """The generation of the server."""
    found: Generation = request.param
    return found


@pytest.fixture
def sandbox(generation: Generation) -> Iterator[Sandbox]:
    """A chat-ui server that echoes."""
    with Sandbox(generation=generation) as sandbox:
        yield sandbox


@pytest.fixture
def model(sandbox: Sandbox) -> ChatHuggingChat:
    """A model on the sandbox that has nothing set but where and whom to ask."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
