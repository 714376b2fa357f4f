"""The answer breaks off, or goes on where it should end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from langchain_g4f.errors import StreamInterruptedError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ChunkedWriter, Exchange
from tests.contract.faults.harness import (
    ask,
    assert_nothing_open,
    by_call,
    by_stream,
    by_turns,
    chunks,
    closed,
    fail,
)
from tests.contract.faults.registry import (
    HUGGINGCHAT,
    PATIENT,
    After,
    Provider,
    cut,
    end,
    fault,
    hang,
    reset,
)

WORDS = ("One ", "two ", "three ", "four.")


@fault(14)
@by_turns
@pytest.mark.parametrize("broken", [reset, cut])
@pytest.mark.parametrize("events", range(len(WORDS) + 1))
async def test_answer_broken_off_is_interrupted(
    provider: Provider, way: str, events: int, broken: After
) -> None:
    """The error has the text that came; nothing is sent but the stop, and the pool is empty."""
    before = WORDS[:events]
    pieces = [*provider.start, *map(provider.token, before)]
    with provider.server(answer=provider.answering(*pieces, then=broken)) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError)
        after = provider.after_cut if before else provider.after_silent_cut
        assert provider.asked(server) == (*provider.good_call, *after)
    assert error.partial_text == "".join(before)
    assert error.is_retryable


@fault(14)
@by_call
@pytest.mark.parametrize("broken", [reset, cut])
async def test_answer_broken_off_before_its_first_event_is_interrupted(
    provider: Provider, way: str, broken: After
) -> None:
    """A head without a body is an answer that began."""
    with provider.server(answer=provider.answering(then=broken)) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError)
        assert provider.asked(server) == (*provider.good_call, *provider.after_silent_cut)
    assert error.partial_text == ""


@fault(14, 15)
@by_stream
@pytest.mark.parametrize("broken", [reset, cut, end])
async def test_answer_broken_off_inside_a_piece_keeps_what_came_before(
    provider: Provider, way: str, broken: After
) -> None:
    """Half a piece is no text, and no other error than the cut itself."""
    half = provider.token("three ")[:-8]
    pieces = [*provider.start, *map(provider.token, WORDS[:2]), half]
    with provider.server(answer=provider.answering(*pieces, then=broken)) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError, host=None)
        assert provider.asked(server) == (*provider.good_call, *provider.after_cut)
    assert error.partial_text == "One two "


@fault(15, where=lambda provider: provider.marks_end)
@by_turns
@pytest.mark.parametrize("events", [0, 3])
async def test_answer_that_ends_without_its_terminal_event_is_interrupted(
    provider: Provider, way: str, events: int
) -> None:
    """An end in order is no proof that the answer is whole."""
    before = WORDS[:events]
    pieces = [*provider.start, *map(provider.token, before)]
    with provider.server(answer=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError, host=None)
        after = provider.after_cut if before else provider.after_silent_cut
        assert provider.asked(server) == (*provider.good_call, *after)
    assert error.partial_text == "".join(before)


@fault(15, where=lambda provider: provider.marks_end)
@by_call
async def test_answer_without_any_body_is_interrupted(provider: Provider, way: str) -> None:
    """A whole response of no bytes is no answer."""
    with provider.server(
        answer=lambda x: x.respond(200, content_type=provider.content_type)
    ) as server:
        await fail(provider.model(server), way, StreamInterruptedError, host=None)


@fault(16)
@by_turns
async def test_connection_held_after_the_end_is_closed_and_not_kept(
    provider: Provider, way: str
) -> None:
    """Where nothing can follow, nobody waits for the end of the body."""
    whole = provider.answering(*provider.whole("Hello", " there"), then=hang)
    with provider.server(answer=whole) as server:
        started = time.monotonic()
        answer = await ask(provider.model(server), way)
        assert time.monotonic() - started < 1
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call
        again = provider.model(server)
        assert (await ask(again, way)).text == "Hello there"
        numbers = [request.connection_number for request in server.requests]
        assert numbers == [1] * len(provider.good_call) + [2] * len(provider.again)
    assert answer.text == "Hello there"


@fault(16, only="HC")  # elsewhere nothing of interest follows
@by_stream
async def test_text_is_out_before_the_wait_for_what_may_follow(
    provider: Provider, way: str
) -> None:
    """A title is waited for some time, and the caller has the text already."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    clocks = replace(PATIENT, linger=0.4)
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        model = provider.model(server, timeout=clocks, await_title=True)
        started = time.monotonic()
        arrived: list[tuple[float, AIMessageChunk]] = [
            (time.monotonic() - started, chunk) async for chunk in chunks(model, way)
        ]
        assert_nothing_open()
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call
    (text_at,) = [at for at, chunk in arrived if chunk.text]
    last_at = arrived[-1][0]
    assert text_at < 0.3
    assert 0.4 <= last_at < 1.2
    assert arrived[-1][1].response_metadata["finish_reason"] == "stop"


@fault(16, 29, only="HC")
@by_turns
async def test_heartbeats_after_the_terminal_event_do_not_prolong_the_wait(
    provider: Provider, way: str
) -> None:
    """The time for what may follow is counted from the terminal event."""

    def beat(exchange: Exchange, stream: ChunkedWriter) -> None:
        while not exchange.hold(0.05):
            stream.chunk(provider.heartbeat)

    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=beat)) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=0.3), await_title=True)
        started = time.monotonic()
        answer = await ask(model, way)
        assert 0.3 <= time.monotonic() - started < 1
        assert await closed(provider, server, provider.answer)
    assert answer.text == "Hello"


@fault(16)
@by_call
@pytest.mark.parametrize("broken", [reset, cut, end])
async def test_connection_that_breaks_after_the_terminal_event_does_no_harm(
    provider: Provider, way: str, broken: After
) -> None:
    """The answer is whole; how its connection ends is of no interest."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=broken)) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello"
    assert answer.response_metadata["finish_reason"] == "stop"


# --- HuggingChat's own: a run outlives its connection --------------------------------------------


def following(*updates: dict[str, Any], then: After) -> Action:
    """Tell these updates to whoever follows the run again."""

    def act(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type="text/event-stream")
        for number, update in enumerate(updates):
            stream.chunk(b"event: update\nid: %d\ndata: %b\n\n" % (number, hc.encode(update)))
        then(exchange, stream)

    return act


def said(text: str) -> dict[str, Any]:
    """The update for a piece of text."""
    return {"type": "stream", "token": text}


def ended(exchange: Exchange, stream: ChunkedWriter) -> None:
    """End the run, and its stream."""
    stream.chunk(b'event: end\ndata: {"status":"completed"}\n\n')
    end(exchange, stream)


@pytest.mark.proves("fault:14:HC")
@by_turns
async def test_run_that_is_followed_again_loses_and_repeats_nothing(way: str) -> None:
    """The reader does not notice that the connection broke."""
    broken = HUGGINGCHAT.answering(hc.STARTED, *map(hc.token, WORDS[:2]), then=reset)
    final = {"type": "finalAnswer", "text": "".join(WORDS), "interrupted": False}
    follow = following(said("One "), said("two three "), said("four."), final, then=ended)
    with HUGGINGCHAT.server(send=broken, reattach=follow) as server:
        answer = await ask(HUGGINGCHAT.model(server), way)
        assert HUGGINGCHAT.asked(server) == ("create", "send", "read", "reattach")
    assert answer.text == "".join(WORDS)
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.proves("fault:14:HC")
@by_turns
@pytest.mark.parametrize("broken", [reset, cut])
async def test_run_whose_connection_breaks_again_is_given_up(way: str, broken: After) -> None:
    """It is taken up once; then the error has all the text, and the run is stopped."""
    first = HUGGINGCHAT.answering(hc.STARTED, *map(hc.token, WORDS[:2]), then=broken)
    follow = following(said("One two "), said("three "), then=broken)
    with HUGGINGCHAT.server(send=first, reattach=follow) as server:
        error = await fail(HUGGINGCHAT.model(server), way, StreamInterruptedError)
        assert HUGGINGCHAT.asked(server) == ("create", "send", "read", "reattach", "stop")
    assert error.partial_text == "One two three "
