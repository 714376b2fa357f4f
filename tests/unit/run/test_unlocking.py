"""Locks that are given back before the call ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from langchain_g4f.core.events import Title
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, Plan, Unlock, send
from tests.unit.run.world import Reply, Service, request

Serve = Callable[..., Service]


def fetching(key: str = "key") -> Plan:
    """Hold a lock for one request of two."""
    yield Lock(key)
    yield from send(request("fetch"))
    yield Unlock(key)
    yield Title("unlocked")
    yield from send(request("use"))


@pytest.mark.proves("promise:locks")
async def test_lock_that_is_given_back_is_free_for_others_at_once(way: str, serve: Serve) -> None:
    """The call goes on without it."""
    locks, service = KeyedLocks(), serve()
    context = service.context(locks=locks)
    first = service.call(way, fetching(), context)
    assert await first.next() == Title("unlocked")
    second = service.call(way, fetching(), context)
    assert await second.all() == [Title("unlocked")]
    assert await first.all() == []
    assert service.asked == ["fetch", "fetch", "use", "use"]
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_lock_that_was_given_back_is_not_released_a_second_time(
    way: str, serve: Serve
) -> None:
    """Another call may hold it by then."""
    locks, service = KeyedLocks(), serve()
    call = service.call(way, fetching(), service.context(locks=locks))
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


async def test_lock_that_was_given_back_can_be_taken_again(way: str, serve: Serve) -> None:
    """It is held to the end of the call then."""

    def plan() -> Plan:
        yield from fetching()
        yield Lock("key")
        yield Title("locked")

    locks, service = KeyedLocks(), serve()
    call = service.call(way, plan(), service.context(locks=locks))
    assert await call.next() == Title("unlocked")
    assert await call.next() == Title("locked")
    assert "key" in locks._held
    await call.close()
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_lock_is_released_where_the_plan_does_not_come_to_give_it_back(
    way: str, serve: Serve
) -> None:
    """A call that failed meanwhile blocks no other."""
    locks, service = KeyedLocks(), serve(fetch=Reply(status=401))
    call = service.call(way, fetching(), service.context(locks=locks))
    with pytest.raises(Exception, match="401"):
        await call.all()
    assert locks._held == {}


async def test_other_locks_of_the_call_are_kept(way: str, serve: Serve) -> None:
    """Only the one that is named is given back."""

    def plan() -> Plan:
        yield Lock("other")
        yield from fetching()

    locks, service = KeyedLocks(), serve()
    call = service.call(way, plan(), service.context(locks=locks))
    assert await call.next() == Title("unlocked")
    assert list(locks._held) == ["other"]
    await call.close()
    assert locks._held == {}
