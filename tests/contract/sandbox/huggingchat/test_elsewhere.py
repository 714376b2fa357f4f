"""A conversation that somebody else, a browser say, is working on at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConflictError
from langchain_g4f.providers.huggingchat import target
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    OTHER_MODEL,
    WAYS,
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

COOKIES = {"hf-chat": "66666666-6666-4666-8666-666666666666"}
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


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """A model of that caller."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=COOKIES, **settings)


@pytest.mark.proves("promise:interrupted-answers")
@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_answer_that_somebody_stops_is_interrupted_and_gone_on_from(way: str) -> None:
    """What the server kept is all there is of it."""
    with Sandbox() as sandbox:
        model = model_on(sandbox)
        asking = asyncio.create_task(ask(model, way, SLOW))
        await asyncio.to_thread(sandbox.wait_until, lambda: sandbox.prompts)
        async with browser(sandbox) as http:
            await http.post(f"/conversation/{only(sandbox).id}/stop-generating")
        first = await asking
        assert first.response_metadata["finish_reason"] == "interrupted"
        await ask(model, way, history(SLOW, first, "again"))
        assert inputs(sandbox) == [SLOW, "again"]
        assert len(only(sandbox).messages) == 5


@pytest.mark.proves("promise:changed-history")
@pytest.mark.parametrize("way", WAYS)
async def test_model_switched_in_the_browser_begins_a_new_conversation(
    sandbox: Sandbox, way: str
) -> None:
    """The caller asked this model, so another one may not answer; progress says so."""
    watcher = Watcher()
    model = model_on(sandbox, on_progress=watcher)
    first = await ask(model, way, "one")
    async with browser(sandbox) as http:
        switched = await http.patch(
            f"/conversation/{only(sandbox).id}", json={"model": OTHER_MODEL}
        )
        assert switched.status_code == 200
    second = await ask(model, way, history("one", first, "two"))
    assert "conversation_changed" in watcher.kinds
    assert second.response_metadata["model_name"] == MODEL
    assert [c.model for c in sandbox.conversations.values()] == [OTHER_MODEL, MODEL]


@pytest.mark.proves("promise:conversation-argument")
async def test_model_switched_in_the_browser_answers_where_the_conversation_is_named(
    sandbox: Sandbox,
) -> None:
    """Who names the conversation takes its model, and is told which."""
    model = model_on(sandbox)
    first = await model.ainvoke("one")
    only(sandbox).model = OTHER_MODEL
    second = await model.ainvoke("two", conversation=first)
    assert second.text == echo(2, "two", OTHER_MODEL)
    assert second.response_metadata["model_name"] == OTHER_MODEL


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
    monkeypatch.setattr(target, "_PATIENCE_S", (0.01, 0.02))


@pytest.mark.proves("promise:one-send-at-a-time", "obligation:huggingchat:5")
@pytest.mark.parametrize("way", WAYS)
async def test_answer_that_another_process_still_hears_is_not_disturbed(
    impatient: None, way: str
) -> None:
    """No lock reaches there, but the server tells; a turn sent now would be lost, or lose it."""
    endless = Reply(tokens=(f"w{n} " for n in range(9999)), pace_s=0.01)
    with Sandbox(lambda prompt: endless if prompt.turn == 1 else Reply(text="ok")) as sandbox:
        model = model_on(sandbox)
        given = await left_running(sandbox)
        conversation = given["conversation"]
        with pytest.raises(ConflictError, match="still being made"):
            await ask(model, way, "two", conversation=given)
        assert len(sandbox.conversations[conversation].messages) == 3


async def left_running(sandbox: Sandbox) -> dict[str, Any]:
    """The handle of an answer that goes on though nobody listens."""
    generation = "77777777-7777-4777-8777-777777777777"
    async with browser(sandbox) as http:
        created = (await http.post("/conversation", json={"model": MODEL})).json()
        conversation = created["conversationId"]
        root = sandbox.conversations[conversation].root.id
        data = {"id": root, "inputs": "count", "generationId": generation}
        form = {"data": (None, json.dumps(data))}
        async with http.stream("POST", f"/conversation/{conversation}", files=form):
            pass
    return {
        "provider": "huggingchat",
        "server": sandbox.base_url,
        "conversation": conversation,
        "anchor": root,
        "position": 1,
        "generation": generation,
        "digest": "",
    }


@pytest.mark.proves("promise:one-send-at-a-time")
async def test_answer_that_is_still_running_is_waited_for() -> None:
    """It may end in a moment: then the call goes on under it."""
    with Sandbox(pace_s=0.02) as sandbox:
        model = model_on(sandbox)
        given = await left_running(sandbox)
        second = await model.ainvoke("two", conversation=given)
        assert second.text == echo(2, "two")
        assert handle(second)["conversation"] == given["conversation"]


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
