"""The command as a program: its exit codes, its pipes and what it needs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from langchain_g4f import ChatHuggingChat, __version__
from langchain_g4f.cli.app import app

if TYPE_CHECKING:
    from langchain_g4f.testing import Sandbox

COMMAND = [sys.executable, "-m", "langchain_g4f.cli"]
WITHOUT = "import sys; sys.modules[{!r}] = None; from langchain_g4f.cli import main; main()"


def run(*arguments: str, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    """Run the command with an empty standard input."""
    return subprocess.run(
        [*command, *arguments], input="", capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.proves("promise:command-one-shot", "promise:command-options")
def test_command_as_module_answers_into_a_pipe() -> None:
    """`python -m langchain_g4f.cli` prints the answer and nothing else."""
    done = run("chat", "--sandbox", "hi")
    assert done.stdout == "Echo (sandbox/text-small, turn 1): hi\n"
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.proves("promise:command-one-shot", "promise:cancel-stops")
def test_command_whose_reader_leaves_stops_the_answer(g4f_sandbox: Sandbox) -> None:
    """When the reader of the pipe leaves, the server is told, and there is no complaint."""
    question = "[[long:5000]] [[pace:5]]"
    with subprocess.Popen(
        [*COMMAND, "chat", "--base-url", g4f_sandbox.base_url, question],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(8) == b"w1 w2 w3"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 1
    assert [r.path for r in g4f_sandbox.requests][-1].endswith("/stop-generating")


@pytest.mark.proves("promise:missing-extra")
@pytest.mark.parametrize(
    ("library", "extra"),
    [("typer", "cli"), ("rich", "cli"), ("starlette", "sandbox"), ("uvicorn", "sandbox")],
)
def test_command_without_its_extra_says_how_to_install_it(library: str, extra: str) -> None:
    """A missing library gives one line with the extra and the pip command, and exit code 1."""
    done = run("models", "--sandbox", command=[sys.executable, "-c", WITHOUT.format(library)])
    assert done.returncode == 1
    assert done.stderr.startswith(f"langchain-g4f: {library}")
    assert done.stderr.count("\n") == 1
    assert f'pip install -e ".[{extra}]"' in done.stderr


@pytest.mark.proves("promise:command-models")
def test_models_lists_the_default_first(g4f_sandbox: Sandbox) -> None:
    """One model per line, the server's default first, unlisted ones left out."""
    result = CliRunner().invoke(app, ["models", "--base-url", g4f_sandbox.base_url])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines == ["omni", "sandbox/text-small", "sandbox/vision-tools", "sandbox/reasoner"]


@pytest.mark.proves("promise:command-models", "promise:command-options")
def test_models_of_the_sandbox_are_listed() -> None:
    """`--sandbox` asks the server it brings along."""
    result = CliRunner().invoke(app, ["models", "--sandbox"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "omni"


@pytest.mark.proves("promise:command-models")
def test_models_of_an_unreachable_server_is_a_failure() -> None:
    """Where the server does not answer, no list is made up."""
    arguments = ["models", "--base-url", "http://127.0.0.1:1/chat", "--timeout", "0.5"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("langchain-g4f: http://127.0.0.1:1/chat does not tell")


def test_version_is_printed() -> None:
    """`--version` says which package this is."""
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == f"langchain-g4f {__version__}\n"


def test_help_loads_no_chat_model() -> None:
    """Help is quick: what a command needs is imported when it runs."""
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('langchain_core' in sys.modules, file=sys.stderr))\n"
        "from langchain_g4f.cli import main; main()"
    )
    done = run("chat", "--help", command=[sys.executable, "-c", program])
    assert done.returncode == 0
    assert "--sandbox" in done.stdout
    assert done.stderr == "False\n"


def test_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no user can have caused is not hidden behind a message."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ChatHuggingChat, "_models_plan", fail)
    result = CliRunner().invoke(app, ["models", "--sandbox"])
    assert isinstance(result.exception, ZeroDivisionError)
