"""Connections that drop again and again, or that the server closes while its run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import StreamInterruptedError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import MIXED_WAYS, MODEL, WAYS, Watcher, ask, heard

STREAMS = ("stream", "astream")


def dropping(exchange: Exchange) -> None:
    """Answer with two words, then break the connection."""
    stream = exchange.start_stream()
    for piece in (hc.STARTED, hc.line({"type": "title", "title": "T"})):
        stream.chunk(piece)
    stream.chunk(hc.token("one "))
    stream.chunk(hc.token("two "))
    exchange.close()


def event(number: int, update: dict[str, Any]) -> bytes:
    """One update of a run that is followed again."""
    return b"id: %d\nevent: update\ndata: %b\n\n" % (number, hc.encode(update))


def text(number: int, token: str) -> bytes:
    """A piece of its text."""
    return event(number, {"type": "stream", "token": token})


BEGIN = event(1, {"type": "status", "status": "started"}) + event(
    2, {"type": "title", "title": "T"}
)
HEARTBEAT = b": heartbeat\n\n"


def completed(number: int, whole: str) -> bytes:
    """The end of a good run."""
    final = event(number, {"type": "finalAnswer", "text": whole, "interrupted": False})
    return final + b'event: end\ndata: {"status":"completed"}\n\n'


def events(*pieces: bytes, ends: bool) -> Action:
    """Follow a run so far; then end the response in order, or break the connection."""

    def handle(exchange: Exchange) -> None:
        stream = exchange.start_stream(content_type="text/event-stream")
        for piece in pieces:
            stream.chunk(piece)
        if ends:
            stream.end()
        else:
            exchange.close()

    return handle


def server_with(reattach: Action | Sequence[Action]) -> ByteServer:
    """A server whose answers drop."""
    return ByteServer(hc.chat_ui(send=dropping, reattach=reattach))


def model_on(server: ByteServer, **settings: Any) -> ChatHuggingChat:
    """A model on this server."""
    return ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, **settings)


@pytest.mark.proves("promise:re-attach", "fault:14:HC", "obligation:huggingchat:10")
@pytest.mark.parametrize("way", WAYS)
async def test_second_drop_is_an_error_with_the_whole_part(way: str) -> None:
    """One more connection is tried, not many; the run is stopped where the caller left it."""
    again = events(BEGIN, text(3, "one two three "), text(4, "four"), ends=False)
    with server_with(again) as server:
        with pytest.raises(StreamInterruptedError) as caught:
            await ask(model_on(server), way, "go")
        assert caught.value.partial_text == "one two three four"
        assert caught.value.is_retryable
        assert server.count("GET", "/stream$") == 1
        (stop,) = [r for r in server.requests if r.path.endswith("/stop-generating")]
        assert b'"seenContentLength": 18' in stop.body


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", STREAMS)
async def test_streamed_part_is_the_errors_part(way: str) -> None:
    """What the caller heard and what the error says are the same."""
    again = events(BEGIN, text(3, "one two three "), text(4, "four"), ends=False)
    with server_with(again) as server:
        chunks, error = await heard(model_on(server), way, "go", StreamInterruptedError)
    assert "".join(chunk.text for chunk in chunks) == error.partial_text == "one two three four"


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", WAYS)
async def test_server_that_closes_a_long_run_is_followed_on(way: str) -> None:
    """It does so every few minutes; the number of the last event says where to go on."""
    watcher = Watcher()
    first = events(BEGIN, text(3, "one "), HEARTBEAT, text(4, "two three "), ends=True)
    second = events(text(5, "four "), HEARTBEAT, ends=True)
    third = events(text(6, "five"), completed(7, "one two three four five"), ends=True)
    with server_with([first, second, third]) as server:
        answer = await ask(model_on(server, on_progress=watcher), way, "go")
        asked = [r for r in server.requests if r.path.endswith("/stream")]
        lasts = [{n.lower(): v for n, v in r.headers}.get("last-event-id") for r in asked]
        assert server.count("POST", "stop-generating") == 0
    assert answer.text == "one two three four five"
    assert lasts == [None, "4", "5"]
    assert watcher.kinds.count("title") == 1
    assert answer.response_metadata["title"] == "T"


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", WAYS)
async def test_replay_cut_in_the_middle_goes_on_there(way: str) -> None:
    """The server may close before the replay has come to what is new."""
    first = events(BEGIN, text(3, "one "), ends=True)
    second = events(text(4, "two "), ends=True)
    third = events(text(5, "three"), completed(6, "one two three"), ends=True)
    with server_with([first, second, third]) as server:
        assert (await ask(model_on(server), way, "go")).text == "one two three"


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", WAYS)
async def test_server_that_closes_and_says_nothing_is_given_up(way: str) -> None:
    """Without any event there is no end to asking again."""
    with server_with(events(HEARTBEAT, ends=True)) as server:
        with pytest.raises(StreamInterruptedError) as caught:
            await ask(model_on(server), way, "go")
        assert caught.value.partial_text == "one two "
        assert server.count("GET", "/stream$") == 1


def gone(exchange: Exchange) -> None:
    """Know of no such run."""
    hc.reattach_gone(exchange)


def not_found(exchange: Exchange) -> None:
    """Know of no such address."""
    exchange.respond(404, b'{"message":"Not found"}')


def page(exchange: Exchange) -> None:
    """Answer with a page, as some servers do to everything."""
    exchange.respond(200, b"<!doctype html>", content_type="text/html")


def garbage(exchange: Exchange) -> None:
    """Send events that are none."""
    events(b"event: update\ndata: {broken\n\n", ends=True)(exchange)


@pytest.mark.proves("promise:re-attach", "obligation:huggingchat:10")
@pytest.mark.parametrize("reattach", [gone, not_found, page, garbage])
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_run_that_cannot_be_followed_is_an_interrupted_answer(
    way: str, reattach: Action
) -> None:
    """The error says what broke first and has what came."""
    with server_with(reattach) as server, pytest.raises(StreamInterruptedError) as caught:
        await ask(model_on(server), way, "go")
    assert caught.value.partial_text == "one two "
    assert caught.value.is_retryable


@pytest.mark.proves("promise:re-attach", "promise:everything-yielded")
@pytest.mark.parametrize("way", WAYS)
async def test_tools_missed_in_the_drop_are_told(way: str) -> None:
    """What was said before the drop is not said again; what was missed is, in its place."""
    call = {"name": "add", "parameters": {"a": 2}}
    result = {"status": "success", "call": call, "outputs": [{"text": "5"}]}
    again = events(
        BEGIN,
        text(3, "one two "),
        event(4, {"type": "tool", "subtype": "call", "uuid": "u1", "call": call}),
        event(5, {"type": "tool", "subtype": "result", "uuid": "u1", "result": result}),
        text(6, "five"),
        completed(7, "five"),
        ends=True,
    )
    with server_with(again) as server:
        answer = await ask(model_on(server), way, "go")
    assert answer.text == "one two five"
    assert "restarted" not in answer.response_metadata
    kinds = [block["type"] for block in answer.content_blocks]
    assert kinds == ["text", "server_tool_call", "server_tool_result"]
