"""`langchain-g4f chat` with something on standard input, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_g4f.cli import chat
from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import Sandbox
from tests.unit_tests.cli.terminal import CTRL_D, Terminal

pytestmark = pytest.mark.proves("promise:command-one-shot")

TEXT = "    one\n  two é\n"


@pytest.fixture(autouse=True)
def server(g4f_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The server of the environment."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", g4f_sandbox.base_url)
    return g4f_sandbox


@pytest.fixture
def silent() -> Iterator[int]:
    """A pipe that nothing is written to and nobody closes, as a service may have inherited it."""
    read, write = os.pipe()
    yield read
    os.close(write)
    os.close(read)


def ask(
    *arguments: str, stdin: int | None = None, piped: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `chat`."""
    command = [sys.executable, "-m", "langchain_g4f", "chat", *arguments]
    return subprocess.run(
        command, stdin=stdin, input=piped, capture_output=True, check=False, timeout=30
    )


def asked(server: Sandbox) -> list[str]:
    """The questions that reached the model."""
    return [prompt[-1]["content"] for prompt in server.prompts]


def test_text_in_a_pipe_joins_the_question(server: Sandbox) -> None:
    """The question stands above it, and its lines keep their indent."""
    done = ask("Summarise this", piped=TEXT.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert asked(server) == [f"Summarise this\n\n{TEXT.rstrip()}"]


def test_file_as_standard_input_joins_the_question(server: Sandbox, tmp_path: Path) -> None:
    """It need be no pipe."""
    path = tmp_path / "text"
    path.write_text(TEXT)
    with path.open("rb") as file:
        assert ask("Summarise this", stdin=file.fileno()).returncode == 0
    assert asked(server) == [f"Summarise this\n\n{TEXT.rstrip()}"]


def test_text_that_comes_late_in_its_whole_joins_the_question(server: Sandbox) -> None:
    """Once it has begun, it is waited for, however long it takes."""
    late = "import time; print(1, flush=True); time.sleep(4); print(2)"
    with subprocess.Popen([sys.executable, "-c", late], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert ask("Add", stdin=writer.stdout.fileno()).returncode == 0
    assert asked(server) == ["Add\n\n1\n2"]


@pytest.mark.parametrize("arguments", [("-",), ()])
def test_dash_is_standard_input_alone(server: Sandbox, arguments: tuple[str, ...]) -> None:
    """As is no question."""
    assert ask(*arguments, piped=b"What is this?\n").returncode == 0
    assert asked(server) == ["What is this?"]


def test_dash_at_a_terminal_reads_until_ctrl_d(server: Sandbox) -> None:
    """Several lines are one question."""
    with Terminal("chat", "-") as terminal:
        terminal.enter("one\n")
        terminal.enter(f"two\n{CTRL_D}")
        assert terminal.exit_code() == 0
    assert asked(server) == ["one\ntwo"]


def test_pipe_that_stays_silent_does_not_hang_a_question(server: Sandbox, silent: int) -> None:
    """It is given a moment, and the question goes without it, which is said."""
    done = ask("hello", stdin=silent)
    assert done.returncode == 0
    assert done.stderr.decode().startswith(
        f"[nothing came on standard input within {chat.WAIT_S:g}"
    )
    assert asked(server) == ["hello"]


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY])
def test_nothing_on_standard_input_leaves_the_question_as_it_is(
    server: Sandbox, flags: int
) -> None:
    """Cron has it empty, nohup so that it cannot be read."""
    nothing = os.open(os.devnull, flags)
    done = ask("hello", stdin=nothing)
    os.close(nothing)
    assert (done.returncode, done.stderr) == (0, b"")
    assert asked(server) == ["hello"]


def test_closed_standard_input_leaves_the_question_as_it_is(server: Sandbox) -> None:
    """A program may be started so, too."""
    command = f"exec '{sys.executable}' -m langchain_g4f chat hello <&-"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
    assert asked(server) == ["hello"]


@pytest.mark.parametrize("question", ["What is this?", "-"])
def test_picture_in_a_pipe_is_refused(server: Sandbox, question: str) -> None:
    """Nothing is sent, and the option for it is named."""
    done = ask(question, piped=make_png(8))
    assert done.returncode == 1
    assert done.stderr == (
        b"langchain-g4f: standard input is no text: --file takes images and sound\n"
    )
    assert server.requests == []


@pytest.mark.parametrize(("arguments", "piped"), [(("-",), b" \n"), ((), b""), (("",), b"")])
def test_no_question_at_all_is_one_line(
    server: Sandbox, arguments: tuple[str, ...], piped: bytes
) -> None:
    """Nothing is sent."""
    done = ask(*arguments, piped=piped)
    assert done.returncode == 1
    assert done.stderr.startswith(b"langchain-g4f: no question: ")
    assert server.requests == []
