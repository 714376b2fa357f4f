"""A pytest plugin: `@pytest.mark.proves(<id>, ...)` says what a test shows.

A mark that names nothing owed stops the run, so that a typo cannot pass as evidence. A run that
collects all tests fails when a claimed item has none; `--evidence-out FILE` writes the whole table.

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

# The node ids of the tests that count, by the item they show; deselected tests included.
SHOWN = pytest.StashKey[dict[str, list[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--evidence-out`."""
    parser.getgroup("evidence").addoption(
        "--evidence-out",
        type=Path,
        metavar="FILE",
        help="write what is owed and the tests that show it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers",
        "proves(*items): what the test shows, by the ids of tests/evidence/owed.toml",
    )


@pytest.hookimpl(tryfirst=True)  # before any test is deselected
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop at a mark that names nothing owed, and note what the others show.

    Raises:
        pytest.UsageError: A mark names an id that is not in the list.
    """
    groups = ledger.load_owed()
    owed = {item.id for group in groups for item in group.items}
    marks = [(test, name) for test in items for name in read_marks(test)]
    unknown = {
        f"{test.nodeid.partition('[')[0]}: {name!r}" for test, name in marks if name not in owed
    }
    if unknown:
        lines = "\n  ".join(sorted(unknown))
        msg = f"marked with something that is not listed in {ledger.OWED_FILE.name}:\n  {lines}"
        raise pytest.UsageError(msg)
    shown: dict[str, list[str]] = {}
    for test, name in marks:
        if counts(test):
            shown.setdefault(name, []).append(test.nodeid)
    config.stash[SHOWN] = shown
    out: Path | None = config.getoption("--evidence-out")
    if out is not None:
        out.write_text(ledger.render(groups, shown), encoding="utf-8")


def collects(config: pytest.Config, folder: Path = ledger.ROOT / "tests") -> bool:
    """Return whether this run was asked for all tests of a folder."""
    asked = (Path(config.invocation_params.dir, arg).resolve() for arg in config.args)
    return any(folder.is_relative_to(path) for path in asked)


def read_marks(test: pytest.Item) -> set[str]:
    """Return the ids a test is marked with: its own, its class's and its module's."""
    return {name for mark in test.iter_markers("proves") for name in mark.args}


def counts(test: pytest.Item) -> bool:
    """Return whether a test can show anything, as far as its marks tell."""
    if test.get_closest_marker("skip"):
        return False
    marks: Iterable[pytest.Mark] = (*test.iter_markers("skipif"), *test.iter_markers("xfail"))
    return not any(_applies(mark) for mark in marks)


def _applies(mark: pytest.Mark) -> bool:
    conditions = [*mark.args, *([mark.kwargs["condition"]] if "condition" in mark.kwargs else [])]
    if not conditions:
        return mark.name == "xfail"
    return any(condition for condition in conditions if not isinstance(condition, str))
