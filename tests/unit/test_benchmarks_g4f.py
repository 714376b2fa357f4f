"""The benchmark of ChatG4F runs, and checks what is read."""

from __future__ import annotations

import pytest

from benchmarks.common import WrongTextError
from benchmarks.g4f import contenders
from benchmarks.g4f.__main__ import measure, table

pytestmark = pytest.mark.bench


def test_g4f_contenders_read_all_words_and_make_a_table() -> None:
    """The floor, an async and a blocking provider, async and sync, have a turn a round."""
    samples = measure(2, 20)
    assert len(samples) == 6
    assert all(len(turns) == 2 for turns in samples.values())
    assert f"{contenders.NATIVE} / {contenders.FLOOR}" in table(samples, 20)


def test_g4f_benchmark_refuses_other_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of a contender that reads something else mean nothing."""
    monkeypatch.setattr(contenders.Words, "whole", "something else")
    with pytest.raises(WrongTextError, match=contenders.FLOOR):
        measure(1, 2)
