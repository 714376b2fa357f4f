"""Connections that break in the middle of an answer, and servers that begin an answer again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APIError, ServerError, StreamInterruptedError
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Watcher,
    add_up,
    ask,
    handle,
    heard,
    history,
    inputs,
    only,
    paths,
)


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


def piece(number: int, token: str) -> bytes:
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


def model_at(server: ByteServer, **settings: Any) -> ChatHuggingChat:
    """A model on this server."""
    return ChatHuggingChat(base_url=f"{server.url}/chat", model=MODEL, **settings)


@pytest.mark.proves("promise:re-attach", "fault:14:HC", "obligation:huggingchat:10")
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_second_drop_is_an_error_with_the_whole_part(way: str) -> None:
    """One more connection is tried, not many; the run is stopped where the caller left it."""
    again = events(BEGIN, piece(3, "one two three "), piece(4, "four"), ends=False)
    with server_with(again) as server:
        with pytest.raises(StreamInterruptedError) as caught:
            await ask(model_at(server), way, "go")
        assert caught.value.partial_text == "one two three four"
        assert caught.value.is_retryable
        assert server.count("GET", "/stream$") == 1
        (stop,) = [r for r in server.requests if r.path.endswith("/stop-generating")]
        assert b'"seenContentLength": 18' in stop.body


@pytest.mark.proves("promise:re-attach")
async def test_server_that_closes_a_long_run_is_followed_on() -> None:
    """It does so every few minutes; the number of the last event says where to go on."""
    watcher = Watcher()
    first = events(BEGIN, piece(3, "one "), HEARTBEAT, piece(4, "two three "), ends=True)
    second = events(piece(5, "four "), HEARTBEAT, ends=True)
    third = events(piece(6, "five"), completed(7, "one two three four five"), ends=True)
    with server_with([first, second, third]) as server:
        answer = await model_at(server, on_progress=watcher).ainvoke("go")
        asked = [r for r in server.requests if r.path.endswith("/stream")]
        lasts = [{n.lower(): v for n, v in r.headers}.get("last-event-id") for r in asked]
        assert server.count("POST", "stop-generating") == 0
    assert answer.text == "one two three four five"
    assert lasts == [None, "4", "5"]
    assert watcher.kinds.count("title") == 1
    assert answer.response_metadata["title"] == "T"


@pytest.mark.proves("promise:re-attach")
async def test_server_that_closes_and_says_nothing_is_given_up() -> None:
    """Without any event there is no end to asking again."""
    with server_with(events(HEARTBEAT, ends=True)) as server:
        with pytest.raises(StreamInterruptedError) as caught:
            await model_at(server).ainvoke("go")
        assert caught.value.partial_text == "one two "
        assert server.count("GET", "/stream$") == 1


UNFOLLOWABLE: dict[str, Action] = {
    "no such run": hc.reattach_gone,
    "no such address": lambda exchange: exchange.respond(404, b'{"message":"Not found"}'),
    "a page": lambda exchange: exchange.respond(200, b"<!doctype html>", content_type="text/html"),
    "invalid events": events(b"event: update\ndata: {broken\n\n", ends=True),
}


@pytest.mark.proves("promise:re-attach", "obligation:huggingchat:10")
@pytest.mark.parametrize("case", UNFOLLOWABLE)
async def test_run_that_cannot_be_followed_is_an_interrupted_answer(case: str) -> None:
    """The error says what broke first and has what came."""
    with (
        server_with(UNFOLLOWABLE[case]) as server,
        pytest.raises(StreamInterruptedError) as caught,
    ):
        await model_at(server).ainvoke("go")
    assert caught.value.partial_text == "one two "
    assert caught.value.is_retryable


@pytest.mark.proves("promise:re-attach", "promise:everything-yielded")
async def test_tools_missed_in_the_drop_are_told() -> None:
    """What was said before the drop is not said again; what was missed is, in its place."""
    call = {"name": "add", "parameters": {"a": 2}}
    result = {"status": "success", "call": call, "outputs": [{"text": "5"}]}
    again = events(
        BEGIN,
        piece(3, "one two "),
        event(4, {"type": "tool", "subtype": "call", "uuid": "u1", "call": call}),
        event(5, {"type": "tool", "subtype": "result", "uuid": "u1", "result": result}),
        piece(6, "five"),
        completed(7, "five"),
        ends=True,
    )
    with server_with(again) as server:
        answer = await model_at(server).ainvoke("go")
    assert answer.text == "one two five"
    assert "restarted" not in answer.response_metadata
    kinds = [block["type"] for block in answer.content_blocks]
    assert kinds == ["text", "server_tool_call", "server_tool_result"]


TEXT = "Zażółć gęślą jaźń 😀👩‍👩‍👧‍👦 \u2028漢字\x85 " * 3 + "end"


THOUGHTS = "First 🤔 I look at it. Then — jaźń — I answer."


PACES = [0.0, 0.004]


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model on this server."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, **settings)


def reattached(sandbox: Sandbox) -> list[dict[str, str]]:
    """The queries with which runs were taken up again."""
    return [request.query for request in sandbox.requests if request.path.endswith("/stream")]


@pytest.mark.proves("promise:re-attach", "obligation:huggingchat:10")
@pytest.mark.parametrize("pace_s", PACES)
@pytest.mark.parametrize("drop_after", [0, 5, 999])
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_dropped_answer_has_neither_gap_nor_repeat(
    way: str, drop_after: int, pace_s: float
) -> None:
    """Wherever it drops, and whether the run goes on or is over by then."""
    reply = Reply(text=TEXT, drop_after=drop_after, pace_s=pace_s)
    with Sandbox(reply=reply, split="random") as sandbox:
        answer = await ask(model_on(sandbox), way, "go")
        assert answer.text == TEXT
        assert len(reattached(sandbox)) == 1
        assert len(sandbox.prompts) == 1
        assert not [path for path in paths(sandbox) if path.endswith("stop-generating")]
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["title"] == "Title: go"
    assert "restarted" not in answer.response_metadata


@pytest.mark.proves("promise:re-attach", "promise:reasoning-apart")
@pytest.mark.parametrize("glued", [True, False])
@pytest.mark.parametrize("drop_after", [0, 2, 6])
@pytest.mark.parametrize("pace_s", PACES)
async def test_dropped_in_its_reasoning_an_answer_keeps_both_apart(
    pace_s: float, drop_after: int, glued: bool
) -> None:
    """The tags may have come before the drop or not."""
    reply = Reply(
        text=TEXT,
        reasoning=THOUGHTS,
        reasoning_glued=glued,
        drop_after=drop_after,
        pace_s=pace_s,
    )
    with Sandbox(reply=reply, split="random") as sandbox:
        answer = await model_on(sandbox).ainvoke("go")
    assert answer.text == TEXT
    assert answer.additional_kwargs["reasoning_content"] == THOUGHTS


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("pace_s", PACES)
async def test_what_comes_beside_the_text_comes_once(pace_s: float) -> None:
    """Title and model are neither lost in the drop nor said twice."""
    watcher = Watcher()
    with Sandbox(reply=Reply(text=TEXT, drop_after=3, pace_s=pace_s, slow_title=True)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model="omni", on_progress=watcher)
        answer = await model.ainvoke("go")
    assert answer.response_metadata["title"] == "Title: go"
    assert answer.response_metadata["model_name"] == MODEL
    assert watcher.kinds == ["started", "reattach", "title"]


@pytest.mark.proves("promise:re-attach", "promise:native-conversations")
@pytest.mark.parametrize("pace_s", PACES)
async def test_conversation_goes_on_after_a_drop(pace_s: float) -> None:
    """The answer is the server's, to the letter."""
    with Sandbox(reply=Reply(text=TEXT, drop_after=3, pace_s=pace_s)) as sandbox:
        model = model_on(sandbox)
        answer = await model.ainvoke("go")
        await model.ainvoke(history("go", answer, "on"))
        assert inputs(sandbox) == ["go", "on"]
        assert len(only(sandbox).messages) == 5


@pytest.mark.proves("promise:re-attach", "obligation:huggingchat:9")
@pytest.mark.parametrize("pace_s", PACES)
async def test_run_that_fails_after_the_drop_is_the_runs_own_error(pace_s: float) -> None:
    """What the server says of its failure counts, not that the connection broke before."""
    reply = Reply(text=TEXT, drop_after=1, error=(503, "busy"), error_after=3, pace_s=pace_s)
    with Sandbox(reply=reply) as sandbox:
        with pytest.raises(ServerError, match="busy") as caught:
            await model_on(sandbox).ainvoke("go")
        assert caught.value.status_code == 503
        assert caught.value.partial_text
        assert len(reattached(sandbox)) == 1


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("pace_s", PACES)
async def test_run_stopped_elsewhere_after_the_drop_is_interrupted(pace_s: float) -> None:
    """Its last word is taken for what it is."""
    reply = Reply(text=TEXT, drop_after=2, hang_after=4, pace_s=pace_s)
    with Sandbox(reply=reply) as sandbox:
        asking = asyncio.create_task(model_on(sandbox).ainvoke("go"))
        await asyncio.to_thread(sandbox.wait_until, lambda: reattached(sandbox))
        await _stop(sandbox)
        answer = await asking
    assert answer.response_metadata["finish_reason"] == "interrupted"
    assert TEXT.startswith(answer.text)


async def _stop(sandbox: Sandbox) -> None:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(
            f"{sandbox.base_url}/conversation/{only(sandbox).id}/stop-generating",
            headers={"cookie": sandbox.requests[-1].headers["cookie"]},
        )


@pytest.mark.proves("promise:re-attach", "promise:cancel-stops", "obligation:huggingchat:14")
async def test_closing_after_the_drop_stops_the_run() -> None:
    """A run that was taken up again is stopped like any other, once, where the caller left it."""
    reply = Reply(tokens=(f"w{n} " for n in range(9999)), drop_after=3, pace_s=0.01)
    with Sandbox(reply=reply) as sandbox:
        heard = ""
        async with aclosing(model_on(sandbox).astream("go")) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                heard += chunk.text
                if reattached(sandbox) and heard.count(" ") > 8:
                    break
        await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy)
        stops = [request for request in sandbox.requests if "stop" in request.path]
        assert [stop.json["seenContentLength"] for stop in stops] == [len(heard)]
        assert only(sandbox).messages[2].content.strip() == heard.strip()


@pytest.mark.proves("promise:interrupted-answers")
async def test_part_from_an_older_server_is_continued() -> None:
    """What it kept of the answer begins with what the caller has."""
    reply = Reply(text="one two three four", drop_after=2, pace_s=0.01)
    with Sandbox(reply=reply, generation="legacy") as sandbox:
        model = model_on(sandbox)
        chunks, _ = await heard(model, "astream", "go", StreamInterruptedError)
        part = add_up(chunks)
        with pytest.raises(StreamInterruptedError):
            await model.ainvoke(history("go", part, "on"))
        assert inputs(sandbox) == ["go", "on"]
        assert handle(part)["conversation"] == only(sandbox).id


@pytest.mark.proves("promise:re-attach")
async def test_error_before_anything_is_no_reason_to_take_it_up() -> None:
    """Only a cut is."""
    with Sandbox() as sandbox:
        with pytest.raises(APIError):
            await model_on(sandbox).ainvoke("hi [[error:500]]")
        assert not reattached(sandbox)


COUNTED = "one two three four five"


@pytest.mark.proves("promise:silent-restart")
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_reasoning_of_the_answer_counts_once_where_it_is_folded(way: str) -> None:
    """Thoughts are thought again; the answer is not in them."""
    reply = Reply(text=COUNTED, reasoning="Hm. So.", restart_after=4)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.text.endswith(COUNTED)
    if way == "invoke":
        assert answer.text == COUNTED
    assert "one" not in answer.additional_kwargs["reasoning_content"]


@pytest.mark.proves("promise:silent-restart", "promise:native-conversations")
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_restarted_answer_is_continued(way: str) -> None:
    """The server knows its last version, which the caller's ends with."""
    with Sandbox(reply=Reply(text=COUNTED, restart_after=3)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        answer = await ask(model, way, "go")
        await ask(model, way, history("go", answer, "on"))
        assert inputs(sandbox) == ["go", "on"]
        assert only(sandbox).messages[2].content == COUNTED


@pytest.mark.proves("promise:silent-restart", "promise:re-attach")
@pytest.mark.parametrize("drop_after", [1, 3])
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_restart_and_drop_together(way: str, drop_after: int) -> None:
    """Folded it is the server's version; streamed, it ends with it, and says so."""
    reply = Reply(text=COUNTED, restart_after=3, drop_after=drop_after)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.response_metadata["restarted"] is True
    if way == "invoke":
        assert answer.content == COUNTED
    else:
        assert answer.text == f"one two three{COUNTED}"


@pytest.mark.proves("promise:silent-restart")
async def test_answer_that_did_not_begin_anew_does_not_say_so() -> None:
    """Trailing space, which the server trims, is no restart."""
    with Sandbox(reply=Reply(text=f"{COUNTED} \n\n")) as sandbox:
        answer = await ChatHuggingChat(base_url=sandbox.base_url, model=MODEL).ainvoke("go")
    assert "restarted" not in answer.response_metadata
    assert answer.text.strip() == COUNTED
