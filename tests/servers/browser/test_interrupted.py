"""Ctrl-C while a browser waits for a user to sign in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_g4f.testing import Sandbox
from tests.servers.browser.visitor import MARK, PATIENCE_S, marked_processes

pytestmark = pytest.mark.browser

PROGRAM = """
import asyncio, sys, tempfile
from langchain_g4f.sign_in.browser import sign_in_with_browser

async def who(cookies):
    return None

base_url, executable, tempfile.tempdir = sys.argv[1:]
asyncio.run(sign_in_with_browser(
    login_url=f"{base_url}/login", server=base_url, who=who, headless=True, executable=executable,
))
"""


@pytest.fixture
def program(
    sandbox: Sandbox, chromium: str, temporary_folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """A program whose browser shows the login page, in a process group of its own."""
    arguments = (sandbox.base_url, chromium, str(temporary_folder))
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            sandbox.wait_until(
                lambda: any(request.path == "/authorize" for request in sandbox.requests),
                PATIENCE_S,
            )
            yield running
        finally:
            running.kill()


def test_interrupt_from_the_terminal_leaves_nothing(
    program: subprocess.Popen[str], temporary_folder: Path
) -> None:
    """The whole group gets the signal, the driver too; one clean traceback, and all is gone."""
    assert len(marked_processes(os.environ[MARK])) > 2
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=PATIENCE_S)
    assert program.returncode in {1, -signal.SIGINT}
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "never retrieved" not in said
    assert list(temporary_folder.glob("langchain-g4f-*")) == []


def test_killed_program_takes_its_browser_along(program: subprocess.Popen[str]) -> None:
    """No handler of ours runs then: the driver notices that it is alone."""
    assert len(marked_processes(os.environ[MARK])) > 2
    program.kill()
    program.communicate(timeout=PATIENCE_S)
    assert program.returncode == -signal.SIGKILL
