"""The answer breaks off, ends, or goes on where it should end; and what counts after its end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_g4f.errors import StreamInterruptedError, TooLargeError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ChunkedWriter, Exchange
from tests.contract.faults.harness import ask, assert_nothing_open, chunks, closed, fail
from tests.contract.faults.huggingchat_entry import SEEING
from tests.contract.faults.registry import (
    HUGGINGCHAT,
    PATIENT,
    STREAMS,
    After,
    Provider,
    cut,
    end,
    fault,
    hang,
    reset,
)
from tests.contract.faults.test_uploads import keep

WORDS = ("One ", "two ", "three ", "four.")

# --- rows 14 and 15: it breaks off ---------------------------------------------------------------

BREAKS: dict[str, tuple[int, After]] = {
    f"{then.__name__}-{words}": (words, then)
    for words, then in [(2, reset), (0, cut), (1, cut), (4, reset), (-1, reset), (-1, cut)]
}
"""After how many words (none of the start comes before, where that is -1), and how."""


@fault(14, case=BREAKS)
async def test_answer_broken_off_is_interrupted(
    provider: Provider, way: str, case: tuple[int, After]
) -> None:
    """The error has the text that came; nothing is sent but the stop, and the pool is empty."""
    count, broken = case
    before = WORDS[: max(count, 0)]
    pieces = [] if count < 0 else [*provider.start, *map(provider.token, before)]
    with provider.server(answer=provider.answering(*pieces, then=broken)) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError)
        after = provider.after_cut if before else provider.after_silent_cut
        assert provider.asked(server) == (*provider.good_call, *after)
    assert error.partial_text == "".join(before)
    assert error.is_retryable


@fault(14, 15, ways=STREAMS, broken=[reset, cut, end])
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
async def test_answer_that_ends_without_its_terminal_event_is_interrupted(
    provider: Provider, way: str
) -> None:
    """An end in order is no proof that the answer is whole; no body at all is no answer."""
    for before in (WORDS[:3], ()):
        pieces = [*provider.start, *map(provider.token, before)]
        with provider.server(answer=provider.answering(*pieces)) as server:
            error = await fail(provider.model(server), way, StreamInterruptedError, host=None)
            after = provider.after_cut if before else provider.after_silent_cut
            assert provider.asked(server) == (*provider.good_call, *after)
        assert error.partial_text == "".join(before)
    empty: Action = lambda x: x.respond(200, content_type=provider.content_type)  # noqa: E731
    with provider.server(answer=empty) as server:
        await fail(provider.model(server), way, StreamInterruptedError, host=None)


def said(text: str) -> dict[str, Any]:
    """The update for a piece of text."""
    return {"type": "stream", "token": text}


def following(*updates: dict[str, Any], then: After) -> Action:
    """Tell these updates to a client that follows the run again."""

    def act(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type="text/event-stream")
        for number, update in enumerate(updates):
            stream.chunk(b"event: update\nid: %d\ndata: %b\n\n" % (number, hc.encode(update)))
        then(exchange, stream)

    return act


def ended(exchange: Exchange, stream: ChunkedWriter) -> None:
    """End the run, and its stream."""
    stream.chunk(b'event: end\ndata: {"status":"completed"}\n\n')
    end(exchange, stream)


@fault(14, only="HC", curl=False)
async def test_run_that_is_followed_again_loses_and_repeats_nothing(
    provider: Provider, way: str
) -> None:
    """The reader does not notice that the connection broke."""
    broken = provider.answering(hc.STARTED, *map(hc.token, WORDS[:2]), then=reset)
    final = {"type": "finalAnswer", "text": "".join(WORDS), "interrupted": False}
    follow = following(said("One "), said("two three "), said("four."), final, then=ended)
    with provider.server(send=broken, reattach=follow) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == ("create", "send", "read", "reattach")
    assert answer.text == "".join(WORDS)
    assert answer.response_metadata["finish_reason"] == "stop"


@fault(14, only="HC", curl=False, broken=[reset, cut])
async def test_run_whose_connection_breaks_again_is_given_up(
    provider: Provider, way: str, broken: After
) -> None:
    """It is taken up once; then the error has all the text, and the run is stopped."""
    first = provider.answering(hc.STARTED, *map(hc.token, WORDS[:2]), then=broken)
    follow = following(said("One two "), said("three "), then=broken)
    with provider.server(send=first, reattach=follow) as server:
        error = await fail(provider.model(server), way, StreamInterruptedError)
        assert provider.asked(server) == ("create", "send", "read", "reattach", "stop")
    assert error.partial_text == "One two three "


# --- row 16: its connection is held after its end ------------------------------------------------


@fault(16)
async def test_connection_held_after_the_end_is_closed_and_not_kept(
    provider: Provider, way: str
) -> None:
    """Where nothing can follow, no call waits for the end of the body."""
    whole = provider.answering(*provider.whole("Hello", " there"), then=hang)
    with provider.server(answer=whole) as server:
        started = time.monotonic()
        answer = await ask(provider.model(server), way)
        assert time.monotonic() - started < 1.5
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call
        again = provider.model(server)
        assert (await ask(again, way)).text == "Hello there"
        numbers = [request.connection_number for request in server.requests]
        assert numbers == [1] * len(provider.good_call) + [2] * len(provider.again)
    assert answer.text == "Hello there"


@fault(16, broken=[reset, cut, end])
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


@fault(16, only="HC", ways=STREAMS)  # elsewhere nothing of interest follows
async def test_text_is_out_before_the_wait_for_what_may_follow(
    provider: Provider, way: str
) -> None:
    """A title is waited for some time, and the caller has the text already."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=0.4), await_title=True)
        started = time.monotonic()
        arrived: list[tuple[float, AIMessageChunk]] = [
            (time.monotonic() - started, chunk) async for chunk in chunks(model, way)
        ]
        assert_nothing_open()
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call
    (text_at,) = [at for at, chunk in arrived if chunk.text]
    last_at, last = arrived[-1]
    assert last_at - text_at > 0.2
    assert 0.4 <= last_at < 1.4
    assert last.response_metadata["finish_reason"] == "stop"


@fault(16, 29, only="HC")
async def test_heartbeats_after_the_terminal_event_do_not_prolong_the_wait(
    provider: Provider, way: str
) -> None:
    """The time for what may follow is counted from the terminal event."""

    def beat(exchange: Exchange, stream: ChunkedWriter) -> None:
        while not exchange.hold(0.05):
            stream.chunk(provider.heartbeat)

    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=beat)) as server:
        model = provider.model(server, timeout=replace(PATIENT, linger=0.2), await_title=True)
        started = time.monotonic()
        answer = await ask(model, way)
        assert 0.2 <= time.monotonic() - started < 1.5
        assert await closed(provider, server, provider.answer)
    assert answer.text == "Hello"


WHOLE = (hc.STARTED, hc.token("Hello"), hc.final("Hello"))
TITLE = hc.line({"type": "title", "title": "Greeting"}) + hc.FINISHED


def late(exchange: Exchange, stream: ChunkedWriter) -> None:
    """Make a title after the answer."""
    exchange.hold(0.2)
    stream.chunk(TITLE)
    stream.end()


TITLES = {
    "waited for": (HUGGINGCHAT.answering(*WHOLE, then=late), {"await_title": True}),
    "there already": (HUGGINGCHAT.answering(*WHOLE, TITLE), {}),
}


@pytest.mark.proves("obligation:huggingchat:13")
@fault(16, only="HC", curl=False, case=TITLES)
async def test_title_that_comes_after_the_answer_is_read(
    provider: Provider, way: str, case: tuple[Action, dict[str, Any]]
) -> None:
    """Where that is wanted, or does not have to be waited for; the connection is used again."""
    action, settings = case
    with provider.server(send=action) as server:
        model = provider.model(server, **settings)
        assert (await ask(model, way)).response_metadata["title"] == "Greeting"
        await ask(model, way)
        assert {request.connection_number for request in server.requests} == {1}


@pytest.mark.proves("obligation:huggingchat:13", "obligation:huggingchat:14")
@fault(16, only="HC", curl=False)
async def test_answer_is_whole_at_its_final_text(provider: Provider, way: str) -> None:
    """A title is not waited for; the run that makes it is not stopped."""
    with provider.server(send=provider.answering(*WHOLE, then=hang)) as server:
        answer = await ask(provider.model(server), way)
        assert await closed(provider, server, "send")
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello"
    assert "title" not in answer.response_metadata
    assert answer.response_metadata["finish_reason"] == "stop"


@fault(16, only="HC")
async def test_next_turn_does_not_wait_for_a_run_that_was_interrupted(
    provider: Provider, way: str
) -> None:
    """A server that was ended in the midst of a run says no more of it than that."""
    with provider.server() as server:
        stored: dict[str, Any] = {"interrupted": True, "updates": []}
        server.handler = provider.serve({"read": keep(server, [], **stored)})
        model = provider.model(server, model=SEEING)
        answer = await ask(model, way, "hi")
        before = AIMessage(answer.content, response_metadata=answer.response_metadata)
        await ask(model, way, [HumanMessage("hi"), before, HumanMessage("And now?")])
        assert provider.asked(server) == (*provider.good_call, "read", "send")


# --- rows 17, 26 and 31: after the end, and without one ------------------------------------------


def junk_of(provider: Provider) -> dict[str, bytes]:
    """What a server might say although it has nothing more to say."""
    return {
        "no JSON": provider.line(b"<html>"),
        "wrong shape": provider.line(b"[1, 2]") + provider.line(b"null"),
        "invalid UTF-8": provider.line(b"\xff\xfe"),
        "more text": provider.token("MORE"),
        "an error": provider.failure,
        "half a line": provider.token("MORE")[:-8],
    }


@fault(17, where=lambda provider: provider.marks_end, each=True, junk=junk_of)
async def test_bytes_after_the_end_are_ignored(provider: Provider, way: str, junk: bytes) -> None:
    """What follows the last event changes nothing, wherever the chunks are cut."""
    *pieces, last = provider.whole("Hello", " there")
    for tail in ([last + junk], [last, junk]):
        with provider.server(answer=provider.answering(*pieces, *tail)) as server:
            answer = await ask(provider.model(server), way)
            assert provider.asked(server) == provider.good_call
        assert answer.text == "Hello there"
        assert answer.response_metadata["finish_reason"] == "stop"


@fault(17, where=lambda provider: provider.marks_end)
async def test_flood_after_the_end_is_cut_off(provider: Provider, way: str) -> None:
    """A server that never stops sending is left alone."""

    def flood(_exchange: Exchange, stream: ChunkedWriter) -> None:
        while True:
            stream.chunk(b"junk " * 10_000)

    whole = provider.answering(*provider.whole("Hello", " there"), then=flood)
    with provider.server(answer=whole) as server:
        answer = await ask(provider.model(server), way)
        assert await closed(provider, server, provider.answer)
    assert answer.text == "Hello there"


@fault(31)
@pytest.mark.usefixtures("eighth_of_the_sizes")
async def test_answer_larger_than_the_limit_is_too_large(provider: Provider, way: str) -> None:
    """Lines that are fine by themselves may be too many: 64 MiB are enough, here 8."""

    def endless(_exchange: Exchange, stream: ChunkedWriter) -> None:
        while True:
            stream.chunk(b" " * (1 << 20) + b"\n")

    pieces = [*provider.start, provider.token("Hi")]
    with provider.server(answer=provider.answering(*pieces, then=endless)) as server:
        error = await fail(provider.model(server), way, TooLargeError, host=None)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert error.partial_text == "Hi"


Final = tuple[tuple[str, ...], bytes, str, str]

FINALS: dict[str, Final] = {
    "differs": (("Hello ", "world"), hc.final("Hallo Welt"), "Hallo Welt", "stop"),
    "is trimmed": (("Hello ", "world  "), hc.final("Hello world"), "Hello world  ", "stop"),
    "goes on": (("Hello",), hc.final("Hello and goodbye"), "Hello and goodbye", "stop"),
    "is all there is": ((), hc.final("Hello"), "Hello", "stop"),
    "is interrupted": (("Hel",), hc.final("Hel", interrupted=True), "Hel", "interrupted"),
    "is interrupted, alone": ((), hc.final("Hel", interrupted=True), "Hel", "interrupted"),
    "starts over": (("Hel", "Hello ", "you"), hc.final("Hello you"), "Hello you", "stop"),
}


@fault(26, only="HC", case=FINALS)
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_final_answer_corrects_a_call_and_never_a_stream(
    provider: Provider, way: str, case: Final
) -> None:
    """What was streamed is not retracted or said twice; a call returns the server's version."""
    words, final, text, reason = case
    pieces = [hc.STARTED, *map(hc.token, words), final, hc.FINISHED]
    with provider.server(send=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == provider.good_call
    streamed = "".join(words)
    assert answer.text == (streamed if way in STREAMS and words else text)
    assert answer.response_metadata["finish_reason"] == reason
    corrected = bool(words) and streamed != text
    assert answer.response_metadata.get("restarted", False) is corrected
