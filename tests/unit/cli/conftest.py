"""Servers that the tests of the command talk to, and a folder for its settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.auth import store
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.gradio_standin import GradioStandin


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    yield tmp_path / "settings"
    store._warn_once.cache_clear()


@pytest.fixture
def server(g4f_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox as the server of the environment, and a session there."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", g4f_sandbox.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=6d1f0c2e-0000-4000-8000-c0ffee000001")
    return g4f_sandbox


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The server of the environment, which requires a login."""
    with Sandbox(login_required=True) as sandbox:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
        yield sandbox


@pytest.fixture
def phi4(monkeypatch: pytest.MonkeyPatch) -> Iterator[GradioStandin]:
    """A server with an app built like the Phi-4 Space, as the environment names it."""
    with GradioStandin("phi4") as server:
        monkeypatch.setenv("PHI4_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def flowgpt(monkeypatch: pytest.MonkeyPatch) -> Iterator[FlowGptSandbox]:
    """A FlowGPT server, as the environment names it."""
    with FlowGptSandbox() as server:
        monkeypatch.setenv("FLOWGPT_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def services(
    g4f_sandbox: Sandbox,
    phi4: GradioStandin,
    flowgpt: FlowGptSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """A server for each provider with an address of its own, where the environment says it is."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", g4f_sandbox.base_url)
    return {"huggingchat": g4f_sandbox, "phi4": phi4, "flowgpt": flowgpt}
