"""Ways to run the command: in this process, as if at a terminal, and at a real terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Self

from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner, Result

from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.chat_models import client
from langchain_g4f.cli.app import app
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.gradio_standin import GradioStandin

CANARY = "canary-f3a91c77d2"
CLOSED = "http://127.0.0.1:1"
"""An address where no server listens."""
CTRL_C = "\x03"

_DEADLINE_S = 20.0
_MOMENT_S = 0.2
_KILLED_AFTER_S = 5.0
_IN_ITS_TERMINAL = """\
import fcntl, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from langchain_g4f.cli import main
main()
"""

Server = FlowGptSandbox | GradioStandin | Sandbox


def run(*arguments: str | Path, typed: str | None = None) -> Result:
    """Run the command in this process, without what an earlier command has learnt of a server."""
    client._cache.clear()
    return CliRunner().invoke(app, list(map(str, arguments)), input=typed)


def refused(*arguments: str | Path, typed: str | None = None) -> str:
    """Run a command that fails with one line on standard error, and return the line."""
    done = run(*arguments, typed=typed)
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert done.stderr.startswith("langchain-g4f: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


class FakeTerminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(*arguments: str | Path) -> str:
    """Everything that the command writes if both outputs are a terminal."""
    terminal = FakeTerminal()
    with redirect_stdout(terminal), redirect_stderr(terminal), suppress(SystemExit):
        app(list(map(str, arguments)))
    return terminal.getvalue()


def examine(*options: str) -> tuple[dict[str, Any], int]:
    """The JSON of `doctor` for each provider, and the exit code."""
    done = run("doctor", *options, "--json")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return {each["provider"]: each for each in json.loads(done.stdout)}, done.exit_code


def answer_at(server: Server, path: str, response: ASGIApp) -> None:
    """Let `server` give this answer to requests whose path ends with `path`."""
    before: ASGIApp = server._recorder._app

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        handler = response if scope["path"].endswith(path) else before
        await handler(scope, receive, send)

    server._recorder._app = answer


def asked(server: GradioStandin) -> list[str]:
    """The messages that were written into the box of a Gradio app."""
    return [r.json["data"][1]["text"] for r in server.requests if r.path.endswith("/run/predict")]


def login_file(server: str, profile: str = "default") -> CredentialFile:
    """Where a login at a chat-ui server is saved."""
    return CredentialFile.of("huggingchat", server, profile)


def netscape(cookies: dict[str, str]) -> str:
    """Cookies as add-ons of browsers export them."""
    lines = ("\t".join(("127.0.0.1", "FALSE", "/", "FALSE", "0", *p)) for p in cookies.items())
    return "\n".join(("# Netscape HTTP Cookie File", *lines, ""))


def header(cookies: dict[str, str]) -> str:
    """Cookies as the developer tools of a browser show them."""
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()) + "\n"


class Terminal:
    """Runs `langchain-g4f` in a process with a terminal of its own; use it in a `with` block.

    Attributes:
        seen: Everything that was shown.
    """

    def __init__(self, *arguments: str | Path) -> None:
        self.seen = ""
        self._read_to = 0
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_ITS_TERMINAL, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        )
        os.close(theirs)

    def enter(self, text: str) -> None:
        """Type `text`, a moment after the last output."""
        # A Ctrl-C between readline's prompt and its waiting is noticed at the next key only.
        time.sleep(_MOMENT_S)
        os.write(self._ours, text.encode())

    def expect(self, text: str) -> str:
        """Wait until `text` is shown, and return the new output up to it."""
        deadline_s = time.monotonic() + _DEADLINE_S
        while text not in self.seen[self._read_to :]:
            more = self._read(deadline_s - time.monotonic())
            assert more, f"{text!r} was not shown, but {self.seen[self._read_to :]!r}"
            self.seen += more
        end = self.seen.index(text, self._read_to) + len(text)
        new, self._read_to = self.seen[self._read_to : end], end
        return new

    def exit_code(self) -> int:
        """Wait for the end of the command."""
        while more := self._read(_DEADLINE_S):
            self.seen += more
        return self._process.wait(_DEADLINE_S)

    def _read(self, timeout_s: float) -> str:
        if not select.select([self._ours], [], [], max(0.0, timeout_s))[0]:
            return ""
        try:
            return os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # Linux: the other side is closed
            return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(_KILLED_AFTER_S)
        os.close(self._ours)
