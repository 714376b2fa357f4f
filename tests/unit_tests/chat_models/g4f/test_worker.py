"""The thread that runs a provider."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from langchain_g4f.g4f_adapter.attempt import END, NOTHING_YET
from langchain_g4f.g4f_adapter.worker import Worker


@pytest.mark.proves("g4f:8:no-leak")
def test_worker_that_is_closed_before_it_iterates_closes_what_it_gets() -> None:
    """Asking may take longer than anybody waits."""
    asked, go_on = threading.Event(), threading.Event()
    closed: list[str] = []

    async def values() -> AsyncIterator[str]:
        try:
            yield "never"
        finally:
            closed.append("closed")

    def start() -> object:
        asked.set()
        go_on.wait(5)
        return values()

    worker = Worker(start)
    assert asked.wait(5)
    assert worker.get() is NOTHING_YET
    worker.close()
    go_on.set()
    worker.close(5)
    assert worker.ended
    assert worker.get() is END
    assert closed == []  # it was never begun


class Endless:
    """An iterator of either kind that has nothing to close."""

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> str:
        return "a"


@pytest.mark.proves("g4f:8:no-leak", "g4f:1:decided-by-result")
@pytest.mark.parametrize("start", [Endless, lambda: iter(lambda: "a", None)])
def test_iterator_without_a_close_is_left(start: Any) -> None:
    """There is nothing else that could be done with it."""
    worker = Worker(start)
    assert worker.get(5) == "a"
    worker.close(5)
    assert worker.ended


def test_mapping_is_one_value() -> None:
    """It may be an error that is told in place of an answer."""
    worker = Worker(lambda: {"error": "why"})
    assert worker.get(5) == {"error": "why"}
    assert worker.get(5) is END
    worker.close(5)


def test_timeout_of_a_provider_is_raised_as_it_is() -> None:
    """It is not taken for a time in which nothing came."""
    own = TimeoutError("mine")

    def start() -> object:
        raise own

    worker = Worker(start)
    with pytest.raises(TimeoutError, match="mine"):
        worker.get(5)
    worker.close(5)
