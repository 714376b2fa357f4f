"""Run the unit tests on every Python of this machine that the package supports.

Pythons are looked for in every folder of PATH and among the arguments, and told apart by what they
say of themselves: each version, up to its last number, is taken once. Each has an environment of
its own, `.venv-py<version>`, which `make` sets up. With `--oldest`, print the path of the oldest
one, and run nothing.

This runs on any Python from 3.8, as it looks for the others.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINORS = range(11, 15)
NAMES = ("python", "python3", *(f"python3.{minor}" for minor in MINORS))
ASKED = "import sys; print(*sys.version_info[:3])"
ANSWER_S = 20


def on_path() -> Iterator[str]:
    for folder in os.get_exec_path():
        for name in NAMES:
            path = Path(folder, name)
            if path.is_file():
                yield str(path)


def version_of(python: str) -> tuple[int, ...]:
    """Return the version, or nothing for what does not run: pyenv has shims that fail."""
    command = [python, "-I", "-S", "-c", ASKED]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=ANSWER_S)
        return tuple(map(int, done.stdout.split()))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def is_supported(version: tuple[int, ...]) -> bool:
    return len(version) == 3 and version[0] == 3 and version[1] in MINORS


def find(given: Sequence[str] = ()) -> dict[str, str]:
    """Return path by version, the oldest first; those that are given are preferred."""
    found: dict[tuple[int, ...], str] = {}
    for python in (*given, *on_path()):
        version = version_of(python)
        if is_supported(version):
            found.setdefault(version, python)
        elif python in given:
            sys.exit(f"{python} is no Python from 3.{MINORS[0]} to 3.{MINORS[-1]}")
    return {".".join(map(str, version)): found[version] for version in sorted(found)}


def passes(version: str, python: str, tests: str) -> bool:
    print(f"== {version}: {python}", flush=True)
    settings = [f"VENV=.venv-py{version}", f"PYTHON={python}", f"TESTS={tests}"]
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    make = ["make", "--no-print-directory", "test", *settings]
    return subprocess.run(make, cwd=ROOT, env=environment, check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the unit tests on every supported Python.")
    parser.add_argument("pythons", nargs="*", help="paths beside those of PATH")
    parser.add_argument("--oldest", action="store_true", help="print the path of the oldest one")
    parser.add_argument("--tests", default="tests/unit", help="what to run")
    options = parser.parse_args(arguments)

    found = find(options.pythons)
    if not found:
        sys.exit(f"there is no Python from 3.{MINORS[0]} to 3.{MINORS[-1]} on the PATH")
    if options.oldest:
        print(next(iter(found.values())))
        return 0
    passed = {version: passes(version, python, options.tests) for version, python in found.items()}
    for version, good in passed.items():
        print(f"{version:8} {'passed' if good else 'failed'}  {found[version]}")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
