"""Which Pythons of a machine the tests are run on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "scripts" / "pythons.py"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders, which are the PATH."""
    found = (tmp_path / "first", tmp_path / "second")
    for folder in found:
        folder.mkdir()
    put(found[0], "make", 'case "$*" in *VENV=.venv-py3.12.1*) exit 2;; esac')
    return found


def put(folder: Path, name: str, *commands: str) -> str:
    """A program that does this in place of Python."""
    path = folder / name
    path.write_text("\n".join(("#!/bin/sh", *commands, "")))
    path.chmod(0o755)
    return str(path)


def run(folders: tuple[Path, Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program, with nothing else on the PATH."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**os.environ, "PATH": ":".join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pythons_are_told_apart_by_what_they_say_and_not_by_name(
    folders: tuple[Path, Path],
) -> None:
    """Every folder is looked into, the oldest comes first, and a version once."""
    first, second = folders
    new = put(first, "python3", "echo 3 13 0")
    put(first, "python3.11", "echo 3 11 7")
    put(first, "python3.12", "echo no such version >&2; exit 127")  # a shim of pyenv
    put(first, "python3.13", "echo 3 13 0")
    put(first, "python", "echo 2 7 18")
    (first / "python3.14").write_text("no program")
    old = put(second, "python3.11", "echo 3 11 2")
    put(second, "python3", "echo 3 15 0")
    given = put(second, "mine", "echo 3 11 7")
    done = run(folders, given)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[-3:]] == [
        ["3.11.2", "passed", old],
        ["3.11.7", "passed", given],
        ["3.13.0", "passed", new],
    ]
    assert run(folders, "--oldest").stdout == f"{old}\n"


def test_one_python_that_fails_is_a_failure_of_all(folders: tuple[Path, Path]) -> None:
    """The others are tried, and a line for each says how it went."""
    for version in ("3 11 2", "3 12 1", "3 13 0"):
        put(folders[0], f"python{version[:4].replace(' ', '.')}", f"echo {version}")
    done = run(folders)
    assert done.returncode == 1
    assert [line.split()[:2] for line in done.stdout.splitlines()[-3:]] == [
        ["3.11.2", "passed"],
        ["3.12.1", "failed"],
        ["3.13.0", "passed"],
    ]


def test_python_of_another_version_is_refused_where_it_is_given(
    folders: tuple[Path, Path],
) -> None:
    """Nothing that was asked for is left out in silence."""
    given = put(folders[0], "mine", "echo 3 10 13")
    done = run(folders, given)
    assert (done.returncode, done.stderr) == (1, f"{given} is no Python from 3.11 to 3.14\n")


def test_machine_without_any_python_says_so(folders: tuple[Path, Path]) -> None:
    """And which are wanted."""
    done = run(folders, "--oldest")
    said = "there is no Python from 3.11 to 3.14 on the PATH\n"
    assert (done.returncode, done.stderr) == (1, said)
