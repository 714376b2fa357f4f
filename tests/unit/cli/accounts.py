"""Servers that want a login, and what the commands are given for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_g4f.auth import store
from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.cli.app import app
from langchain_g4f.testing import Sandbox

CANARY = "canary-f3a91c77d2"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for settings of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    yield tmp_path / "settings"
    store._warn_once.cache_clear()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The server of the environment, which turns anonymous callers away."""
    with Sandbox(login_required=True) as sandbox:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
        yield sandbox


def run(*arguments: str | Path, typed: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(app, list(map(str, arguments)), input=typed)


def file_of(server: str, profile: str = "default") -> CredentialFile:
    """Where a login is kept."""
    return CredentialFile.of("huggingchat", server, profile)


def netscape(cookies: dict[str, str]) -> str:
    """As add-ons export cookies."""
    lines = ("\t".join(("127.0.0.1", "FALSE", "/", "FALSE", "0", *p)) for p in cookies.items())
    return "\n".join(("# Netscape HTTP Cookie File", *lines, ""))


def header(cookies: dict[str, str]) -> str:
    """As the developer tools of a browser show cookies."""
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()) + "\n"
