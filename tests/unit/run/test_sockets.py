"""The drivers on real connections: what the service sees of a call that ends early."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from langchain_g4f.core.events import Finish, Text
from langchain_g4f.core.http import Request
from langchain_g4f.core.plan import Plan, send
from langchain_g4f.errors import APITimeoutError, BadRequestError
from langchain_g4f.run import arun, run
from langchain_g4f.transport.client import async_client, sync_client
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.unit.run.chat import (
    CLOCKS,
    SETTINGS,
    assert_closed,
    chat,
    context,
    events_of,
    hanging,
    paths,
    plan_for,
)


@pytest.mark.proves("promise:early-close", "promise:abort-once")
def test_call_closed_early_closes_its_connection_and_stops_the_service(way: str) -> None:
    """Within a second the service has seen both."""
    with chat(hanging(b"ab")) as server:
        if way == "run":
            events = run(plan_for(server), context(), sync_client(SETTINGS))
            assert next(events) == Text("a")
            events.close()
        else:

            async def main() -> None:
                async with aclosing(
                    arun(plan_for(server), context(), async_client(SETTINGS))
                ) as events:
                    assert await anext(events) == Text("a")

            asyncio.run(main())
        assert paths(server) == ["/answer", "/stop", "/"]
        assert_closed(server, 1)


@pytest.mark.proves("promise:abort-once")
def test_sync_call_that_is_dropped_is_ended() -> None:
    """Nobody has to close it: the last reference is enough."""
    with chat(hanging(b"ab")) as server:
        events = run(plan_for(server), context(), sync_client(SETTINGS))
        assert next(events) == Text("a")
        del events
        gc.collect()
        assert paths(server) == ["/answer", "/stop", "/"]


def test_service_that_never_answers_a_stop_is_not_waited_for(way: str) -> None:
    """The clock of the clean-up is short, and its requests share it."""
    with chat(hanging(b"a?"), Exchange.never_answer) as server:
        begin = time.monotonic()
        with pytest.raises(Exception, match="no such thing"):
            events_of(way, plan_for(server), context())
        assert 0.1 < time.monotonic() - begin < 1.5
        assert paths(server) == ["/answer", "/stop", "/"]


@pytest.mark.proves("obligation:huggingchat:13")
@pytest.mark.parametrize("ending", [b".", b"!"])
def test_service_that_keeps_its_answer_open_is_left_in_time(ending: bytes, way: str) -> None:
    """The text is there; the rest is waited for briefly, and the connection is closed."""
    with chat(hanging(b"a" + ending)) as server:
        begin = time.monotonic()
        events = events_of(way, plan_for(server), context())
        assert time.monotonic() - begin < 1
        assert events == [Text("a"), Finish()]
        assert paths(server) == ["/answer", "/"]
        assert_closed(server, 1)


@pytest.mark.proves("obligation:huggingchat:13")
def test_connection_is_used_again_after_a_complete_answer(way: str) -> None:
    """The end of the body is waited for, for that reason."""

    def answer(exchange: Exchange) -> None:
        chunks = exchange.start_stream(content_type="text/plain")
        chunks.chunk(b"a!")
        exchange.hold(0.02)
        chunks.end()

    with chat(answer) as server:
        assert events_of(way, plan_for(server), context()) == [Text("a"), Finish()]
        assert [a.connection_number for a in server.requests] == [1, 1]


def test_endless_error_body_is_cut_and_its_connection_dropped(way: str) -> None:
    """The status is what counts."""
    sent = 0

    def answer(exchange: Exchange) -> None:
        nonlocal sent
        chunks = exchange.start_stream(400, content_type="text/plain")
        while True:
            chunks.chunk(b"x" * 10_000)
            sent += 10_000

    with chat(answer) as server:
        with pytest.raises(BadRequestError) as caught:
            events_of(way, plan_for(server), context(error_body=64 << 10))
        assert caught.value.body == "x" * 500 + "…"
        assert paths(server) == ["/answer", "/"]
        assert_closed(server, 1)
        assert sent < 20 << 20


@pytest.mark.proves("promise:clocks", "obligation:huggingchat:15")
def test_silence_in_an_answer_ends_it(way: str) -> None:
    """No byte for as long as the clock says."""
    own = context()
    own = replace(own, limits=replace(own.limits, clocks=replace(CLOCKS, silence=0.1)))
    with chat(hanging(b"a")) as server:
        with pytest.raises(APITimeoutError) as caught:
            events_of(way, plan_for(server), own)
        assert (caught.value.kind, caught.value.partial_text) == ("silence", "a")
        assert paths(server) == ["/answer", "/stop", "/"]


def test_small_response_is_read_whole_whatever_its_framing(way: str) -> None:
    """With a length, in chunks, or up to the end of the connection."""

    def until_close(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
        exchange.close()

    def chunked(exchange: Exchange) -> None:
        chunks = exchange.start_stream()
        for piece in (b"hel", b"lo"):
            chunks.chunk(piece)
        chunks.end()

    for act in (until_close, chunked, lambda exchange: exchange.respond(200, b"hello")):
        with ByteServer(act) as server:

            def plan(url: str) -> Plan:
                response = yield from send(lambda: Request("GET", url))
                yield Text(response.body.decode())

            assert events_of(way, plan(server.url), context()) == [Text("hello")]
