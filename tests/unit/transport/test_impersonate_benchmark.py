"""The benchmark of the transports runs, and checks what was read."""

from __future__ import annotations

import ctypes

import pytest

from benchmarks.common import WrongTextError
from benchmarks.server import Shared
from benchmarks.transport import measure
from benchmarks.transport.clients import NAMES, Contender
from benchmarks.transport.faults import FaultyServer

pytestmark = pytest.mark.bench


def test_every_contender_reads_the_lines_that_were_sent() -> None:
    """How long it took is no matter of a test."""
    found = measure.measure_cpu(rounds=1, count=10)
    assert {shape: set(by_name) for shape, by_name in found.items()} == {
        shape: set(NAMES) for shape in measure.SHAPES
    }


def test_other_number_of_lines_than_was_sent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its times would mean nothing."""
    monkeypatch.setattr(Contender, "read_lines", lambda *_: 9)
    shared = Shared(ctypes.c_longlong(), ctypes.c_longlong())
    who = Contender("httpx sync")
    with pytest.raises(WrongTextError, match="httpx sync: 9 lines instead of 13"):
        measure._cpu(who, f"{FaultyServer().url}/cut", shared, 10)
    who.end()


@pytest.mark.parametrize("name", NAMES)
def test_contract_is_the_same_for_everybody(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no time of its own is the same finding."""
    monkeypatch.setattr(measure, "_SHORT_S", 0.05)
    monkeypatch.setattr(measure, "_FLOOD_S", 0.05)
    who = Contender(name)
    found = [row(who) for row in measure.ROWS.values()]
    who.end()
    assert found[3].startswith("ReadTimeout")
    assert found[4].startswith("ReadTimeout")
    assert found[5:7] == ["RemoteProtocolError", "ok"]
