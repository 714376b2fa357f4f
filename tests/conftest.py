"""What holds for every test: marks are checked, and the caller's environment stays outside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.evidence.plugin"]
pytest.register_assert_rewrite("tests.contract.recordings.suite", "tests.contract.faults.harness")

# Credentials, tracing and proxies of the machine must not reach a test.
OUTSIDE_PREFIXES = (
    "FLOWGPT_",
    "G4F_",
    "HF_",
    "HUGGINGCHAT_",
    "LANGCHAIN_",
    "LANGSMITH_",
    "PHI4_",
    "ZEROGPU_",
)
OUTSIDE_NAMES = ("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture(scope="session")
def no_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for settings that has none, and where none can be kept."""
    home = tmp_path_factory.mktemp("home") / "no folder"
    home.write_bytes(b"")
    return home


@pytest.fixture(autouse=True)
def clean_environment(no_home: Path) -> Iterator[None]:
    """Run a test without the caller's credentials and proxies, and undo what it sets."""
    # Not by `monkeypatch`: an autouse fixture that asked for it would be one more function-scoped
    # fixture in every property test.
    with patch.dict(os.environ, XDG_CONFIG_HOME=str(no_home)):
        for name in list(os.environ):
            if name.upper() in OUTSIDE_NAMES or name.upper().startswith(OUTSIDE_PREFIXES):
                del os.environ[name]
        yield


@pytest.fixture(autouse=True)
def forget_servers() -> None:
    """Forget what was learnt of a server, for another may listen on its port now."""
    from langchain_g4f.chat_models import client as model_client

    model_client._cache.clear()
