"""What the tests of `langchain-g4f doctor` share: the command, and parts of servers that break."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner, Result

from langchain_g4f.cli.app import app
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.gradio_standin import GradioStandin

Server = FlowGptSandbox | GradioStandin | Sandbox

CLOSED = "http://127.0.0.1:1"
"""Where nobody listens."""


def run(*options: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["doctor", *options])


def examine(*options: str) -> tuple[dict[str, Any], int]:
    """What `--json` says of each provider, and the exit code."""
    result = run(*options, "--json")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return {each["provider"]: each for each in json.loads(result.stdout)}, result.exit_code


def answer_at(server: Server, path: str, response: ASGIApp) -> None:
    """Let `server` give this answer to requests whose path ends so."""
    there: ASGIApp = server._recorder._app

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        handler = response if scope["path"].endswith(path) else there
        await handler(scope, receive, send)

    server._recorder._app = answer
