"""How long what looks like a browser lives, and what it leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from langchain_g4f.core.http import Request
from langchain_g4f.transport import client
from langchain_g4f.transport.client import sync_client
from langchain_g4f.transport.impersonate import (
    CurlTransport,
    ImpersonateConfig,
    SyncCurlTransport,
    sync_transport,
)
from tests.contract.faults.byte_server import ByteServer
from tests.strict import STRICT
from tests.unit.transport.exchanges import CHROME, Exchange, asked_of, begin, chrome, echo, until
from tests.unit.transport.test_client import exit_code

pytestmark = pytest.mark.proves("promise:impersonate-lifetime")

THREADS = "langchain_g4f impersonate"
SCRIPT = """
import sys
from langchain_g4f.transport.client import ClientSettings, sync_client
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.http import Request

exchange = sync_client(ClientSettings(impersonate="chrome")).exchange()
exchange.open(Request("GET", sys.argv[1]), Clocks())
print(exchange.read())
"""


def workers() -> int:
    """How many threads run transfers for callers that block."""
    return sum(thread.name == THREADS for thread in threading.enumerate())


def test_nothing_of_it_is_imported_before_it_is_wanted() -> None:
    """The library takes a while to load."""
    code = "import sys, langchain_g4f.transport.client; sys.exit('curl_cffi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_clients_of_loops_that_were_merely_closed_are_dropped_with_their_sockets() -> None:
    """Whether their answers were read or not."""

    async def main(url: str) -> Any:
        exchange = chrome("async")
        await exchange.open(Request("GET", url))
        return exchange

    with ByteServer(begin) as server:
        for _ in range(3):
            loop = asyncio.new_event_loop()
            exchange = loop.run_until_complete(main(server.url))
            loop.close()
            assert server.connections_open == 1
            client._async.clear()
            del exchange
            gc.collect()
            assert server.wait_closed(1)


def test_client_used_on_another_loop_says_so() -> None:
    """Its connections are watched by the first one."""
    transport = CurlTransport(ImpersonateConfig("chrome"))

    async def ask(url: str) -> bytes:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        return await response.aread()

    async def ask_and_close(url: str) -> None:
        with pytest.raises(RuntimeError, match="belongs to the event loop"):
            await ask(url)

    with ByteServer(echo) as server:
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(ask(server.url)) == b"GET /"
        asyncio.run(ask_and_close(server.url))
        loop.run_until_complete(transport.aclose())
        loop.close()


async def test_few_connections_are_kept_for_the_next_requests() -> None:
    """However many were needed at once."""
    everybody = threading.Barrier(100)

    def handle(asked: Any) -> None:
        everybody.wait(5)
        echo(asked)

    with ByteServer(handle) as server:
        async with httpx.AsyncClient(transport=CurlTransport(ImpersonateConfig("chrome"))) as http:
            await asyncio.gather(*(http.get(server.url) for _ in range(everybody.parties)))
            assert await until(lambda: server.connections_open == 50)


async def test_client_closes_with_many_answers_under_way() -> None:
    """Who reads one of them is told."""
    count = 150
    with ByteServer(begin) as server:
        async with AsyncExitStack() as stack:
            http = httpx.AsyncClient(transport=CurlTransport(ImpersonateConfig("chrome")))
            streams = [http.stream("GET", server.url) for _ in range(count)]
            found = await asyncio.gather(*map(stack.enter_async_context, streams))
            reading = [asyncio.ensure_future(response.aread()) for response in found]
            await asyncio.sleep(0)
            assert server.connections_open == count
            await http.aclose()
            ends = await asyncio.gather(*reading, return_exceptions=True)
        assert {type(end) for end in ends} == {httpx.ReadError}
        assert await asyncio.to_thread(server.wait_closed, 2)


def test_sync_client_closes_with_many_answers_under_way() -> None:
    """And with the last client, the thread is gone."""
    count = 150
    with ByteServer(begin) as server:
        with ExitStack() as stack:
            other = httpx.Client(transport=SyncCurlTransport(ImpersonateConfig("chrome")))
            http = httpx.Client(transport=SyncCurlTransport(ImpersonateConfig("chrome")))
            stack.enter_context(other.stream("GET", server.url))
            found = [stack.enter_context(http.stream("GET", server.url)) for _ in range(count)]
            assert (server.connections_open, workers()) == (count + 1, 1)
            http.close()
            for response in found:
                with pytest.raises(httpx.ReadError):
                    response.read()
            assert workers() == 1
            other.close()
        assert workers() == 0
        assert server.wait_closed(2)


def test_closed_sync_transport_says_so() -> None:
    """And starts no thread."""
    transport = SyncCurlTransport(ImpersonateConfig("chrome"))
    transport.close()
    with pytest.raises(RuntimeError, match="closed"):
        transport.handle_request(httpx.Request("GET", "http://127.0.0.1:9/"))
    assert workers() == 0


def test_threads_share_one_worker() -> None:
    """However many of them ask at once."""
    found: list[bytes] = []

    def ask(url: str) -> None:
        found.append(
            asyncio.run(Exchange(sync_client(CHROME).exchange()).whole(Request("GET", url)))
        )

    with ByteServer(echo) as server:
        threads = [threading.Thread(target=ask, args=(server.url,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert workers() == 1
    assert found == [b"GET /"] * 8


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_starts_with_clients_of_its_own() -> None:
    """What the parent reads goes on; the child has a thread of its own."""

    def in_child(url: str, parents: Exchange) -> bool:
        asyncio.run(parents.close())
        mine = Exchange(sync_client(CHROME).exchange())
        found = [asyncio.run(mine.whole(Request("GET", f"{url}/x")))]
        found.append(asyncio.run(asked_of("async", f"{url}/x", CHROME)))
        sync_client(CHROME).http.close()
        gc.collect()
        return found == [b"GET /x"] * 2

    def handle(asked: Any) -> None:
        if asked.path == "/x":
            echo(asked)
        else:
            begin(asked)

    with ByteServer(handle) as server:
        exchange = Exchange(sync_client(CHROME).exchange())
        asyncio.run(exchange.open(Request("GET", server.url)))
        with sync_transport._mutex:  # as if another thread held it
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if in_child(server.url, exchange) else 1)
                finally:
                    os._exit(2)
        assert exit_code(child, within_s=10) == 0
        assert asyncio.run(exchange.read()) == b"a"
        assert 1 not in server.closings
        asyncio.run(exchange.close())


def test_process_ends_with_an_answer_under_way() -> None:
    """Without a word."""
    with ByteServer(begin) as server:
        ended = subprocess.run(
            [*STRICT, "-c", SCRIPT, server.url],
            check=False,
            capture_output=True,
            timeout=30,
            cwd=Path(__file__).parents[3],
        )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"b'a'\n", b"")
