"""Many streams at once, for long, and nothing left of them (docs/fault-matrix.md, section 5).

Leaks, completion and linearity are asserted. Rates and memory depend on the machine: they are
reported, and what has to hold of them stands beside them.
"""

from __future__ import annotations

import pytest

from tests.nightly.clients import apart, slope
from tests.nightly.conftest import Report
from tests.nightly.decoding import INPUTS, doubled
from tests.nightly.loads import Level, dropped, rounds, streams, sync_streams
from tests.nightly.stalls import stalls

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

STREAMS, EVENTS, RATE = 500, 200, 100.0


CURL = pytest.mark.proves("load:500-streams-curl")


@pytest.mark.proves("load:500-streams", "load:nothing-left")
@pytest.mark.parametrize(
    ("level", "impersonate", "aims"),
    [
        ("httpx", None, "what cannot be done without"),
        ("arun", None, "aim: at most 40 MiB"),
        ("astream", None, "aims: 5 000 chunks/s, p99 at most 3 s, at most 350 MiB"),
        pytest.param("arun", "chrome", "on curl, below LangChain", marks=CURL),
        pytest.param(
            "astream", "chrome", "on curl; aims: 4 000 chunks/s, at most 450 MiB", marks=CURL
        ),
    ],
)
def test_500_concurrent_streams_complete_and_leave_nothing(
    level: Level, impersonate: str | None, aims: str, report: Report
) -> None:
    """Every token arrives, every connection is given back, and closed with the loop."""
    figures = apart(streams, STREAMS, EVENTS, RATE, level, impersonate)
    report(f"{STREAMS} streams, `{level}` ({aims})", str(figures))
    assert figures.complete == STREAMS
    assert figures.left == []


@pytest.mark.proves("load:64-sync-callers", "load:nothing-left")
@pytest.mark.parametrize(
    ("impersonate", "where"), [(None, ""), pytest.param("chrome", " on curl", marks=CURL)]
)
def test_64_sync_callers_complete_and_leave_no_thread(
    impersonate: str | None, where: str, report: Report
) -> None:
    """Each in a thread of its own, on one client."""
    figures = apart(sync_streams, 64, EVENTS, RATE, impersonate)
    report(f"64 threads{where}, `stream` (aim: 4 000 chunks/s)", str(figures))
    assert figures.complete == 64
    assert figures.left == []


@pytest.mark.proves("load:cancelled-rounds", "fault:36:HC")
def test_rounds_half_cancelled_leak_neither_connections_nor_memory(report: Report) -> None:
    """Half of the streams are given up at a random event, by their reader or by their task."""
    found = apart(rounds, 20, STREAMS, 40, RATE)
    growth = slope(found.memory[5:])
    report(
        f"20 rounds of {STREAMS}, half given up (must: less than 1 MiB a round)",
        f"{growth:+.2f} MiB a round, {sum(found.seconds) / 20:.1f} s a round;"
        f" {found.complete} complete, {found.cancelled} given up, {found.stopped} stopped",
    )
    assert found.left == []
    assert (found.complete, found.cancelled) == (20 * STREAMS // 2, 20 * STREAMS // 2)
    assert found.stopped == found.cancelled
    assert growth < 1


@pytest.mark.proves("load:models-dropped")
def test_1000_models_created_and_dropped_leave_nothing(report: Report) -> None:
    """Each is used once, sync or in an event loop of its own."""
    found = apart(dropped, 1000)
    report("1 000 models dropped (must: less than 4 MiB)", f"{found.growth:+.2f} MiB")
    assert found.alive == 0
    assert found.left == []
    assert found.growth < 4


@pytest.mark.proves("load:decoder-linear", "fault:18:HC", "fault:31:HC")
@pytest.mark.parametrize("name", INPUTS)
def test_decoding_twice_as_much_takes_twice_as_long(name: str, report: Report) -> None:
    """However the bytes are cut and wherever the lines end."""
    found = apart(doubled, name)
    report(f"{name} (must: at most 2.3 x)", f"{found.ratio:.2f} x, {found.rate:.1f} MB/s")
    assert found.ratio <= 2.3


@pytest.mark.proves("load:loop-stall")
def test_no_callback_holds_the_event_loop_under_100_streams(report: Report) -> None:
    """The garbage collector and a busy machine left aside."""
    found = apart(stalls, 100, EVENTS, RATE)
    report(
        "longest callback under 100 streams (must: below 50 ms)",
        f"{found.longest * 1e3:.0f} ms wall, {found.longest_cpu * 1e3:.0f} ms CPU,"
        f" of {found.count:,}; longest garbage collection {found.longest_collection * 1e3:.0f} ms",
    )
    assert found.held == []
