"""A server that never gets on and never stops sending: the deadline of the call holds everywhere.

Each of these servers sends a byte so often that no clock between two bytes runs out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APITimeoutError
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.downloads import fetch
from tests.contract.faults.harness import (
    assert_decent,
    begin,
    by_stream,
    end,
    eventually,
    nothing_open,
    read,
)
from tests.contract.faults.registry import HUGGINGCHAT, PATIENT, Provider, fault, hang

TOTAL_S = 0.5
LATE_S = 0.5
"""How much later than its deadline a call may end."""
CLOCKS = replace(PATIENT, total=TOTAL_S)


def dribble(start: bytes, again: bytes) -> Action:
    """Send the start, and then this again and again."""

    def act(exchange: Exchange) -> None:
        exchange.send(start)
        while not exchange.hold(0.1):
            exchange.send(again)

    return act


def slow(content_type: str = "application/json") -> list[Action]:
    """The servers: dribbled head, endless 1xx, chunk extension, trailers, silence, and body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n".encode()
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        dribble(head + b"X: ", b"a"),
        dribble(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        dribble(chunked + b"5;name=", b"a"),
        dribble(chunked + b"1\r\n \r\n0\r\nX: ", b"a"),
        Exchange.never_answer,
        dribble(head + b"Content-Length: 99\r\n\r\n", b" "),
    ]


def slow_at(provider: Provider, part: str) -> list[Action]:
    """The same in place of a part."""
    return slow(provider.content_type) if part == provider.answer else slow()


async def late(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds that a call takes to end with the timeout of its deadline."""
    since = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        await work()
    assert_decent(caught.value)
    assert caught.value.kind == "total"
    assert f"within {TOTAL_S:g} s" in str(caught.value)
    return time.monotonic() - since


async def assert_all_end_in_time(*calls: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """All at once; afterwards nothing is open."""
    taken = await asyncio.gather(*map(late, calls))
    assert max(taken) < TOTAL_S + LATE_S, taken
    assert min(taken) >= TOTAL_S - 0.01
    assert await eventually(nothing_open)


def in_a_thread(work: Callable[..., Any], *args: Any) -> Callable[[], Coroutine[Any, Any, object]]:
    """A blocking call, to be awaited."""
    return lambda: asyncio.to_thread(work, *args)


@fault(53)
async def test_server_that_dribbles_is_given_up_in_time(provider: Provider) -> None:
    """Whatever request of a call it is, both ways."""
    prompt = provider.full_prompt
    with provider.server() as good:  # what is imported at first use is no matter of the service
        await asyncio.to_thread(provider.full_model(good).invoke, prompt)
    for part in provider.full_call:
        servers = [provider.server(**{part: act}) for act in slow_at(provider, part)]
        with running(servers):
            models = [provider.full_model(each, timeout=CLOCKS, max_retries=0) for each in servers]
            await assert_all_end_in_time(
                *[in_a_thread(model.invoke, prompt) for model in models],
                *[lambda model=model: model.ainvoke(prompt) for model in models],
            )


@fault(53)
async def test_connection_that_was_used_before_is_given_up_in_time(provider: Provider) -> None:
    """A server may be good at first; nothing is connected then."""
    part = provider.again[-1]
    servers = [provider.server(**{part: [provider.good, act]}) for act in slow_at(provider, part)]
    with running(servers):
        models = [provider.model(each, timeout=CLOCKS, max_retries=0) for each in servers]
        for model in models:
            await asyncio.to_thread(model.invoke, "hi")
        await assert_all_end_in_time(*[in_a_thread(model.invoke, "hi") for model in models])


@fault(53, where=lambda provider: provider.abort)
async def test_clean_up_that_dribbles_ends_in_time(provider: Provider) -> None:
    """After a deadline, after a cancellation, and after a close."""
    pieces = [*provider.start, provider.token("Hello")]
    answer = provider.answering(*pieces, then=hang)
    servers = [
        provider.server(answer=answer, **dict.fromkeys(provider.abort, act)) for act in slow()
    ]
    with running(servers):
        models = [provider.model(each, timeout=CLOCKS, max_retries=0) for each in servers]
        await assert_all_end_in_time(
            *[in_a_thread(model.invoke, "hi") for model in models],
            *[lambda model=model: model.ainvoke("hi") for model in models],
        )
        patient = replace(PATIENT, abort=1)  # as by default
        models = [provider.model(each, timeout=patient) for each in servers]
        taken = await asyncio.gather(*map(cancelled, models), *map(closed, models))
        assert max(taken) < 1.5, taken
        assert await eventually(nothing_open, 3)


async def cancelled(model: Any) -> float:
    """Seconds that a caller waits who has only half a second."""
    since = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await model.ainvoke("hi")
    taken = time.monotonic() - since
    assert taken < 1, taken
    return taken


async def closed(model: Any) -> float:
    """Seconds that closing takes, the longer one of both ways."""

    async def close(way: str) -> float:
        stream = begin(model, way)
        await read(stream, 1)
        since = time.monotonic()
        await end(stream)
        return time.monotonic() - since

    blocking = asyncio.to_thread(lambda: asyncio.run(close("stream")))
    return max(await asyncio.gather(blocking, close("astream")))


@by_stream
@pytest.mark.proves("fault:53:HC")
async def test_loop_that_ends_waits_for_a_clean_up_it_was_not_waited_for(way: str) -> None:
    """What a cancelled caller leaves behind is ended in order, without a word of asyncio's."""
    provider = HUGGINGCHAT
    answer = provider.answering(*provider.start, provider.token("Hello"), then=hang)

    def main() -> float:
        async def call() -> None:
            model = provider.model(server)
            async with asyncio.timeout(0.3):
                await (model.ainvoke("hi") if way == "stream" else _all(model.astream("hi")))

        since = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(call())
        return time.monotonic() - since

    with provider.server(answer=answer, stop=Exchange.never_answer) as server:
        assert await asyncio.to_thread(main) < 1.5
        assert provider.asked(server) == (*provider.good_call, "stop")
        assert server.wait_closed(1)


async def _all(stream: Any) -> None:
    async for _ in stream:
        pass


@pytest.mark.proves("fault:53:HC", "fault:53:PH")
async def test_download_that_dribbles_is_given_up_in_time() -> None:
    """A file that a message names, from a server that is not the service."""
    servers = [ByteServer(act) for act in slow()]
    with running(servers):
        for settings in (ClientSettings(), ClientSettings(impersonate="chrome")):
            calls = [
                lambda driver=driver, url=f"{each.url}/cat.png", settings=settings: _download(
                    driver, url, settings
                )
                for each in servers
                for driver in ("run", "arun")
            ]
            await assert_all_end_in_time(*calls)


async def _download(driver: str, url: str, settings: ClientSettings) -> None:
    if driver == "run":
        await asyncio.to_thread(lambda: asyncio.run(_fetch(driver, url, settings)))
    else:
        await _fetch(driver, url, settings)


async def _fetch(driver: str, url: str, settings: ClientSettings) -> None:
    await fetch(driver, url, clocks=CLOCKS, settings=settings)


@fault(53, only="HC")
async def test_sign_in_that_dribbles_is_given_up_in_time(provider: Provider) -> None:
    """Who is logged in, and where one logs in."""
    servers = [ByteServer(act) for act in slow()]
    with running(servers):
        models = [provider.model(each, timeout=CLOCKS, max_retries=0) for each in servers]
        assert isinstance(models[0], ChatHuggingChat)
        await assert_all_end_in_time(
            *[in_a_thread(model.whoami) for model in models],
            *[model.awhoami for model in models],
            *[model.alogin_page for model in models],
        )


@contextmanager
def running(servers: list[ByteServer]) -> Iterator[None]:
    """Several servers, for as long as a block lasts."""
    with ExitStack() as stack:
        for each in servers:
            stack.enter_context(each)
        yield
