"""Calls that want the same lock: one after the other, in turn, whatever world they are in."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from langchain_g4f.core.events import Title
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, Plan, send
from tests.unit.run.world import Service, request


def locked(key: str, begin: Callable[[], None], end: Callable[[], None]) -> Plan:
    """Work that only one call may do at a time."""
    yield Lock(key)
    begin()
    yield from send(request("x"))
    yield Title(key)
    end()


class Watch:
    """Counts how many are inside, and notes who was, in order."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.order: list[str] = []

    def plan(self, name: str, key: str = "key") -> Plan:
        def begin() -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(name)

        def end() -> None:
            time.sleep(0.001)
            self.inside -= 1

        return locked(key, begin, end)


@pytest.mark.proves("promise:locks")
def test_threads_and_loops_take_turns() -> None:
    """One call at a time, and none is forgotten."""
    watch, locks, service = Watch(), KeyedLocks(), Service()
    context = service.context(locks=locks)

    def sync_calls(name: str) -> None:
        for _ in range(5):
            call = service.call("run", watch.plan(name), context)
            assert list(call.sync) == [Title("key")]

    def async_calls(name: str) -> None:
        async def main() -> None:
            calls = [service.call("arun", watch.plan(name), context) for _ in range(5)]
            assert await asyncio.gather(*(call.all() for call in calls)) == [[Title("key")]] * 5

        asyncio.run(main())

    kinds = (sync_calls, sync_calls, async_calls, async_calls)
    threads = [threading.Thread(target=k, args=(str(n),)) for n, k in enumerate(kinds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert watch.most == 1
    assert sorted(watch.order) == ["0"] * 5 + ["1"] * 5 + ["2"] * 5 + ["3"] * 5
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_waiting_calls_are_served_in_turn_and_cancelled_ones_passed_over() -> None:
    """A waiter that is cancelled neither keeps the lock nor its place."""
    watch, locks, service = Watch(), KeyedLocks(), Service()
    context = service.context(locks=locks)
    first = service.call("arun", watch.plan("first"), context)
    assert await first.next() == Title("key")
    tasks = []
    for name in "abcde":
        call = service.call("arun", watch.plan(name), context)
        tasks.append(asyncio.ensure_future(call.all()))
        await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    assert await first.all() == []
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each).__name__ for each in done] == ["list", "CancelledError"] * 2 + ["list"]
    assert watch.order == ["first", "a", "c", "e"]
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_waiter_that_is_cancelled_as_it_gets_the_lock_hands_it_on() -> None:
    """Neither of the two is lost, in whichever order they happen."""
    for cancel_first in (True, False):
        watch, locks, service = Watch(), KeyedLocks(), Service()
        context = service.context(locks=locks)
        locks.acquire("key")
        calls = [service.call("arun", watch.plan(name), context) for name in "ab"]
        tasks = [asyncio.ensure_future(call.all()) for call in calls]
        await asyncio.sleep(0.01)
        if cancel_first:
            tasks[0].cancel()
        locks.release("key")
        if not cancel_first:
            tasks[0].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert done[1] == [Title("key")]
        assert watch.order == ["b"]
        assert locks._held == {}


async def test_calls_with_other_keys_do_not_wait(way: str) -> None:
    """Conversations are independent."""
    watch, locks, service = Watch(), KeyedLocks(), Service()
    context = service.context(locks=locks)
    locks.acquire("another")
    call = service.call(way, watch.plan("a"), context)
    assert await call.all() == [Title("key")]


async def test_lock_the_call_holds_already_is_not_waited_for(way: str) -> None:
    """Two parts of a plan may want the same."""

    def plan() -> Plan:
        yield Lock("key")
        yield Lock("key")
        yield Title("through")

    locks, service = KeyedLocks(), Service()
    call = service.call(way, plan(), service.context(locks=locks))
    assert await call.all() == [Title("through")]
    assert locks._held == {}
