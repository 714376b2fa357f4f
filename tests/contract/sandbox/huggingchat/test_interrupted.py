"""Answers that were not read to their end, and how the next turn follows them."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, closing

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APIError
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    Watcher,
    add_up,
    ask,
    asked,
    branches,
    heard,
    history,
    inputs,
    only,
)

SLOW = "count [[long:200]][[pace:5]]"


async def begin(model: ChatHuggingChat, way: str, count: int, prompt: str = SLOW) -> AIMessage:
    """The sum of the first chunks of a stream that is then closed."""
    chunks: list[AIMessageChunk] = []
    if way == "stream":
        with closing(model.stream(prompt)) as stream:  # type: ignore[type-var]
            while len(chunks) < count:
                chunks.append(next(stream))
    else:
        async with aclosing(model.astream(prompt)) as found:  # type: ignore[type-var]
            while len(chunks) < count:
                chunks.append(await anext(found))
    return add_up(chunks)


@pytest.mark.proves("promise:interrupted-answers", "promise:handle")
@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_interrupted_stream_is_continued(sandbox: Sandbox, way: str, count: int) -> None:
    """The part that was heard stays in the conversation, and only the new turn is sent."""
    watcher = Watcher()
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
    part = await begin(model, way, count)
    second = await ask(model, way, history(SLOW, part, "and now?"))
    assert inputs(sandbox) == [SLOW, "and now?"]
    assert len(only(sandbox).messages) == 5
    assert second.text.endswith("turn 2): and now?")
    (role, heard) = asked(sandbox)[1][1]
    assert role == "assistant"
    assert heard.startswith(part.text)
    assert not {"conversation_changed", "conversation_lost"} & set(watcher.kinds)


@pytest.mark.proves("promise:interrupted-answers", "promise:cancel-stops")
async def test_current_server_keeps_only_what_was_heard(generation: Generation) -> None:
    """The stop names how far the caller read, so the model does not know more than the caller."""
    with Sandbox(generation=generation) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        part = await begin(model, "astream", 4)
        await model.ainvoke(history(SLOW, part, "and now?"))
        kept = only(sandbox).messages[2].content
    if generation == "current":
        assert kept == part.text
    else:  # that one has no stop point: it goes on until it notices the stop
        assert kept.startswith(part.text)


@pytest.mark.proves("promise:cancel-stops", "obligation:huggingchat:14")
@pytest.mark.parametrize("way", ["stream", "astream", "cancelled", "stop string", "astop string"])
async def test_generation_ends_soon_after_the_caller_has_left(sandbox: Sandbox, way: str) -> None:
    """On an older server by a stop that comes while the answer is open: later ones do nothing."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    prompt = "count [[long:400]][[pace:20]]"
    if way == "cancelled":
        task = asyncio.create_task(model.ainvoke(prompt))
        await asyncio.to_thread(sandbox.wait_until, lambda: sandbox.prompts)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    elif way == "stop string":
        await asyncio.to_thread(model.invoke, prompt, stop=["w5"])
    elif way == "astop string":
        await model.ainvoke(prompt, stop=["w5"])
    else:
        await begin(model, way, 3, prompt)
    begun = time.monotonic()
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy)
    assert time.monotonic() - begun < 1
    stops = [request for request in sandbox.requests if request.path.endswith("stop-generating")]
    assert len(stops) == 1


@pytest.mark.proves("obligation:huggingchat:5")
async def test_next_turn_waits_for_a_title_that_is_being_made(generation: Generation) -> None:
    """At the end of its run a current server writes back the messages it knows."""
    reply = Reply(text="Yes.", slow_title=True, title_s=0.4, title="Late")
    with Sandbox(reply=reply, generation=generation) as sandbox:
        watcher = Watcher()
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
        first = await model.ainvoke("one")
        assert "title" not in first.response_metadata
        second = await model.ainvoke(history("one", first, "two"))
        await model.ainvoke(history("one", first, "two", second, "three"))
        await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy)
        assert [m.content for m in only(sandbox).messages if m.role == "user"] == [
            "one",
            "two",
            "three",
        ]
        assert only(sandbox).title.endswith("Late")
    assert not {"conversation_changed", "conversation_busy"} & set(watcher.kinds)


@pytest.mark.proves("promise:interrupted-answers", "promise:stop-across-chunks")
async def test_answer_cut_at_a_stop_string_is_continued(sandbox: Sandbox) -> None:
    """The server's answer ends where the caller's does, but for the stop string itself."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    cut = await model.ainvoke(SLOW, stop=["w5 "])
    assert cut.text == "w1 w2 w3 w4 "
    await model.ainvoke(history(SLOW, cut, "and now?"))
    assert inputs(sandbox) == [SLOW, "and now?"]
    kept = asked(sandbox)[1][1][1]
    assert kept.startswith("w1 w2 w3 w4")
    assert len(kept) < 60


@pytest.mark.proves("promise:interrupted-answers")
async def test_cancelled_call_leaves_a_conversation_to_branch_from(sandbox: Sandbox) -> None:
    """What was cancelled before any of it was heard leaves the earlier answer as it was."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    first = await model.ainvoke("one")
    task = asyncio.create_task(model.ainvoke(history("one", first, SLOW)))
    await asyncio.to_thread(sandbox.wait_until, lambda: len(sandbox.prompts) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = await model.ainvoke(history("one", first, "two"))
    assert second.text.endswith("turn 2): two")
    assert len(sandbox.conversations) == 1
    assert branches(only(sandbox))[-1][-2:] == ["two", second.text]


@pytest.mark.proves("promise:interrupted-answers")
async def test_answer_interrupted_in_its_reasoning_is_continued(
    sandbox: Sandbox, generation: Generation
) -> None:
    """Nothing of the answer itself was heard; what the model thought so far stays with it."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model="sandbox/reasoner")
    part = await begin(model, "astream", 3, "why [[pace:10]]")
    assert part.text == ""
    assert part.additional_kwargs["reasoning_content"]
    await model.ainvoke(history("why [[pace:10]]", part, "and now?"))
    assert inputs(sandbox)[-1] == "and now?"
    assert len(sandbox.conversations) == 1


@pytest.mark.proves("promise:interrupted-answers")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_answer_that_failed_is_continued(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """The chunks that came before an error are a part of the answer like any other."""
    prompt = "fail [[error-mid:500]]"
    chunks, _ = await heard(model, way, prompt, APIError)
    answer = await ask(model, way, history(prompt, add_up(chunks), "and now?"))
    assert answer.text.endswith("turn 2): and now?")
    assert len(sandbox.conversations) == 1
