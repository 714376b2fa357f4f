"""What a process has learnt of services, with a bound and an age."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.core.cache import Cache, Kind

WORDS, OTHERS = Kind[str](2), Kind[int](2)


def test_least_recently_used_value_is_removed_above_the_limit() -> None:
    """Reading and writing are uses; other kinds have their own limit."""
    cache = Cache()
    cache.put(OTHERS, "a", 1)
    for key in ("a", "b"):
        cache.put(WORDS, key, key)
    cache.get(WORDS, "a")
    cache.put(WORDS, "c", "c")  # instead of b
    cache.put(WORDS, "a", "new")
    cache.put(WORDS, "d", "d")  # instead of c
    assert [cache.get(WORDS, key) for key in "abcd"] == ["new", None, None, "d"]
    assert cache.get(OTHERS, "a") == 1


def test_expired_values_are_removed() -> None:
    """At their age since they were last written; reading one, or writing any, removes it."""
    now = 10.0
    cache = Cache(lambda: now)
    cache.put(WORDS, "short", "old", 2)
    cache.put(WORDS, "short", "new", 5)
    cache.put(WORDS, "long", "w", 9)
    now = 14.9
    assert (cache.get(WORDS, "short"), len(cache)) == ("new", 2)
    now = 15
    assert (cache.get(WORDS, "short"), len(cache)) == (None, 1)
    now = 19
    cache.put(OTHERS, "for ever", 1)
    assert len(cache) == 1
    cache.put(WORDS, "no age", "w", 0)
    assert cache.pop(WORDS, "no age") is None


def test_use_within_a_use_does_not_wait_for_itself() -> None:
    """The garbage collector may run a call's cleanup at any time."""
    late = ["inner"]

    def clock() -> float:
        if late:
            cache.put(WORDS, "a", late.pop())
        return 0.0

    cache = Cache(clock)
    cache.put(WORDS, "b", "outer")
    assert [cache.get(WORDS, key) for key in "ab"] == ["inner", "outer"]


def test_threads_use_a_cache_at_once() -> None:
    """With expired values, and more values than the limit."""
    cache, kind = Cache(), Kind[int](50)

    def work(worker: int) -> None:
        for number in range(2000):
            cache.put(kind, f"{number % 70}", worker, 1e-5 if number % 3 else 60)
            cache.get(kind, f"{(number + worker) % 70}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert 0 < len(cache) <= 50


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child_has_the_values_and_a_free_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that held the lock at the fork does not run in the child."""
    cache, held, proceed = model_client._cache, threading.Event(), threading.Event()
    cache.put(WORDS, "a", "word")

    def clock() -> float:
        held.set()
        proceed.wait(10)
        return 0.0

    monkeypatch.setattr(cache, "_clock", clock)
    thread = threading.Thread(target=cache.get, args=(WORDS, "a"))
    thread.start()
    assert held.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(5)  # ends a child that waits
        cache._clock = lambda: 0.0
        os._exit(0 if cache.get(WORDS, "a") == "word" else 1)
    proceed.set()
    thread.join(10)
    assert os.waitpid(child, 0)[1] == 0
