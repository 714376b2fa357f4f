"""Named locks for threads and event loops alike."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from langchain_g4f.core.locks import KeyedLocks


def test_lock_nobody_holds_is_granted_at_once() -> None:
    """Keys do not wait for each other."""
    locks = KeyedLocks()
    assert locks.acquire("a").done()
    assert locks.acquire("b").done()
    assert not locks.acquire("a").done()


@pytest.mark.proves("promise:locks")
def test_release_hands_the_lock_to_the_next_in_turn() -> None:
    """First come, first served."""
    locks = KeyedLocks()
    waiters = [locks.acquire("a") for _ in range(4)]
    for n in range(4):
        assert [waiter.done() for waiter in waiters] == [True] * (n + 1) + [False] * (3 - n)
        locks.release("a")


def test_lock_that_nobody_holds_any_more_costs_nothing() -> None:
    """Every conversation has a key, so they must not pile up."""
    locks = KeyedLocks()
    for n in range(100):
        locks.acquire(str(n))
        locks.release(str(n))
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
def test_waiter_that_gave_up_is_passed_over() -> None:
    """It neither gets the lock nor keeps it from those behind."""
    locks = KeyedLocks()
    locks.acquire("a")
    waiters = [locks.acquire("a") for _ in range(4)]
    assert waiters[0].cancel()
    assert waiters[2].cancel()
    locks.release("a")
    assert [waiter.done() for waiter in waiters] == [True, True, True, False]
    locks.release("a")
    assert waiters[3].done()
    assert not waiters[3].cancelled()
    locks.release("a")
    assert locks._held == {}


def test_release_with_only_waiters_that_gave_up_frees_the_lock() -> None:
    """The next one to come has it at once."""
    locks = KeyedLocks()
    locks.acquire("a")
    locks.acquire("a").cancel()
    locks.release("a")
    assert locks.acquire("a").done()


def test_giving_up_too_late_says_so() -> None:
    """A lock that was granted has to be released, whether it is wanted or not."""
    locks = KeyedLocks()
    assert not locks.acquire("a").cancel()
    waiter = locks.acquire("a")
    locks.release("a")
    assert not waiter.cancel()
    locks.release("a")
    assert locks._held == {}


async def test_cancelled_task_gives_up_its_place() -> None:
    """Cancelling the asyncio side cancels the waiter itself."""
    locks = KeyedLocks()
    locks.acquire("a")
    waiter: Future[None] = locks.acquire("a")
    waiting = asyncio.wrap_future(waiter)
    waiting.cancel()
    await asyncio.sleep(0)
    assert waiter.cancelled()
    locks.release("a")
    assert locks._held == {}
