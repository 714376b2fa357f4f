"""Servers that several tests of the command talk to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.gradio_standin import GradioStandin


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A server for each provider with an address of its own, where the environment says it is."""
    with Sandbox() as chat_ui, GradioStandin("phi4") as phi4, FlowGptSandbox() as flowgpt:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", chat_ui.base_url)
        monkeypatch.setenv("PHI4_BASE_URL", phi4.base_url)
        monkeypatch.setenv("FLOWGPT_BASE_URL", flowgpt.base_url)
        yield {"huggingchat": chat_ui, "phi4": phi4, "flowgpt": flowgpt}
