"""A real Chromium, servers to sign in to, and profiles that are signed in.

A missing browser is an error, not a skip: a run that showed nothing must not look like one that
showed everything.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.testing import Sandbox
from tests.servers.browser.command import Shell
from tests.servers.browser.visitor import (
    MARK,
    PATIENCE_S,
    marked_processes,
    reachable,
    sign_in_by_form,
)


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """A command that a shell runs in the background ignores them, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium."""
    found = shutil.which("chromium")
    if found is None:
        raise FileNotFoundError("there is no chromium: run `make test-browser`")
    return found


@pytest.fixture
def reachable_chromium(chromium: str, tmp_path: Path) -> str:
    """Return a Chromium whose window a test can use while the package runs it."""
    return reachable(chromium, tmp_path)


@pytest.fixture(autouse=True)
def browsers_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a process behind."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    yield
    deadline_s = time.monotonic() + PATIENCE_S
    while (left := marked_processes(mark)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert left == []


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary profiles are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def sandbox_options() -> dict[str, Any]:
    """What kind of server `sandbox` is; parametrised where it matters."""
    return {"require_site_token": True}


@pytest.fixture
def sandbox(sandbox_options: dict[str, Any]) -> Iterator[Sandbox]:
    """A server that wants a login, by default coupled to the site's own."""
    with Sandbox(login_required=True, login_form=True, **sandbox_options) as sandbox:
        yield sandbox


@pytest.fixture
def legacy_sandbox() -> Iterator[Sandbox]:
    """A server of the legacy generation that wants a login."""
    with Sandbox(generation="legacy", login_required=True, login_form=True) as sandbox:
        yield sandbox


@pytest.fixture
def signed_in_profile(
    sandbox: Sandbox, sandbox_options: dict[str, Any], chromium: str, tmp_path: Path
) -> Path:
    """Return a browser profile in which a user has signed in to `sandbox`."""
    profile = tmp_path / "profile"
    legacy = sandbox_options.get("generation") == "legacy"
    _run(sign_in_by_form(sandbox, chromium, profile, legacy=legacy))
    return profile


@pytest.fixture
def shell(
    sandbox: Sandbox, chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """Run programs whose server is `sandbox`, with a folder for settings of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
    shell = Shell(sandbox, chromium)
    yield shell
    shell.assert_told_nothing()


@pytest.fixture
def legacy_signed_in_profile(legacy_sandbox: Sandbox, chromium: str, tmp_path: Path) -> Path:
    """Return a browser profile in which a user has signed in to `legacy_sandbox`."""
    profile = tmp_path / "profile"
    _run(sign_in_by_form(legacy_sandbox, chromium, profile, legacy=True))
    return profile


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread: this one's event loop belongs to the test."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
