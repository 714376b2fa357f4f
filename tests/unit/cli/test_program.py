"""The command as a program: exit codes, pipes, and what it needs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from langchain_g4f import ChatHuggingChat, __version__, cli
from langchain_g4f.cli import failure
from langchain_g4f.testing import Sandbox
from tests.unit.cli.command import run

COMMAND = [sys.executable, "-m", "langchain_g4f"]
ANSWER = "Echo (sandbox/text-small, turn 1): hi\n"
INTERRUPTIBLE = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from langchain_g4f.cli import main
print('ready', flush=True)
main()
"""
WITHOUT = "import sys; sys.modules[{!r}] = None; from langchain_g4f.cli import main; main()"
NEEDS_FULL_DEVICE = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no full device"
)


def program(
    *arguments: str, command: list[str] = COMMAND, redirect: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with an empty standard input."""
    shell = ["/bin/sh", "-c", f'"$@" {redirect}', "sh", *command, *arguments]
    return subprocess.run(shell, input="", capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.proves("promise:command-one-shot", "promise:command-options")
@pytest.mark.parametrize("redirect", ["", "2>&-"])
def test_command_as_module_answers_into_a_pipe(redirect: str) -> None:
    """Standard output gets the answer and nothing else; standard error may be closed."""
    done = program("chat", "--sandbox", "hi", redirect=redirect)
    assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER, "")


@NEEDS_FULL_DEVICE
@pytest.mark.parametrize("arguments", [["models", "--sandbox"], ["--version"]])
def test_output_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    """During the command, and at its end, when Python flushes."""
    done = program(*arguments, redirect="> /dev/full")
    assert done.returncode == 1
    assert done.stderr == "langchain-g4f: write error: No space left on device\n"


def test_closed_standard_output_is_one_line() -> None:
    """No question is sent."""
    done = program("chat", "--sandbox", "hi", redirect=">&-")
    assert (done.returncode, done.stderr) == (1, "langchain-g4f: standard output is closed\n")


@pytest.mark.proves("promise:command-one-shot", "promise:cancel-stops")
def test_command_whose_reader_leaves_stops_the_answer(g4f_sandbox: Sandbox) -> None:
    """When the reader of the pipe leaves, the server is told, and standard error stays empty."""
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
    assert g4f_sandbox.requests[-1].path.endswith("/stop-generating")


@pytest.mark.parametrize("after_s", [0.0, 2.0])
def test_ctrl_c_after_the_reader_has_left_is_no_traceback(after_s: float) -> None:
    """It interrupts the imports, or the answer."""
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


@pytest.mark.proves("promise:missing-extra")
@pytest.mark.parametrize(("library", "extra"), [("typer", "cli"), ("starlette", "sandbox")])
def test_command_without_its_extra_says_how_to_install_it(library: str, extra: str) -> None:
    """One line names the library and the pip command; the exit code is 1."""
    command = [sys.executable, "-c", WITHOUT.format(library)]
    done = program("chat", "--sandbox", "hi", command=command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"langchain-g4f: {library}")
    assert done.stderr.count("\n") == 1
    assert f'pip install -e ".[{extra}]"' in done.stderr


def test_help_loads_no_chat_model() -> None:
    """Each command imports what it needs when it runs, so help is quick."""
    text = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('langchain_core' in sys.modules, file=sys.stderr))\n"
        "from langchain_g4f.cli import main; main()"
    )
    done = program("chat", "--help", command=[sys.executable, "-c", text])
    assert done.returncode == 0
    assert "--sandbox" in done.stdout
    assert done.stderr == "False\n"


# -- without a process -----------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(2, "no file"), ZeroDivisionError("\x1b]0;x\x07")])
@pytest.mark.proves("fault:62:HC")
def test_bug_of_ours_keeps_its_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may quote a service, so it is made safe for a terminal."""

    def fail(**_: object) -> None:
        with failure.one_line_failures():
            raise error

    monkeypatch.setattr("langchain_g4f.cli.app.app", fail)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    said = capfd.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith(f"{error}\n".replace("\x1b", "\ufffd").replace("\x07", "\ufffd"))


def test_bug_in_a_provider_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only failures that a user can cause or meet become a message."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ChatHuggingChat, "_models_plan", fail)
    assert isinstance(run("models", "--sandbox").exception, ZeroDivisionError)


def test_ctrl_c_during_a_command_is_exit_code_130() -> None:
    """128 and the number of the signal."""
    with pytest.raises(typer.Exit) as ended, failure.one_line_failures():
        raise KeyboardInterrupt
    assert ended.value.exit_code == failure.INTERRUPTED == 130


def test_version_is_printed() -> None:
    """`--version` says which package this is."""
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"langchain-g4f {__version__}\n")
