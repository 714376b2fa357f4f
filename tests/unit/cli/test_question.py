"""The question of `langchain-g4f chat`, and what standard input adds to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from langchain_g4f.cli import chat
from langchain_g4f.cli.chat import read_question
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.testing import Sandbox
from tests.unit.cli.command import FakeTerminal

pytestmark = pytest.mark.proves("promise:command-one-shot")

TEXT = "    one\n  two é\n"


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """The writing end of a pipe that is standard input."""
    read, write = os.pipe()
    with os.fdopen(read) as ours, os.fdopen(write, "w") as theirs:
        monkeypatch.setattr(sys, "stdin", ours)
        yield theirs


def test_text_in_a_pipe_joins_the_question(server: Sandbox) -> None:
    """A whole run: the question stands above the text, whose lines keep their indent."""
    command = [sys.executable, "-m", "langchain_g4f", "chat", "Summarise this"]
    done = subprocess.run(command, input=TEXT.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    question = f"Summarise this\n\n{TEXT.rstrip()}"
    assert server.prompts[-1][-1]["content"] == question
    assert done.stdout.decode().endswith(f"{question}\n")


@pytest.mark.parametrize(
    ("asked", "piped", "question"),
    [
        ("Summarise this", TEXT, f"Summarise this\n\n{TEXT.rstrip()}"),
        ("-", "What is\nthis?\n", "What is\nthis?"),
        (None, "What is this?\n", "What is this?"),
        ("hello", "", "hello"),
    ],
)
def test_pipe_is_added_to_the_question_or_is_it(
    pipe: TextIO, asked: str | None, piped: str, question: str
) -> None:
    """`-` and no question at all mean standard input alone; an empty pipe adds nothing."""
    pipe.write(piped)
    pipe.close()
    assert read_question(asked) == question


def test_file_as_standard_input_joins_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is read like a pipe."""
    path = tmp_path / "text"
    path.write_text(TEXT)
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert read_question("Summarise this") == f"Summarise this\n\n{TEXT.rstrip()}"


def test_text_that_began_is_read_to_its_end(
    pipe: TextIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the first text has to come in time."""
    monkeypatch.setattr(chat, "WAIT_S", 0.2)
    print(1, file=pipe, flush=True)

    def write_later() -> None:
        time.sleep(0.4)
        pipe.write("2\n")
        pipe.close()

    writer = threading.Thread(target=write_later)
    writer.start()
    assert read_question("Add") == "Add\n\n1\n2"
    writer.join()
    assert capsys.readouterr().err == ""


def test_pipe_that_stays_silent_does_not_hang_a_question(
    pipe: TextIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe that a service has inherited and no program writes to; a line says so."""
    monkeypatch.setattr(chat, "WAIT_S", 0.05)
    assert read_question("hello") == "hello"
    said = "[no text on standard input within 0.05 s; `chat -` would wait for it]\n"
    assert capsys.readouterr().err == said


class Unreadable:
    """Standard input of a program that `nohup` has started."""

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise ValueError("not a socket")

    def read(self) -> str:
        raise OSError("not open for reading")


@pytest.mark.parametrize("stdin", [None, FakeTerminal(), Unreadable()])
def test_question_stands_alone_without_text_to_read(
    stdin: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input is closed, a terminal, or cannot be read."""
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read_question("hello") == "hello"


def test_person_at_a_terminal_has_not_asked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `-`, several lines until Ctrl-D are one question."""
    monkeypatch.setattr(sys, "stdin", FakeTerminal("one\ntwo\n"))
    assert read_question(None) is None
    assert read_question("-") == "one\ntwo"


@pytest.mark.parametrize(
    ("asked", "piped", "said"),
    [
        ("What is this?", "\0PNG", "standard input is not text; use --file"),
        ("-", "\0PNG", "standard input is not text; use --file"),
        ("-", " \n", "no question: "),
        (None, "", "no question: "),
        ("", "", "no question: "),
    ],
)
def test_input_without_a_question_is_refused(
    pipe: TextIO, asked: str | None, piped: str, said: str
) -> None:
    """An image in a pipe, and nothing at all."""
    pipe.write(piped)
    pipe.close()
    with pytest.raises(CommandError, match=said):
        read_question(asked)
