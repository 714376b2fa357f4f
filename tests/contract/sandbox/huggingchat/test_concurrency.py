"""Two clients of one conversation: calls of this package wait, other clients are noticed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APITimeoutError, ConflictError
from langchain_g4f.providers.huggingchat import destination
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    Watcher,
    ask,
    branches,
    echo,
    handle,
    history,
    inputs,
    only,
)

PACE = "[[pace:10]]"


COOKIES = {"hf-chat": "33333333-3333-4333-8333-333333333333"}


@pytest.fixture
def generation() -> Generation:
    """The version of the server makes no difference to these tests."""
    return "current"


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """One more model object of the same caller."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=COOKIES, **settings)


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
async def test_tasks_on_one_conversation_lose_no_turn(sandbox: Sandbox) -> None:
    """Eight branches asked for at once are eight branches in the end."""
    model = model_on(sandbox)
    first = history("one", await model.ainvoke("one"))
    texts = [f"branch {n} {PACE}" for n in range(8)]
    answers = await asyncio.gather(*(model.ainvoke(history(first, text)) for text in texts))
    assert [answer.text for answer in answers] == [
        echo(2, text.removesuffix(f" {PACE}")) for text in texts
    ]
    assert {branch[2] for branch in branches(only(sandbox))} == set(texts)
    assert len(only(sandbox).messages) == 3 + 16


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5", "promise:locks")
async def test_threads_and_tasks_wait_for_each_other(sandbox: Sandbox) -> None:
    """A sync call in a thread and an async one in a loop, on different objects."""
    first = history("one", await model_on(sandbox).ainvoke("one"))
    answers = await asyncio.gather(
        asyncio.to_thread(model_on(sandbox).invoke, history(first, f"sync {PACE}")),
        model_on(sandbox).ainvoke(history(first, f"async {PACE}")),
        asyncio.to_thread(
            lambda: asyncio.run(model_on(sandbox).ainvoke(history(first, f"other loop {PACE}")))
        ),
    )
    assert [a.text for a in answers] == [echo(2, t) for t in ("sync", "async", "other loop")]
    assert len(only(sandbox).messages) == 3 + 6


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
async def test_answer_that_is_still_streaming_is_waited_for(sandbox: Sandbox) -> None:
    """Its first chunk leads to a conversation whose turn is not over yet."""
    model = model_on(sandbox)
    async with aclosing(model.astream(f"count [[long:20]]{PACE}")) as chunks:  # type: ignore[type-var]
        begun = await anext(chunks)
        after = asyncio.create_task(model_on(sandbox).ainvoke("two", conversation=handle(begun)))
        heard = [begun.text, *[chunk.text async for chunk in chunks]]
    assert (await after).text == echo(2, "two")
    whole = "".join(heard)
    assert whole.endswith("w20")
    assert branches(only(sandbox)) == [[f"count [[long:20]]{PACE}", whole, "two", echo(2, "two")]]


@pytest.mark.proves("promise:one-send-at-a-time")
async def test_conversations_do_not_wait_for_one_another(sandbox: Sandbox) -> None:
    """Only calls on the same conversation do."""
    model = model_on(sandbox)
    slow = history("one", await model.ainvoke("one"), f"count [[long:200]]{PACE}")
    quick = history("uno", await model.ainvoke("uno"), "due")
    task = asyncio.create_task(model.ainvoke(slow))
    await asyncio.to_thread(sandbox.wait_until, lambda: len(sandbox.prompts) == 3)
    async with asyncio.timeout(1):
        assert (await model.ainvoke(quick)).text == echo(2, "due")
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.proves("promise:one-send-at-a-time", "promise:clocks")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_waiting_for_a_turn_ends_with_the_calls_own_time(sandbox: Sandbox, way: str) -> None:
    """Whoever has no time left leaves the queue, and nothing was sent."""
    model = model_on(sandbox)
    first = history("one", await model.ainvoke("one"))
    hurried = model.model_copy(update={"timeout": 0.1})
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        for _ in model_on(sandbox).stream(history(first, f"count [[long:400]]{PACE}")):
            holding.set()
            if release.is_set():
                break

    holder = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(holding.wait)
    sent = len(sandbox.requests)
    with pytest.raises(APITimeoutError) as caught:
        await ask(hurried, way, history(first, "two"))
    release.set()
    await holder
    assert caught.value.kind == "total"
    assert not caught.value.request_sent
    stops = [request for request in sandbox.requests[sent:] if "stop" not in request.path]
    assert not stops
    assert (await model.ainvoke(history(first, "three"))).text == echo(2, "three")


@pytest.mark.proves("promise:one-send-at-a-time", "promise:locks")
async def test_cancelled_waiter_leaves_the_queue(sandbox: Sandbox) -> None:
    """Who no longer waits does not stand in the others' way."""
    model = model_on(sandbox)
    first = history("one", await model.ainvoke("one"))
    async with aclosing(  # type: ignore[type-var]
        model.astream(history(first, f"count [[long:400]]{PACE}"))
    ) as chunks:
        await anext(chunks)
        waiting = [
            asyncio.create_task(model.ainvoke(history(first, f"waits {n}"))) for n in range(3)
        ]
        await asyncio.sleep(0.02)
        waiting[0].cancel()
    assert (await waiting[1]).text == echo(2, "waits 1")
    assert (await waiting[2]).text == echo(2, "waits 2")
    assert waiting[0].cancelled()


@pytest.mark.proves("promise:one-send-at-a-time")
async def test_failed_call_lets_the_next_one_through(sandbox: Sandbox) -> None:
    """However a call ends, its conversation is free again."""
    model = model_on(sandbox)
    first = history("one", await model.ainvoke("one"))
    answers = await asyncio.gather(
        model.ainvoke(history(first, "fail [[error:500]]")),
        model.ainvoke(history(first, "two")),
        return_exceptions=True,
    )
    assert isinstance(answers[0], Exception)
    assert isinstance(answers[1], AIMessage)


SLOW = "count [[long:300]][[pace:10]]"


@asynccontextmanager
async def browser(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """The same caller, by other means."""
    async with httpx.AsyncClient(
        base_url=sandbox.base_url,
        headers={"cookie": f"hf-chat={COOKIES['hf-chat']}", "origin": sandbox.origin},
        trust_env=False,
    ) as http:
        yield http


@pytest.mark.proves("promise:interrupted-answers")
async def test_answer_that_another_client_stops_is_interrupted_and_continued() -> None:
    """What the server kept is all there is of it."""
    with Sandbox() as sandbox:
        model = model_on(sandbox)
        asking = asyncio.create_task(model.ainvoke(SLOW))
        await asyncio.to_thread(sandbox.wait_until, lambda: sandbox.prompts)
        async with browser(sandbox) as http:
            await http.post(f"/conversation/{only(sandbox).id}/stop-generating")
        first = await asking
        assert first.response_metadata["finish_reason"] == "interrupted"
        await model.ainvoke(history(SLOW, first, "again"))
        assert inputs(sandbox) == [SLOW, "again"]
        assert len(only(sandbox).messages) == 5


@pytest.mark.proves("promise:branches")
async def test_turns_of_the_browser_do_not_confuse_the_callers(
    sandbox: Sandbox, generation: Generation
) -> None:
    """Each answer is found again, whatever was added since."""
    model = model_on(sandbox)
    first = await model.ainvoke("one")
    async with browser(sandbox) as http:
        data = {"id": only(sandbox).messages[2].id, "inputs": "from the browser"}
        form = {"data": (None, json.dumps(data))}
        await http.post(f"/conversation/{only(sandbox).id}", files=form)
    second = await model.ainvoke(history("one", first, "two"))
    await model.ainvoke(history("one", first, "two", second, "three"))
    trunk = ["one", echo(1, "one")]
    assert branches(only(sandbox)) == [
        [*trunk, "from the browser", echo(2, "from the browser")],
        [*trunk, "two", echo(2, "two"), "three", echo(3, "three")],
    ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for an answer that goes on elsewhere."""
    monkeypatch.setattr(destination, "_WAITS_S", (0.01, 0.02))


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
async def test_answer_that_another_process_still_hears_is_not_disturbed(impatient: None) -> None:
    """No lock reaches there, but the server tells; a turn sent now would be lost, or lose it."""
    endless = Reply(tokens=(f"w{n} " for n in range(9999)), pace_s=0.01)
    with Sandbox(lambda prompt: endless if prompt.turn == 1 else Reply(text="ok")) as sandbox:
        model = model_on(sandbox)
        given = await left_running(sandbox)
        conversation = given["conversation"]
        with pytest.raises(ConflictError, match="still being made"):
            await model.ainvoke("two", conversation=given)
        assert len(sandbox.conversations[conversation].messages) == 3


async def left_running(sandbox: Sandbox) -> dict[str, Any]:
    """The handle of an answer that the server still makes, without a reader."""
    run_id = "77777777-7777-4777-8777-777777777777"
    async with browser(sandbox) as http:
        created = (await http.post("/conversation", json={"model": MODEL})).json()
        conversation = created["conversationId"]
        root = sandbox.conversations[conversation].root.id
        data = {"id": root, "inputs": "count", "generationId": run_id}
        form = {"data": (None, json.dumps(data))}
        async with http.stream("POST", f"/conversation/{conversation}", files=form):
            pass
    return {
        "provider": "huggingchat",
        "server": sandbox.base_url,
        "conversation": conversation,
        "anchor": root,
        "position": 1,
        "run_id": run_id,
        "digest": "",
    }


@pytest.mark.proves("promise:one-send-at-a-time")
async def test_history_is_told_anew_where_its_answer_does_not_end(impatient: None) -> None:
    """Without a name for the conversation the call need not wait for ever."""
    watcher = Watcher()
    with Sandbox() as sandbox:
        model = model_on(sandbox, on_progress=watcher)
        first = await model.ainvoke("one")
        answer = only(sandbox).messages[2]
        answer.interrupted, answer.updates = None, []  # as while it is being made
        second = await model.ainvoke(history("one", first, "two"))
    assert "conversation_busy" in watcher.kinds
    assert len(sandbox.conversations) == 2
    assert second.text.endswith("two")


@pytest.mark.proves("promise:one-send-at-a-time", "promise:everything-yielded")
async def test_run_that_only_asked_something_has_ended() -> None:
    """It has no final answer and is not called interrupted; that it is over is all it says."""
    with Sandbox() as sandbox:
        model = model_on(sandbox)
        first = await model.ainvoke("one")
        answer = only(sandbox).messages[2]
        answer.interrupted, answer.updates = None, [{"type": "status", "status": "finished"}]
        second = await model.ainvoke(history("one", first, "two"))
        assert second.text == echo(2, "two")
        assert len(sandbox.conversations) == 1
