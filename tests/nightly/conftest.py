"""What the load tests measured is printed, and written down with `--write-load-docs`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

_DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- load: begin -->", "<!-- load: end -->"
_ROWS = pytest.StashKey[list[tuple[str, str]]]()

Report = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--write-load-docs`."""
    parser.addoption(
        "--write-load-docs",
        action="store_true",
        help="write the figures of the load tests to docs/benchmarks.md",
    )


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Take down a figure, by the name of its row."""
    rows = request.config.stash.setdefault(_ROWS, [])

    def add(name: str, figure: str) -> None:
        rows.append((name, figure))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, and write it down if that is wanted."""
    config = terminalreporter.config
    rows = config.stash.get(_ROWS, [])
    if not rows:
        return
    terminalreporter.section("load")
    for name, figure in rows:
        terminalreporter.line(f"{name}: {figure}")
    if config.getoption("--write-load-docs"):
        table = ["| load | measured |", "| --- | --- |"]
        table += [f"| {name} | {figure} |" for name, figure in rows]
        system = f"Python {platform.python_version()}, {platform.machine()}."
        _write("\n".join(["", *table, "", system, ""]))


def _write(text: str) -> None:
    document = _DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = document.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    _DOCUMENT.write_text(f"{head}{_BEGIN}\n{text}\n{_END}{tail}", encoding="utf-8")
