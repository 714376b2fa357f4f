"""Locks: calls that want the same one take turns, and a lock can be given back early."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from langchain_g4f.core.events import Title
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, Plan, Unlock, send
from tests.unit.run.service import FakeService, Reply, Serve, request


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
    watch, locks, service = Watch(), KeyedLocks(), FakeService()
    context = service.context(locks=locks)

    def sync_calls(name: str) -> None:
        for _ in range(5):
            call = service.call("sync", watch.plan(name), context)
            assert list(call.sync) == [Title("key")]

    def async_calls(name: str) -> None:
        async def main() -> None:
            calls = [service.call("async", watch.plan(name), context) for _ in range(5)]
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
    watch, locks, service = Watch(), KeyedLocks(), FakeService()
    context = service.context(locks=locks)
    first = service.call("async", watch.plan("first"), context)
    assert await first.next() == Title("key")
    tasks = []
    for name in "abcde":
        call = service.call("async", watch.plan(name), context)
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
        watch, locks, service = Watch(), KeyedLocks(), FakeService()
        context = service.context(locks=locks)
        locks.acquire("key")
        calls = [service.call("async", watch.plan(name), context) for name in "ab"]
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


# -- locks that are given back before the call ends -----------------------------------------------


def fetching(key: str = "key") -> Plan:
    """Hold a lock for one request of two."""
    yield Lock(key)
    yield from send(request("fetch"))
    yield Unlock(key)
    yield Title("unlocked")
    yield from send(request("use"))


@pytest.mark.proves("promise:locks")
async def test_lock_that_is_given_back_is_free_for_others_at_once(mode: str, serve: Serve) -> None:
    """The call goes on without it."""
    locks, service = KeyedLocks(), serve()
    context = service.context(locks=locks)
    first = service.call(mode, fetching(), context)
    assert await first.next() == Title("unlocked")
    second = service.call(mode, fetching(), context)
    assert await second.all() == [Title("unlocked")]
    assert await first.all() == []
    assert service.asked == ["fetch", "fetch", "use", "use"]
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_lock_that_was_given_back_is_not_released_a_second_time(
    mode: str, serve: Serve
) -> None:
    """Another call may hold it by then."""
    locks, service = KeyedLocks(), serve()
    call = service.call(mode, fetching(), service.context(locks=locks))
    assert await call.next() == Title("unlocked")
    held = locks.acquire("key")
    assert held.done()
    await call.close()
    waiting = locks.acquire("key")
    assert not waiting.done()
    locks.release("key")
    assert waiting.done()
    locks.release("key")
    assert locks._held == {}


async def test_lock_that_was_given_back_can_be_taken_again(mode: str, serve: Serve) -> None:
    """Other locks of the call are kept; one that the call holds is not waited for."""

    def plan() -> Plan:
        yield Lock("other")
        yield Lock("other")
        yield from fetching()
        yield Lock("key")
        yield Title("locked")

    locks, service = KeyedLocks(), serve()
    call = service.call(mode, plan(), service.context(locks=locks))
    assert await call.next() == Title("unlocked")
    assert list(locks._held) == ["other"]
    assert await call.next() == Title("locked")
    assert "key" in locks._held
    await call.close()
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_lock_is_released_where_the_plan_does_not_come_to_give_it_back(
    mode: str, serve: Serve
) -> None:
    """A call that failed meanwhile blocks no other."""
    locks, service = KeyedLocks(), serve(fetch=Reply(status=401))
    call = service.call(mode, fetching(), service.context(locks=locks))
    with pytest.raises(Exception, match="401"):
        await call.all()
    assert locks._held == {}
