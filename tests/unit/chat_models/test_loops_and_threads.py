from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
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


@pytest.mark.proves("promise:asyncio-run-twice")
def test_loop_that_is_left_in_mid_answer_does_not_hurt_the_next(model: ChatHuggingChat) -> None:
    """A loop that ends with a stream open closes it, and the next loop answers."""

    async def left() -> str:
        stream = model.astream("count [[long:200]][[pace:5]]")
        return (await anext(stream)).text

    assert asyncio.run(left()) == "w1"
    assert asyncio.run(model.ainvoke("hi")).text == echo_of("hi")


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


async def test_calls_that_begin_at_once_share_one_new_session(sandbox: Sandbox) -> None:
    """The very first calls of an anonymous model do not each become somebody else."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    answers = await asyncio.gather(*(model.ainvoke(f"hi {n}") for n in range(20)))
    assert [answer.text for answer in answers] == [echo_of(f"hi {n}") for n in range(20)]
    assert len({request.cookies["hf-chat"] for request in sandbox.requests}) == 1


async def test_one_reader_does_not_wait_for_another() -> None:
    """Twenty paced answers at once take about as long as one."""
    with Sandbox(reply=Reply(tokens=["w "] * 20, pace_s=0.01)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        async with asyncio.timeout(3):  # one after another would take four seconds
            await asyncio.gather(*(ask(model, "astream", "hi") for _ in range(20)))


FORKING = textwrap.dedent(
    """
    import os, sys
    from langchain_g4f import ChatHuggingChat
    model = ChatHuggingChat(base_url=sys.argv[1], model=sys.argv[2])
    print(model.invoke("before").text, flush=True)
    child = os.fork()
    if not child:
        print(model.invoke("child").text, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(model.invoke("parent").text, flush=True)
    """
)


@pytest.mark.proves("fault:52:HC")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child_and_its_parent_both_go_on(sandbox: Sandbox) -> None:
    """A connection that was open at the fork is used by neither in the other's way."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING, sandbox.base_url, MODEL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [echo_of("before"), echo_of("child"), echo_of("parent")]
