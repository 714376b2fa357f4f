"""Each clock of a call runs out for itself, however busy the server keeps the connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.limits import Clocks
from langchain_g4f.errors import APITimeoutError
from langchain_g4f.transport.client import ClientSettings
from tests.contract.faults.byte_server import Action, ByteServer, ChunkedWriter, Exchange
from tests.contract.faults.downloads import fetch
from tests.contract.faults.harness import (
    ask,
    assert_decent,
    begin,
    closed,
    end,
    eventually,
    fail,
    nothing_open,
    read,
)
from tests.contract.faults.registry import PATIENT, After, Provider, fault, hang

LATE_S = 3
"""How much later than its clock a call may end, on a busy machine; every other clock is longer."""


def every(seconds: float, piece: bytes) -> After:
    """Send this again and again, for ever."""

    def act(exchange: Exchange, stream: ChunkedWriter) -> None:
        while not exchange.hold(seconds):
            stream.chunk(piece)

    return act


async def gives_up(
    provider: Provider, way: str, answer: Action, clocks: Clocks, after_s: float
) -> APITimeoutError:
    """The error of an answer that is given up after this time: stopped, and closed."""
    with provider.server(answer=answer) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=clocks)
        error = await fail(model, way, APITimeoutError, host=None)
        assert after_s <= time.monotonic() - started < after_s + LATE_S
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)
    return error


IDLE: dict[str, Callable[[Provider], Action]] = {
    "heartbeats after a word": lambda p: p.answering(
        *p.start, p.token("Hello"), then=every(0.02, p.heartbeat)
    ),
    "heartbeats alone": lambda p: p.answering(then=every(0.02, p.heartbeat)),
    "unknown events": lambda p: p.answering(then=every(0.02, p.unknown)),
}


@fault(24, 29, answer=IDLE, each=True)
async def test_bytes_without_meaning_are_idleness(
    provider: Provider, way: str, answer: Callable[[Provider], Action]
) -> None:
    """Bytes flow, but nothing happens."""
    clocks = replace(PATIENT, idle=0.15)
    error = await gives_up(provider, way, answer(provider), clocks, 0.15)
    partial = "Hello" if answer is IDLE["heartbeats after a word"] else ""
    assert (error.kind, error.partial_text) == ("idle", partial)


@fault(30)
async def test_endless_trickle_of_events_ends_with_the_total_clock(
    provider: Provider, way: str
) -> None:
    """Each event comes in time, and the whole takes too long."""
    trickle = provider.answering(*provider.start, then=every(0.03, provider.token("more ")))
    clocks = replace(PATIENT, total=0.8)
    error = await gives_up(provider, way, trickle, clocks, 0.8)
    assert error.kind == "total"
    assert error.partial_text.startswith("more ")


@fault(30, where=lambda provider: provider.good_call[0] != provider.answer)
async def test_total_clock_counts_the_requests_before_the_answer(
    provider: Provider, way: str
) -> None:
    """A slow start is a part of the call."""

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.2)
        provider.good(exchange)

    trickle = provider.answering(*provider.start, then=every(0.03, provider.token("more ")))
    with provider.server(**{provider.good_call[0]: slow, "answer": trickle}) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=replace(PATIENT, total=0.35))
        error = await fail(model, way, APITimeoutError, host=None)
        assert 0.35 <= time.monotonic() - started < LATE_S
    assert error.kind == "total"


@fault(30)
async def test_one_number_is_the_total_clock(provider: Provider, way: str) -> None:
    """`timeout=0.3` bounds the whole call, whatever it waits for."""
    with provider.server(answer=Exchange.never_answer) as server:
        started = time.monotonic()
        await fail(provider.model(server, timeout=0.3), way, APITimeoutError, host=None)
        # the stop has a clock of its own
        assert 0.3 <= time.monotonic() - started < LATE_S


@fault(2, 29)
async def test_silence_inside_the_answer_is_noticed(provider: Provider, way: str) -> None:
    """Not even a heartbeat comes any more."""
    answer = provider.answering(*provider.start, provider.token("Hello"), then=hang)
    error = await gives_up(provider, way, answer, replace(PATIENT, silence=0.2), 0.2)
    assert (error.kind, error.partial_text) == ("silence", "Hello")


@fault(2, 29)
async def test_slow_model_has_its_time(provider: Provider, way: str) -> None:
    """Until the head comes the first clock counts; heartbeats between events are no idleness."""

    def act(exchange: Exchange) -> None:
        exchange.hold(0.3)
        stream = exchange.start_stream(content_type=provider.content_type)
        for piece in provider.start:
            stream.chunk(piece)
        for text in ("One ", "two "):
            for _ in range(8):
                stream.chunk(provider.heartbeat)
                exchange.hold(0.03)
            stream.chunk(provider.token(text))
        for piece in provider.end("One two "):
            stream.chunk(piece)
        stream.end()

    with provider.server(answer=act) as server:
        model = provider.model(server, timeout=replace(PATIENT, idle=2, silence=0.2))
        assert (await ask(model, way)).text == "One two "


# --- row 53: a byte so often that no clock between two bytes runs out ----------------------------

TOTAL_S = 0.4
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


@contextmanager
def running(servers: list[ByteServer]) -> Iterator[None]:
    """Several servers, for as long as a block lasts."""
    with ExitStack() as stack:
        for each in servers:
            stack.enter_context(each)
        yield


@fault(53)
async def test_server_that_dribbles_is_given_up_in_time(provider: Provider) -> None:
    """Whatever request of a call it is, both ways, and on a connection that was good before."""
    prompt = provider.full_prompt
    with provider.server() as good:  # what is imported at first use is no matter of the service
        await asyncio.to_thread(provider.full_model(good).invoke, prompt)
    for part in provider.full_call:
        content = (provider.content_type,) if part == provider.answer else ()
        before = [provider.good] if part == provider.again[-1] else []
        servers = [provider.server(**{part: [*before, act]}) for act in slow(*content)]
        with running(servers):
            models = [provider.full_model(each, timeout=CLOCKS, max_retries=0) for each in servers]
            if before:
                for each in servers:
                    await asyncio.to_thread(provider.full_model(each).invoke, prompt)
            await assert_all_end_in_time(
                *[in_a_thread(model.invoke, prompt) for model in models],
                *[lambda model=model: model.ainvoke(prompt) for model in models],
            )


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
        taken = await asyncio.gather(*map(cancelling, models), *map(closing, models))
        assert max(taken) < 1.5, taken
        assert await eventually(nothing_open, 3)


async def cancelling(model: Any) -> float:
    """Seconds that a caller waits who has half a second, and not the two that an abort has."""
    since = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await model.ainvoke("hi")
    return time.monotonic() - since


async def closing(model: Any) -> float:
    """Seconds that closing takes, the longer one of both ways."""

    async def close(way: str) -> float:
        stream = begin(model, way)
        await read(stream, 1)
        since = time.monotonic()
        await end(stream)
        return time.monotonic() - since

    blocking = asyncio.to_thread(lambda: asyncio.run(close("stream")))
    return max(await asyncio.gather(blocking, close("astream")))


@fault(53, only="HC", curl=False, ways=["ainvoke", "astream"])
async def test_loop_that_ends_waits_for_a_clean_up_it_was_not_waited_for(
    provider: Provider, way: str
) -> None:
    """What a cancelled caller leaves behind is ended in order, without a word of asyncio's."""
    answer = provider.answering(*provider.start, provider.token("Hello"), then=hang)

    def main() -> float:
        async def call() -> None:
            model = provider.model(server)
            async with asyncio.timeout(0.3):
                await (model.ainvoke("hi") if way == "ainvoke" else _all(model.astream("hi")))

        since = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(call())
        return time.monotonic() - since

    with provider.server(answer=answer, stop=Exchange.never_answer) as server:
        assert await asyncio.to_thread(main) < LATE_S
        assert provider.asked(server) == (*provider.good_call, "stop")
        assert server.wait_closed(1)


async def _all(stream: Any) -> None:
    async for _ in stream:
        pass


@pytest.mark.proves("fault:53:HC", "fault:53:PH")
@pytest.mark.parametrize("impersonate", [None, "chrome"])
async def test_download_that_dribbles_is_given_up_in_time(impersonate: str | None) -> None:
    """A file that a message names, from a server that is not the service."""
    settings = ClientSettings(impersonate=impersonate)
    servers = [ByteServer(act) for act in slow()]

    async def download(driver: str, url: str) -> None:
        work = fetch(driver, url, clocks=CLOCKS, settings=settings)
        await (work if driver == "arun" else asyncio.to_thread(asyncio.run, work))

    with running(servers):
        urls = [f"{each.url}/cat.png" for each in servers]
        calls = [(driver, url) for url in urls for driver in ("run", "arun")]
        await assert_all_end_in_time(*[lambda call=call: download(*call) for call in calls])


@fault(53, only="HC", curl=False)
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
