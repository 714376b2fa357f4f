"""Where HTTP clients come from, and how long they live."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from langchain_g4f.core.http import Request
from langchain_g4f.transport import client
from langchain_g4f.transport.client import (
    AsyncClient,
    ClientSettings,
    SyncClient,
    async_client,
    sync_client,
)
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.byte_server import Exchange as Asked
from tests.unit.transport.exchanges import (
    CHROME,
    CLOCKS,
    PLAIN,
    Exchange,
    asked_of,
    by_mode,
    echo,
    made,
    sockets_open,
)

by_settings = pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        pytest.param(CHROME, marks=pytest.mark.proves("promise:impersonate-lifetime")),
    ],
    ids=["httpx", "curl"],
)


@by_mode
async def test_models_with_equal_settings_share_a_client(mode: str) -> None:
    """And with it its connections and its retries."""
    proxy = "http://user:pw@127.0.0.1:9"
    one = made(mode, ClientSettings(SecretStr(proxy)))
    assert made(mode, ClientSettings(SecretStr(proxy))) is one
    assert made(mode, ClientSettings(SecretStr(proxy + "9"))) is not one
    assert made(mode, PLAIN) is made(mode, ClientSettings())


async def test_threads_share_the_sync_client() -> None:
    """One pool serves them all."""
    found = await asyncio.gather(*(asyncio.to_thread(sync_client, PLAIN) for _ in range(8)))
    assert len(set(found)) == 1


@by_mode
@by_settings
async def test_client_keeps_no_cookies(mode: str, settings: ClientSettings) -> None:
    """Identities belong to models; a shared jar would mix them."""
    with ByteServer(echo) as server:
        await asked_of(mode, server.url, settings)
        await asked_of(mode, server.url, settings)
        assert [asked.header("cookie") for asked in server.requests] == [None, None]
    assert len(made(mode, settings).http.cookies.jar) == 0


@pytest.mark.proves("promise:client-per-loop")
@by_settings
def test_each_event_loop_has_its_own_client_and_closes_it(settings: ClientSettings) -> None:
    """A second ``asyncio.run`` works; ten leave no descriptor, thread, task or complaint behind."""
    found, complaints = [], list[object]()

    async def main(url: str) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: complaints.append(it))
        assert await asked_of("async", url, settings) == b"GET /x"
        assert await asked_of("async", url, settings) == b"GET /x"
        assert asyncio.all_tasks() == {asyncio.current_task()}
        found.append(async_client(settings))

    with ByteServer(echo) as server:
        asyncio.run(main(f"{server.url}/x"))
        assert server.wait_closed(1)
        before, threads = sockets_open(), threading.active_count()
        for _ in range(10):
            asyncio.run(main(f"{server.url}/x"))
        assert server.wait_closed(1)
        assert (sockets_open(), threading.active_count()) == (before, threads)
        assert [a.request_number for a in server.requests] == [1, 2] * 11
    assert len(set(map(id, found))) == 11
    assert all(each.http.is_closed for each in found)
    gc.collect()
    assert (client._async, complaints) == ({}, [])


@pytest.mark.proves("promise:client-per-loop")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_clients_of_loops_that_were_merely_closed_are_dropped_with_their_sockets() -> None:
    """Whoever does not shut a loop down is warned by asyncio; nothing piles up."""

    async def main(url: str) -> int:
        await asked_of("async", url)
        return len(client._async)

    with ByteServer(echo) as server:
        counts, sockets = [], []
        for _ in range(3):
            loop = asyncio.new_event_loop()
            counts.append(loop.run_until_complete(main(server.url)))
            loop.close()
            gc.collect()
            sockets.append(sockets_open())
        assert counts == [1] * 3
        assert max(sockets) <= min(sockets) + 2  # the server has an end of each, too
        client._async.clear()
        gc.collect()
        assert server.wait_closed(1)


async def test_closing_waits_for_calls_under_way_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call that never ends does not keep its loop alive."""
    for leaves in (True, False):
        monkeypatch.setattr(client, "_GRACE_S", 5 if leaves else 0.02)
        one = AsyncClient(httpx.AsyncClient())
        one.enter()
        one.enter()
        one.leave()
        closing = asyncio.ensure_future(one.close())
        await asyncio.sleep(0.005)
        assert not closing.done()
        if leaves:
            one.leave()
        await asyncio.wait_for(closing, 1)
        assert one.http.is_closed


@pytest.mark.proves("promise:many-streams")
@by_mode
async def test_more_streams_than_a_default_pool_holds_run_at_once(mode: str) -> None:
    """A hundred is httpx's own limit."""
    count = 120
    all_here = threading.Barrier(count)

    def handle(asked: Asked) -> None:
        stream = asked.start_stream()
        all_here.wait(10)
        stream.chunk(b"together")
        stream.end()

    with ByteServer(handle) as server:
        if mode == "async":
            work: Any = [asked_of(mode, server.url) for _ in range(count)]
        else:
            one = made(mode, PLAIN)
            opened: list[Exchange] = []
            threads = [
                threading.Thread(target=lambda: opened.append(_opened(one, server.url)))
                for _ in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            work = [_rest(each) for each in opened]
        assert await asyncio.gather(*work) == [b"together"] * count


def _opened(one: SyncClient | AsyncClient, url: str) -> Exchange:
    exchange = Exchange(one.exchange())
    exchange.inner.open(Request("GET", url), CLOCKS)
    return exchange


async def _rest(exchange: Exchange) -> bytes:
    body = await exchange.read() or b""
    assert await exchange.read() is None
    await exchange.close()
    return body


def exit_code(child: int, within_s: float) -> int:
    """How a child process ended; one that hangs is killed."""
    deadline = time.monotonic() + within_s
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(ended[1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_starts_with_clients_of_its_own() -> None:
    """Sockets are the parent's: the child neither uses nor closes them."""

    async def ask(url: str) -> bytes:
        return await asked_of("async", url)

    def in_child(url: str, parents: object) -> bool:
        if client._sync or client._async or sync_client(PLAIN) is parents:
            return False
        sync = Exchange(sync_client(PLAIN).exchange())
        found = [asyncio.run(sync.whole(Request("GET", url))), asyncio.run(ask(url))]
        gc.collect()
        return found == [b"GET /x"] * 2

    with ByteServer(echo) as server:
        url = f"{server.url}/x"
        parents = sync_client(PLAIN)
        assert asyncio.run(Exchange(parents.exchange()).whole(Request("GET", url)))
        with client._mutex:  # as if another thread held it
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if in_child(url, parents) else 1)
                finally:
                    os._exit(2)
        assert exit_code(child, within_s=10) == 0
        assert asyncio.run(Exchange(parents.exchange()).whole(Request("GET", url)))
        numbers = [(a.connection_number, a.request_number) for a in server.requests]
    assert numbers == [(1, 1), (2, 1), (3, 1), (1, 2)]
