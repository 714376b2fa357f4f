"""The tool that says what tests prove."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.evidence import ledger

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
    """Collect the tests of a source with the plugin; give the result and the document."""
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
def test_collection_with_every_claim_shown_passes_and_names_the_tests(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """A claimed item is listed with its test, variants counted, and the run passes."""
    result, document = collect(
        f"@pytest.mark.parametrize('n', [1, 2, 3])\n{proves('colour:red')}\ndef test_red(n): pass\n"
    )
    name = "test_collection_with_every_claim_shown_passes_and_names_the_tests.py::test_red"
    assert result.ret == pytest.ExitCode.OK
    assert f"| `colour:red` red / scarlet | claimed | `{name}` (3) |" in document
    assert "| `colour:blue` | later |  |" in document
    assert "| Colours | 2 | 1 | 0 | 1 |" in document
    assert "Source: `docs/colours.md`" in document


@pytest.mark.proves("promise:evidence-claim")
def test_collection_with_a_claim_without_a_test_fails_and_names_it(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """A claimed item without a test fails the run; a later one may have none."""
    result, document = collect("def test_nothing(): pass\n")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*claimed without a test*", "colour:red"])
    result.stdout.no_fnmatch_line("colour:blue")
    assert "| `colour:red` red / scarlet | claimed | **missing** |" in document


@pytest.mark.parametrize(
    "mark",
    [
        "@pytest.mark.skip",
        "@pytest.mark.skip(reason='not here')",
        "@pytest.mark.skipif(True, reason='not here')",
        "@pytest.mark.skipif(condition=True, reason='not here')",
        "@pytest.mark.xfail",
        "@pytest.mark.xfail(raises=ValueError, reason='known')",
        "@pytest.mark.xfail(True, reason='known')",
    ],
)
@pytest.mark.proves("promise:evidence-claim")
def test_claim_with_only_a_skipped_or_failing_test_counts_as_missing(
    collect: Callable[[str], tuple[pytest.RunResult, str]], mark: str
) -> None:
    """A test that will not run, or is expected to fail, shows nothing."""
    result, document = collect(f"{mark}\n{proves('colour:red')}\ndef test_red(): pass\n")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_red" not in document


@pytest.mark.parametrize(
    "mark",
    [
        "@pytest.mark.skipif(False, reason='elsewhere')",
        "@pytest.mark.xfail(False, reason='elsewhere')",
    ],
)
def test_condition_that_does_not_hold_leaves_the_test_counted(
    collect: Callable[[str], tuple[pytest.RunResult, str]], mark: str
) -> None:
    """A test that is skipped only elsewhere counts here."""
    result, document = collect(f"{mark}\n{proves('colour:red')}\ndef test_red(): pass\n")
    assert result.ret == pytest.ExitCode.OK
    assert "test_red" in document


@pytest.mark.proves("promise:evidence-typo")
def test_mark_that_names_nothing_owed_stops_the_run_and_is_named(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """A typo in a mark is a usage error that names the test and the typo, once."""
    result, document = collect(
        f"@pytest.mark.parametrize('n', [1, 2])\n{proves('colour:rde')}\ndef test_red(n): pass\n"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*::test_red: 'colour:rde'"])
    assert result.stderr.str().count("colour:rde") == 1
    assert document == ""


def test_marks_of_a_class_a_module_and_a_parameter_count(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """A mark works wherever pytest lets one stand."""
    result, document = collect(
        "pytestmark = pytest.mark.proves('colour:red')\n"
        "mark = pytest.mark.proves('colour:blue')\n"
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=mark), 2])\n"
        "def test_both(n): pass\n"
        "@mark\n"
        "class TestBlue:\n"
        "    def test_inside(self): pass\n"
    )
    assert result.ret == pytest.ExitCode.OK
    red, blue = (line for line in document.splitlines() if line.startswith("| `colour"))
    assert red.endswith("::TestBlue::test_inside`<br>" + red.split("<br>")[-1])
    assert "::test_both` (2) |" in red
    assert "::test_both`<br>" not in red
    assert "::test_both` |" in blue


def test_excused_item_needs_no_test_and_its_reason_stands_in_the_place_of_one(
    collect: Callable[[str], tuple[pytest.RunResult, str]],
) -> None:
    """What is excused is counted apart, and the reader learns why."""
    ledger.OWED_FILE.write_text(
        OWED.replace('"claimed", text', '"excused", why = "out of fashion | ugly", text'),
        encoding="utf-8",
    )
    result, document = collect("def test_nothing(): pass\n")
    assert result.ret == pytest.ExitCode.OK
    assert "| `colour:red` red / scarlet | excused | out of fashion / ugly |" in document
    assert "| Colours | 2 | 0 | 1 | 0 |" in document


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (OWED.replace("colour:blue", "colour:red"), ValueError, "listed twice: colour:red"),
        (OWED.replace('"later"', '"latre"'), ValueError, "colour:blue: no such status: 'latre'"),
        (OWED.replace('"later"', '"excused"'), ValueError, "colour:blue: an excused item, and no"),
        (OWED.replace("text =", "why ="), ValueError, "colour:red: an excused item, and no other"),
        (OWED.replace("text =", "txet ="), TypeError, "txet"),
    ],
)
def test_list_with_a_fault_is_refused(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    """A double id, an unknown status or key, or a missing reason is an error that names it."""
    owed = tmp_path / "owed.toml"
    owed.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        ledger.load_owed(owed)


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
    assert [row[0] for row in rows] == [str(number) for number in range(1, 53)]
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
    assert owed_ids("fault:") == wanted


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
