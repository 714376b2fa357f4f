"""A pytest plugin: `@pytest.mark.proves(<id>, ...)` says what a test shows.

A mark that names nothing owed stops the run, so that a typo cannot pass as evidence. With
`--evidence-out FILE` the collected marks are written as a document, and the run fails when a
claimed item has no test. `--collect-only` is enough for that.

A test counts unless its marks say that it will not run or is expected to fail, as far as that can
be seen without running it: a condition given as a string or a call to `pytest.skip` cannot.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.evidence import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSING = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--evidence-out`."""
    parser.getgroup("evidence").addoption(
        "--evidence-out",
        type=Path,
        metavar="FILE",
        help="write what is owed and the tests that show it; fail if a claimed item has none",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers",
        "proves(*items): what the test shows, by the ids of tests/evidence/owed.toml",
    )


@pytest.hookimpl(tryfirst=True)  # before anything is deselected: a typo is one everywhere
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stop at a mark that names nothing owed."""
    unknown = find_unknown(items)
    if unknown:
        lines = "\n  ".join(unknown)
        msg = f"marked with something that is not listed in {ledger.OWED_FILE.name}:\n  {lines}"
        raise pytest.UsageError(msg)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the document if one is wanted."""
    out: Path | None = session.config.getoption("--evidence-out")
    if out is None or find_unknown(session.items):  # pytest comes here after a usage error, too
        return
    groups = ledger.load_owed()
    shown = gather(session.items)
    out.write_text(ledger.render(groups, shown), encoding="utf-8")
    session.config.stash[MISSING] = ledger.find_missing(groups, shown)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when a claimed item has no test."""
    nothing_else_wrong = session.exitstatus in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }
    if session.config.stash.get(MISSING, []) and nothing_else_wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the claimed items that have no test."""
    missing = terminalreporter.config.stash.get(MISSING, [])
    if missing:
        terminalreporter.section("claimed without a test", red=True)
        for name in missing:
            terminalreporter.line(name)


def read_marks(test: pytest.Item) -> set[str]:
    """Return the ids a test is marked with: its own, its class's and its module's."""
    return {name for mark in test.iter_markers("proves") for name in mark.args}


def find_unknown(tests: Iterable[pytest.Item]) -> list[str]:
    """Return each test function that is marked with something not owed, and what that is."""
    owed = {item.id for group in ledger.load_owed() for item in group.items}
    return sorted(
        {
            f"{test.nodeid.partition('[')[0]}: {name!r}"
            for test in tests
            for name in read_marks(test)
            if name not in owed
        }
    )


def gather(tests: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """Return the node ids of the tests that count, by the item they show."""
    shown: dict[str, list[str]] = {}
    for test in tests:
        if counts(test):
            for name in read_marks(test):
                shown.setdefault(name, []).append(test.nodeid)
    return shown


def counts(test: pytest.Item) -> bool:
    """Say whether a test can show anything, as far as its marks tell."""
    if test.get_closest_marker("skip"):
        return False
    marks = [*test.iter_markers("skipif"), *test.iter_markers("xfail")]
    return not any(_applies(mark) for mark in marks)


def _applies(mark: pytest.Mark) -> bool:
    conditions = [*mark.args, *([mark.kwargs["condition"]] if "condition" in mark.kwargs else [])]
    if not conditions:
        return mark.name == "xfail"
    return any(condition for condition in conditions if not isinstance(condition, str))
