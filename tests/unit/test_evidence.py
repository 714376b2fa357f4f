"""The tool that says what tests prove."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.evidence import ledger, plugin

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]

OWED = """
[[group]]
id = "colours"
title = "Colours"
source = "docs/colours.md"
items = [
  { id = "colour:red", status = "claimed", text = "red | scarlet" },
  { id = "colour:blue", status = "later" },
]
"""


@pytest.fixture
def collect(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[pytest.RunResult, str]]:
    """Collect the tests of a source with the plugin; return the result and the table."""
    owed = pytester.path / "owed.toml"
    owed.write_text(OWED, encoding="utf-8")
    monkeypatch.setattr(ledger, "OWED_FILE", owed)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the others take time to load

    def collect_source(source: str) -> tuple[pytest.RunResult, str]:
        pytester.makepyfile(f"import pytest\n{source}")
        out = pytester.path / "evidence.md"
        result = pytester.runpytest_inprocess(
            "-p", "tests.evidence.plugin", "--collect-only", "--evidence-out", str(out)
        )
        return result, out.read_text(encoding="utf-8") if out.exists() else ""

    return collect_source


def proves(*names: str) -> str:
    """Write a mark, so that this file has none which a search would find."""
    return f"@pytest.mark.proves({', '.join(map(repr, names))})"


@pytest.mark.proves("promise:evidence-claim")
def test_every_claimed_item_has_a_test(pytestconfig: pytest.Config) -> None:
    """What this package claims to hold is shown by a test."""
    if not plugin.collects(pytestconfig):
        pytest.skip("this run collects a part of the tests only")
    shown = pytestconfig.stash[plugin.SHOWN]
    assert ledger.find_missing(ledger.load_owed(), shown) == []


@pytest.mark.parametrize(
    ("mark", "counted"),
    [
        ("@pytest.mark.skip", False),
        ("@pytest.mark.skipif(condition=True, reason='not here')", False),
        ("@pytest.mark.skipif(False, reason='elsewhere')", True),
        ("@pytest.mark.xfail(raises=ValueError, reason='known')", False),
        ("@pytest.mark.xfail(True, reason='known')", False),
        ("@pytest.mark.xfail(False, reason='elsewhere')", True),
    ],
)
@pytest.mark.proves("promise:evidence-claim")
def test_only_a_test_that_runs_and_should_pass_counts(
    collect: Callable[[str], tuple[pytest.RunResult, str]], mark: str, *, counted: bool
) -> None:
    """A test that will not run, or is expected to fail, shows nothing."""
    _, table = collect(f"{mark}\n{proves('colour:red')}\ndef test_red(): pass\n")
    assert ("test_red" in table) is counted


@pytest.mark.proves("promise:evidence-typo")
def test_mark_that_names_nothing_owed_stops_the_run_and_is_named(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """A typo in a mark is a usage error that names the test and the typo, once."""
    result, table = collect(
        f"@pytest.mark.parametrize('n', [1, 2])\n{proves('colour:rde')}\ndef test_red(n): pass\n"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*::test_red: 'colour:rde'"])
    assert result.stderr.str().count("colour:rde") == 1
    assert table == ""


def owed_ids(prefix: str) -> set[str]:
    """Return the ids of this project's list that begin with the prefix, without it."""
    return {
        item.id.removeprefix(prefix)
        for group in ledger.load_owed()
        for item in group.items
        if item.id.startswith(prefix)
    }


@pytest.mark.parametrize("folder", ["huggingchat", "huggingchat-legacy"])
def test_every_recording_is_owed_and_exists(folder: str) -> None:
    """The list names each cassette of a folder, and no other."""
    files = {path.stem for path in (ROOT / "cassettes" / folder).glob("*.yaml")}
    assert files
    assert owed_ids(f"cassette:{folder}/") == files


def test_every_fault_row_is_owed_for_each_provider_it_asks_for() -> None:
    """The list follows the cells of the fault matrix, and its curl column."""
    text = (ROOT / "docs" / "fault-matrix.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    rows = [line.strip("| ").split(" | ") for line in lines]
    numbers = [int(row[0]) for row in rows]
    assert numbers == sorted({*range(1, 53), *numbers})
    wanted = {
        f"{row[0]}:{provider}"
        for row in rows
        for provider, cell in zip(("HC", "PH", "FG"), row[2:5], strict=True)
        if cell not in {"n/a", "text only"}
    }
    subset = re.search(r"The curl column runs a subset \(([-\d, ]+)\)", text)
    assert subset
    on_curl = {number for part in subset[1].split(", ") for number in _numbers(part)}
    wanted |= {f"{each}:curl" for each in wanted if int(each.partition(":")[0]) in on_curl}
    assert {each for each in owed_ids("fault:") if not each.endswith(":G4")} == wanted


def _numbers(part: str) -> range:
    """The numbers of "3" or of "3-5"."""
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def test_every_obligation_of_the_protocol_is_owed() -> None:
    """The list follows the checklist of the HuggingChat document."""
    text = (ROOT / "docs" / "protocols" / "huggingchat.md").read_text(encoding="utf-8")
    checklist = text.partition("## 10. Client obligations")[2]
    numbers = set(re.findall(r"^\| (\d+) \|", checklist, re.MULTILINE))
    assert numbers
    assert owed_ids("obligation:huggingchat:") == numbers
