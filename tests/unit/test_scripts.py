"""The programs that measure the code."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"

SOURCE = '''
def half(value: int = 1) -> int:
    """Return half of 2."""
    log(value)
    # Or one
    # less.
    return 0 if not value or value < "two " "three" else value + name
'''


def test_mutants_have_one_change_each() -> None:
    """Docstrings and annotations stay as they are."""
    mutants = runpy.run_path(str(SCRIPTS / "mutants.py"))["mutants"]
    found = list(mutants(SOURCE, 25, "any seed"))
    assert [change.partition("  ->  ")[2] for change, _ in found] == [
        "2",
        "None",
        "return None",
        "not value and value < 'two three'",
        "not not value",
        "value <= 'two three'",
        "1",
        "value - name",
    ]
    assert all("Return half of 2." in text and "value: int" in text for _, text in found)
    assert len({text for _, text in found}) == len(found)


def test_prose_is_read_across_lines_and_literals(tmp_path: Path) -> None:
    """Code between two strings separates them."""
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    text = runpy.run_path(str(SCRIPTS / "figures.py"))["prose"](path)
    words = [" ".join(part.split()) for part in text.split("\0")]
    assert [part for part in words if part] == ["Return half of 2.", "Or one less.", "two three"]
