"""The command and later programs, each in a process of its own, as a user starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.testing import Sandbox

COMMAND = str(Path(sys.executable).with_name("langchain-g4f"))
MODEL = "sandbox/text-small"

CHAT = """
import asyncio
from langchain_g4f import ChatHuggingChat

model = ChatHuggingChat()
print(model.whoami())
print(model.invoke("hello").text)
print(asyncio.run(model.ainvoke("hello again")).text)
"""


def echo(text: str, turn: int = 1) -> str:
    """What the sandbox answers."""
    return f"Echo ({MODEL}, turn {turn}): {text}"


class Shell:
    """Runs programs, and keeps all they print.

    Args:
        sandbox: The server that the command is told of.
        chromium: The browser it starts.
    """

    def __init__(self, sandbox: Sandbox, chromium: str) -> None:
        self.sandbox = sandbox
        self.chromium = chromium
        self.said: list[str] = []

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return self._done([COMMAND, *map(str, arguments)])

    def at_server(self, command: str, *more: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of accounts for the server."""
        return self.run(command, "huggingchat", "--base-url", self.sandbox.base_url, *more)

    def log_in(self, profile: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `login` with a browser that shows no window."""
        return self.at_server("login", *self.without_window(profile), *more)

    def without_window(self, profile: Path) -> list[str | Path]:
        """Options of `login` for a browser that shows no window."""
        return ["--headless", "--browser-profile", profile, "--browser", self.chromium]

    def start_login(self, profile: Path) -> subprocess.Popen[str]:
        """Start `login` in a process group of its own, as a terminal does."""
        where = ["--base-url", self.sandbox.base_url, *map(str, self.without_window(profile))]
        return subprocess.Popen(
            [COMMAND, "login", "huggingchat", *where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def chat(self) -> list[str]:
        """Who a new program is, and what it is answered: by one blocking call and one awaited."""
        done = self._done([sys.executable, "-c", CHAT])
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def file(self, profile: str = "default") -> Path:
        """Where a login at the server is kept."""
        return CredentialFile.of("huggingchat", self.sandbox.base_url, profile).path

    def assert_told_nothing(self) -> None:
        """No cookie that ever came to the server was printed."""
        values = {value for request in self.sandbox.requests for value in request.cookies.values()}
        assert values
        assert [text for text in self.said for value in values if value in text] == []

    def _done(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, input="", capture_output=True, text=True, check=False, timeout=50
        )
        self.said += [done.stdout, done.stderr]
        return done
