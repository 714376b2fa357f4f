"""A connection that drops in the midst of an answer: what the caller gets is whole all the same."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import APIError, ServerError, StreamInterruptedError
from langchain_g4f.testing import Reply, Sandbox, SandboxModel
from tests.contract.sandbox.huggingchat.asking import (
    MIXED_WAYS,
    MODEL,
    WAYS,
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
@pytest.mark.parametrize("drop_after", [0, 1, 5, 9, 999])
@pytest.mark.parametrize("way", WAYS)
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
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_dropped_in_its_reasoning_an_answer_keeps_both_apart(
    way: str, pace_s: float, drop_after: int, glued: bool
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
        answer = await ask(model_on(sandbox), way, "go")
    assert answer.text == TEXT
    assert answer.additional_kwargs["reasoning_content"] == THOUGHTS


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("cut", range(1, 12))
async def test_cut_between_the_characters_of_one_sign_joins_them(cut: int) -> None:
    """A family of emoji is many code points: the border may be at any of them."""
    family = "👩‍👩‍👧‍👦🏳️‍🌈"
    reply = Reply(tokens=[family[:cut], family[cut:]], drop_after=1)
    with Sandbox(reply=reply) as sandbox:
        assert (await model_on(sandbox).ainvoke("go")).text == family


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pace_s", PACES)
async def test_what_comes_beside_the_text_comes_once(way: str, pace_s: float) -> None:
    """Title and model are neither lost in the drop nor said twice."""
    watcher = Watcher()
    with Sandbox(reply=Reply(text=TEXT, drop_after=3, pace_s=pace_s, slow_title=True)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model="omni", on_progress=watcher)
        answer = await ask(model, way, "go")
    assert answer.response_metadata["title"] == "Title: go"
    assert answer.response_metadata["model_name"] == MODEL
    assert watcher.kinds == ["started", "reattach", "title"]


@pytest.mark.proves("promise:re-attach")
async def test_early_title_is_said_once() -> None:
    """The run is taken up after what is known, or what is known is left out."""
    for pace_s in PACES:
        watcher = Watcher()
        with Sandbox(reply=Reply(text=TEXT, drop_after=3, pace_s=pace_s)) as sandbox:
            await model_on(sandbox, on_progress=watcher).ainvoke("go")
        assert watcher.kinds.count("title") == watcher.kinds.count("started") == 1


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
@pytest.mark.parametrize("way", MIXED_WAYS)
async def test_run_that_fails_after_the_drop_is_the_runs_own_error(way: str, pace_s: float) -> None:
    """What the server says of its failure counts, not that the connection broke before."""
    reply = Reply(text=TEXT, drop_after=1, error=(503, "busy"), error_after=3, pace_s=pace_s)
    with Sandbox(reply=reply) as sandbox:
        with pytest.raises(ServerError, match="busy") as caught:
            await ask(model_on(sandbox), way, "go")
        assert caught.value.status_code == 503
        assert caught.value.partial_text
        assert len(reattached(sandbox)) == 1


@pytest.mark.proves("promise:re-attach")
@pytest.mark.parametrize("way", MIXED_WAYS)
@pytest.mark.parametrize("pace_s", PACES)
async def test_run_stopped_elsewhere_after_the_drop_is_interrupted(way: str, pace_s: float) -> None:
    """Its last word is taken for what it is."""
    reply = Reply(text=TEXT, drop_after=2, hang_after=4, pace_s=pace_s)
    with Sandbox(reply=reply) as sandbox:
        asking = asyncio.create_task(_in_thread(model_on(sandbox), way))
        await asyncio.to_thread(sandbox.wait_until, lambda: reattached(sandbox))
        await _stop(sandbox)
        answer = await asking
    assert answer.response_metadata["finish_reason"] == "interrupted"
    assert TEXT.startswith(answer.text)


async def _in_thread(model: ChatHuggingChat, way: str) -> Any:
    return await asyncio.to_thread(lambda: asyncio.run(ask(model, way, "go")))


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


@pytest.mark.proves("promise:interrupted-answers", "obligation:huggingchat:10")
@pytest.mark.parametrize("way", WAYS)
async def test_older_server_ends_with_its_connection(way: str) -> None:
    """There is nothing to take up again: the error has what came."""
    reply = Reply(text="one two three four", drop_after=2, pace_s=0.01)
    with Sandbox(reply=reply, generation="legacy") as sandbox:
        with pytest.raises(StreamInterruptedError) as caught:
            await ask(model_on(sandbox), way, "go")
        assert caught.value.partial_text == "one two"
        assert caught.value.is_retryable
        assert not reattached(sandbox)


@pytest.mark.proves("promise:interrupted-answers")
async def test_part_from_an_older_server_is_gone_on_from() -> None:
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
async def test_dropped_reasoner_behind_a_router() -> None:
    """Every kind of update at once: route, thoughts, text, drop."""
    models = [SandboxModel("omni", is_router=True), SandboxModel("deep", supports_reasoning=True)]
    with Sandbox(models=models, split="random") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model="omni")
        answer = await model.ainvoke("why [[drop:9]][[pace:2]]")
    assert answer.text == "Echo (deep, turn 1): why"
    assert answer.additional_kwargs["reasoning_content"].startswith("First I look")
    assert answer.response_metadata["model_name"] == "deep"


async def test_no_login_is_asked_for_to_take_it_up_again() -> None:
    """The identity of the call follows the run."""
    with Sandbox(login_required=True) as sandbox:
        model = model_on(sandbox, cookies=sandbox.login())
        assert (await model.ainvoke("hi [[drop:2]]")).text == f"Echo ({MODEL}, turn 1): hi"


@pytest.mark.proves("promise:re-attach")
async def test_error_before_anything_is_no_reason_to_take_it_up() -> None:
    """Only a cut is."""
    with Sandbox() as sandbox:
        with pytest.raises(APIError):
            await model_on(sandbox).ainvoke("hi [[error:500]]")
        assert not reattached(sandbox)
