"""A FlowGPT server for a test, and a model on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.testing import FlowGptSandbox


@pytest.fixture
def sandbox() -> Iterator[FlowGptSandbox]:
    """A server that echoes."""
    with FlowGptSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def model(sandbox: FlowGptSandbox) -> ChatFlowGpt:
    """A model on the sandbox that has nothing set but where to ask."""
    return ChatFlowGpt(base_url=sandbox.base_url)
