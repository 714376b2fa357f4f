"""The command as a program: its exit codes, its pipes and what it needs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from langchain_g4f import ChatHuggingChat, __version__
from langchain_g4f.cli.app import app

if TYPE_CHECKING:
    from langchain_g4f.testing import Sandbox

COMMAND = [sys.executable, "-m", "langchain_g4f"]
INTERRUPTIBLE = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from langchain_g4f.cli import main
print('ready', flush=True)
main()
"""
WITHOUT = "import sys; sys.modules[{!r}] = None; from langchain_g4f.cli import main; main()"


def run(*arguments: str, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    """Run the command with an empty standard input."""
    return subprocess.run(
        [*command, *arguments], input="", capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.proves("promise:command-one-shot", "promise:command-options")
def test_command_as_module_answers_into_a_pipe() -> None:
    """`python -m langchain_g4f` prints the answer and nothing else."""
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
    command = [sys.executable, "-c", WITHOUT.format(library)]
    done = run("chat", "--sandbox", "hi", command=command)
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
    assert result.stderr.startswith("langchain-g4f: http://127.0.0.1:1/chat did not list")


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


ALL_THAT_PRINT = [
    ["chat", "--sandbox", "[[long:300]]"],
    ["models", "--sandbox"],
    ["doctor", "--sandbox", "--provider", "flowgpt"],
    ["--version"],
]


@pytest.mark.parametrize("arguments", ALL_THAT_PRINT, ids=" ".join)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_output_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    """As of coreutils: the reason, exit code 1, and no traceback, not even at exit."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 1
    assert done.stderr == "langchain-g4f: write error: No space left on device\n"


@pytest.mark.parametrize("arguments", ALL_THAT_PRINT, ids=" ".join)
def test_output_whose_reader_has_left_is_no_complaint(arguments: list[str]) -> None:
    """Before anything was written, too."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.0, 2.0])
def test_ctrl_c_after_the_reader_has_left_is_no_traceback(after_s: float) -> None:
    """Whatever it interrupts: the imports, the answer, or the end."""
    command = [sys.executable, "-c", INTERRUPTIBLE, "chat", "--sandbox", "[[hang:3]] [[long:9]]"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(6) == b"ready\n"
        process.stdout.close()
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(30) in {1, 130, -signal.SIGINT}


def test_closed_standard_output_is_one_line() -> None:
    """There is nowhere to put an answer, so nothing is asked."""
    command = ["/bin/sh", "-c", '"$@" >&-', "sh", *COMMAND, "chat", "--sandbox", "hi"]
    done = run(command=command)
    assert (done.returncode, done.stderr) == (1, "langchain-g4f: standard output is closed\n")


def test_closed_standard_error_does_not_matter() -> None:
    """The answer is on the other one."""
    command = ["/bin/sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "chat", "--sandbox", "hi"]
    done = run(command=command)
    assert (done.returncode, done.stdout) == (0, "Echo (sandbox/text-small, turn 1): hi\n")


@pytest.mark.proves("fault:62:HC")
def test_traceback_of_a_fault_of_ours_steers_no_terminal() -> None:
    """It may quote what a service has said."""
    program = (
        "from langchain_g4f.cli import app, main\n"
        "def fail(**_): raise ZeroDivisionError('\\x1b]0;title\\x07')\n"
        "app.app = fail\n"
        "main()"
    )
    done = run(command=[sys.executable, "-c", program])
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ZeroDivisionError: \ufffd]0;title\ufffd\n")
