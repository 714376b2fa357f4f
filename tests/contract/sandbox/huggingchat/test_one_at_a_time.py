"""Calls on one conversation wait for each other: of two at once, the server would lose one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APITimeoutError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    ask,
    branches,
    echo,
    handle,
    history,
    only,
)

PACE = "[[pace:10]]"
COOKIES = {"hf-chat": "33333333-3333-4333-8333-333333333333"}


def another(sandbox: Sandbox) -> ChatHuggingChat:
    """One more model object of the same caller."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=COOKIES)


def overlaps(sandbox: Sandbox) -> bool:
    """Whether a message was taken while an answer in the same conversation was being made."""
    return any(len(branch) % 2 for branch in branches(only(sandbox)))


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_tasks_on_one_conversation_lose_no_turn(sandbox: Sandbox, way: str) -> None:
    """Eight branches asked for at once are eight branches in the end."""
    model = another(sandbox)
    first = history("one", await model.ainvoke("one"))
    texts = [f"branch {n} {PACE}" for n in range(8)]
    answers = await asyncio.gather(*(ask(model, way, history(first, text)) for text in texts))
    assert [answer.text for answer in answers] == [
        echo(2, text.removesuffix(f" {PACE}")) for text in texts
    ]
    assert {branch[2] for branch in branches(only(sandbox))} == set(texts)
    assert len(only(sandbox).messages) == 3 + 16


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
@pytest.mark.parametrize("way", ["invoke", "stream"])
async def test_threads_on_one_conversation_lose_no_turn(sandbox: Sandbox, way: str) -> None:
    """The same from threads, each with a model object of its own."""
    first = history("one", await another(sandbox).ainvoke("one"))

    def work(number: int) -> AIMessage:
        return asyncio.run(ask(another(sandbox), way, history(first, f"branch {number} {PACE}")))

    with ThreadPoolExecutor(4) as threads:
        answers = await asyncio.gather(
            *(asyncio.get_running_loop().run_in_executor(threads, work, n) for n in range(4))
        )
    assert [answer.text for answer in answers] == [echo(2, f"branch {n}") for n in range(4)]
    assert len(only(sandbox).messages) == 3 + 8


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5", "promise:locks")
async def test_threads_and_tasks_wait_for_each_other(sandbox: Sandbox) -> None:
    """A sync call in a thread and an async one in a loop, on different objects."""
    first = history("one", await another(sandbox).ainvoke("one"))
    answers = await asyncio.gather(
        asyncio.to_thread(another(sandbox).invoke, history(first, f"sync {PACE}")),
        another(sandbox).ainvoke(history(first, f"async {PACE}")),
        asyncio.to_thread(
            lambda: asyncio.run(another(sandbox).ainvoke(history(first, f"other loop {PACE}")))
        ),
    )
    assert [a.text for a in answers] == [echo(2, t) for t in ("sync", "async", "other loop")]
    assert len(only(sandbox).messages) == 3 + 6


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
async def test_answer_that_is_still_streaming_is_waited_for(sandbox: Sandbox) -> None:
    """Its first chunk leads to a conversation whose turn is not over yet."""
    model = another(sandbox)
    async with aclosing(model.astream(f"count [[long:20]]{PACE}")) as chunks:  # type: ignore[type-var]
        begun = await anext(chunks)
        after = asyncio.create_task(another(sandbox).ainvoke("two", conversation=handle(begun)))
        heard = [begun.text, *[chunk.text async for chunk in chunks]]
    assert (await after).text == echo(2, "two")
    whole = "".join(heard)
    assert whole.endswith("w20")
    assert branches(only(sandbox)) == [[f"count [[long:20]]{PACE}", whole, "two", echo(2, "two")]]


@pytest.mark.proves("promise:one-send-at-a-time")
async def test_conversations_do_not_wait_for_one_another(sandbox: Sandbox) -> None:
    """Only calls on the same conversation do."""
    model = another(sandbox)
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
    model = another(sandbox)
    first = history("one", await model.ainvoke("one"))
    hurried = model.model_copy(update={"timeout": 0.1})
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        for _ in another(sandbox).stream(history(first, f"count [[long:400]]{PACE}")):
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
    model = another(sandbox)
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
    model = another(sandbox)
    first = history("one", await model.ainvoke("one"))
    answers = await asyncio.gather(
        model.ainvoke(history(first, "fail [[error:500]]")),
        model.ainvoke(history(first, "two")),
        return_exceptions=True,
    )
    assert isinstance(answers[0], Exception)
    assert isinstance(answers[1], AIMessage)
