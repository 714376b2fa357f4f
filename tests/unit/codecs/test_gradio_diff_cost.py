"""Gradio's diffs: an edit costs what it changes, and no more."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from langchain_g4f.codecs.gradio_diff import apply_diff
from tests.unit.timing import cpu_seconds


@pytest.mark.proves("fault:57:PH")
@pytest.mark.parametrize("kind", ["list", "dict", "list that shrinks"])
def test_edits_cost_what_they_change(kind: str) -> None:
    """Not what the list or dict has that they are in: eight times as large is as quick."""

    def edited(length: int) -> None:
        for _ in range(100):
            apply_diff(values[length], edits)

    values: dict[int, Any] = {}
    for length in (50_000, 400_000):
        texts = ["a"] * length
        values[length] = dict(zip(map(str, range(length)), texts, strict=True))
        if kind != "dict":
            values[length] = texts
    edits: Any = [["append", [key if kind == "list" else str(key)], "b"] for key in (7, 8)]
    if kind == "list that shrinks":
        edits = [["delete", [7], None], ["delete", [8], None]]
    small, large = (cpu_seconds(partial(edited, length)) for length in values)
    assert large < 3 * small


def test_text_that_grew_is_whole_though_elements_are_added_before_it() -> None:
    """In one diff; the next one finds text."""
    edits: Any = [
        ["append", [1], "x"],
        ["add", [0], "new"],
        ["append", [2], "y"],
        ["append", [1], "z"],
        ["delete", [3], None],
    ]
    grown: Any = apply_diff(["a", "b", "c"], edits)
    assert grown == ["new", "az", "bxy"]
    assert [type(text) for text in grown] == [str] * 3
