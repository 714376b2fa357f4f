from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, add_up, ask


def echo_of(text: str) -> str:
    """Give what the sandbox answers."""
    return f"Echo ({MODEL}, turn 1): {text}"


@pytest.mark.proves("promise:asyncio-run-twice", "fault:52:HC")
def test_model_works_in_one_event_loop_after_another(model: ChatHuggingChat) -> None:
    """A second `asyncio.run` gets connections of its own, whole and streamed."""

    async def streamed(text: str) -> str:
        return (await ask(model, "astream", text)).text

    async def whole(text: str) -> str:
        return (await model.ainvoke(text)).text

    for call in (streamed, whole, streamed):
        assert asyncio.run(call("hi")) == echo_of("hi")


@pytest.mark.proves("promise:running-loop")
async def test_sync_calls_work_while_an_event_loop_runs(model: ChatHuggingChat) -> None:
    """As in a notebook: `invoke`, `stream` and `batch` in a coroutine, between async calls."""
    assert (await model.ainvoke("a")).text == echo_of("a")
    assert model.invoke("b").text == echo_of("b")
    assert add_up(model.stream("c")).text == echo_of("c")
    assert [answer.text for answer in model.batch(["d", "e"])] == [echo_of("d"), echo_of("e")]
    assert (await ask(model, "astream", "f")).text == echo_of("f")


@pytest.mark.proves("promise:threads", "fault:52:HC")
def test_eight_threads_share_one_model() -> None:
    """Each thread gets its own answers, streamed and whole, all under one session."""
    with Sandbox(split="random") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)

        def work(number: int) -> list[str]:
            return [
                model.invoke(f"whole {number}").text,
                add_up(model.stream(f"streamed {number}")).text,
                asyncio.run(model.ainvoke(f"async {number}")).text,
            ]

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(work, range(16)))
    assert answers == [
        [echo_of(f"{how} {number}") for how in ("whole", "streamed", "async")]
        for number in range(16)
    ]
    assert len({request.cookies["hf-chat"] for request in sandbox.requests}) == 1
