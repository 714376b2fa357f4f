"""After the terminal event: what still counts, what is ignored, and who has the last word."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f.errors import TooLargeError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import ChunkedWriter, Exchange
from tests.contract.faults.harness import STREAMS, ask, by_call, by_turns, by_way, closed, fail
from tests.contract.faults.huggingchat_entry import SEEING
from tests.contract.faults.registry import HUGGINGCHAT, Provider, fault, fault_cases, hang
from tests.contract.faults.test_uploads import keep


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


@fault_cases(17, of=junk_of, where=lambda provider: provider.marks_end)
@by_turns
@pytest.mark.parametrize("glued", [True, False], ids=["in one chunk", "in its own chunk"])
async def test_bytes_after_the_end_are_ignored(
    provider: Provider, way: str, case: bytes, glued: bool
) -> None:
    """What follows the last event changes nothing, wherever the chunks are cut."""
    *pieces, last = provider.whole("Hello", " there")
    tail = [last + case] if glued else [last, case]
    with provider.server(answer=provider.answering(*pieces, *tail)) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello there"
    assert answer.response_metadata["finish_reason"] == "stop"


@fault(17, where=lambda provider: provider.marks_end)
@by_call
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
@by_call
async def test_answer_larger_than_the_limit_is_too_large(provider: Provider, way: str) -> None:
    """Lines that are fine by themselves may be too many: 64 MiB are enough."""

    def endless(_exchange: Exchange, stream: ChunkedWriter) -> None:
        while True:
            stream.chunk(b" " * (1 << 20) + b"\n")

    pieces = [*provider.start, provider.token("Hi")]
    with provider.server(answer=provider.answering(*pieces, then=endless)) as server:
        error = await fail(provider.model(server), way, TooLargeError, host=None)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert error.partial_text == "Hi"


# --- HuggingChat's own ---------------------------------------------------------------------------


WHOLE = (hc.STARTED, hc.token("Hello"), hc.final("Hello"))
TITLE = hc.line({"type": "title", "title": "Greeting"}) + hc.FINISHED


def late(exchange: Exchange, stream: ChunkedWriter) -> None:
    """Make a title after the answer."""
    exchange.hold(0.3)
    stream.chunk(TITLE)
    stream.end()


@pytest.mark.proves("fault:16:HC", "obligation:huggingchat:13")
@by_way
async def test_title_after_the_final_answer_is_waited_for_where_that_is_wanted(way: str) -> None:
    """The connection is used again after `finished`."""
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*WHOLE, then=late)) as server:
        model = HUGGINGCHAT.model(server, await_title=True)
        answer = await ask(model, way)
        await ask(model, way)
        assert {request.connection_number for request in server.requests} == {1}
    assert answer.response_metadata["title"] == "Greeting"


@pytest.mark.proves("fault:16:HC", "obligation:huggingchat:13", "obligation:huggingchat:14")
@by_way
async def test_answer_is_whole_at_its_final_text(way: str) -> None:
    """A title is not waited for; the run that makes it is not stopped."""
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*WHOLE, then=hang)) as server:
        begun = time.monotonic()
        answer = await ask(HUGGINGCHAT.model(server), way)
        assert time.monotonic() - begun < 1
        assert await closed(HUGGINGCHAT, server, "send")
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.good_call
    assert answer.text == "Hello"
    assert "title" not in answer.response_metadata
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.proves("fault:16:HC", "obligation:huggingchat:13")
@by_way
async def test_what_is_there_at_the_end_of_an_answer_is_read(way: str) -> None:
    """A title that does not have to be waited for belongs to the answer."""
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*WHOLE, TITLE)) as server:
        model = HUGGINGCHAT.model(server)
        assert (await ask(model, way)).response_metadata["title"] == "Greeting"
        await ask(model, way)
        assert {request.connection_number for request in server.requests} == {1}


FINALS = {
    "differs": (("Hello ", "world"), hc.final("Hallo Welt"), "Hallo Welt", "stop"),
    "is trimmed": (("Hello ", "world  "), hc.final("Hello world"), "Hello world  ", "stop"),
    "goes on": (("Hello",), hc.final("Hello and goodbye"), "Hello and goodbye", "stop"),
    "is all there is": ((), hc.final("Hello"), "Hello", "stop"),
    "is interrupted": (("Hel",), hc.final("Hel", interrupted=True), "Hel", "interrupted"),
    "is interrupted, alone": ((), hc.final("Hel", interrupted=True), "Hel", "interrupted"),
    "starts over": (("Hel", "Hello ", "you"), hc.final("Hello you"), "Hello you", "stop"),
}


@pytest.mark.proves("fault:26:HC")
@by_way
@pytest.mark.parametrize("case", FINALS.values(), ids=FINALS)
async def test_final_answer_corrects_a_call_and_never_a_stream(
    way: str, case: tuple[tuple[str, ...], bytes, str, str]
) -> None:
    """What was streamed is not retracted or said twice; a call returns the server's version."""
    said, final, text, reason = case
    pieces = [hc.STARTED, *map(hc.token, said), final, hc.FINISHED]
    with HUGGINGCHAT.server(send=HUGGINGCHAT.answering(*pieces)) as server:
        answer = await ask(HUGGINGCHAT.model(server), way)
        assert HUGGINGCHAT.asked(server) == HUGGINGCHAT.good_call
    streamed = "".join(said)
    assert answer.text == (streamed if way in STREAMS and said else text)
    assert answer.response_metadata["finish_reason"] == reason
    corrected = bool(said) and streamed != text
    assert answer.response_metadata.get("restarted", False) is corrected


@fault(16, only="HC")
@by_turns
async def test_next_turn_does_not_wait_for_a_run_that_was_interrupted(
    provider: Provider, way: str
) -> None:
    """A server that was ended in the midst of a run says no more of it than that."""
    with provider.server() as server:
        stored: dict[str, Any] = {"interrupted": True, "updates": []}
        server.handler = provider.serve({"read": keep(server, [], **stored)})
        model = provider.model(server, model=SEEING)
        answer = await ask(model, way, "hi")
        said = AIMessage(answer.content, response_metadata=answer.response_metadata)
        await ask(model, way, [HumanMessage("hi"), said, HumanMessage("And now?")])
        assert provider.asked(server) == (*provider.good_call, "read", "send")
