"""Other processes: checkpoints of LangGraph, and the proxies of an environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f.testing import Conversation, Sandbox
from tests.conftest import OUTSIDE_NAMES, OUTSIDE_PREFIXES
from tests.contract.sandbox.huggingchat import graphs
from tests.contract.sandbox.huggingchat.asking import branches, echo, handle, paths
from tests.contract.sandbox.huggingchat.graphs import KINDS, aopened, opened, question, thread
from tests.strict import STRICT

ROOT = Path(__file__).parents[4]


MINUTE_S = 60


def in_another_process(sandbox: Sandbox, folder: Path, text: str) -> None:
    """One turn of every kind, without the credentials and tracing of the machine."""
    outside = {n for n in os.environ if n.upper().startswith(OUTSIDE_PREFIXES)} | set(OUTSIDE_NAMES)
    done = subprocess.run(
        [sys.executable, "-m", graphs.__name__, sandbox.base_url, str(folder), text],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={n: value for n, value in os.environ.items() if n not in outside},
        timeout=MINUTE_S,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def two_turns(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Sandbox, Path]]:
    """A server and the checkpoints of two turns, the second taken in a process of its own."""
    folder = tmp_path_factory.mktemp("checkpoints")
    with Sandbox() as sandbox:
        graphs.main(sandbox.base_url, str(folder), "one")
        in_another_process(sandbox, folder, "two")
        yield sandbox, folder


def conversation_of(sandbox: Sandbox, kind: str) -> Conversation:
    """The only conversation that a kind has."""
    every = sandbox.conversations.values()
    (found,) = [each for each in every if each.messages[1].content.endswith(f" of {kind}")]
    return found


def said_on(kind: str, *texts: str) -> list[str]:
    """What a branch with these questions holds."""
    return [
        part
        for number, text in enumerate(texts, 1)
        for part in (f"{text} of {kind}", echo(number, f"{text} of {kind}"))
    ]


def asked_by(sandbox: Sandbox, kind: str) -> list[list[str]]:
    """What the model received in each turn of a kind, without empty system prompts."""
    received = [[m["content"] for m in prompt if m["content"]] for prompt in sandbox.prompts]
    return [prompt for prompt in received if prompt[0].endswith(f" of {kind}")]


async def with_graph(kind: str, sandbox: Sandbox, folder: Path, work: Any) -> Any:
    """What `work` returns, given the graph of a kind."""
    if kind.startswith("async"):
        async with aopened(kind, sandbox.base_url, folder) as graph:
            return await work(graph)
    with opened(kind, sandbox.base_url, folder) as graph:
        return await work(graph)


async def after_turn_one(graph: Any, kind: str) -> Any:
    """The configuration of the checkpoint after the first turn."""
    if kind.startswith("async"):
        states = [state async for state in graph.aget_state_history(thread(kind))]
    else:
        states = list(graph.get_state_history(thread(kind)))
    (found,) = [s for s in states if len(s.values["messages"]) == 2 and not s.next]
    return found.config


async def run(graph: Any, kind: str, text: str, config: Any) -> list[Any]:
    """The messages after one more turn."""
    if kind.startswith("async"):
        result = await graph.ainvoke(question(kind, text), config)
    else:
        result = graph.invoke(question(kind, text), config)
    found: list[Any] = result["messages"]
    return found


@pytest.mark.proves("promise:time-travel", "promise:handle", "promise:native-conversations")
@pytest.mark.parametrize("kind", KINDS)
async def test_turn_in_another_process_goes_on_in_the_conversation(
    two_turns: tuple[Sandbox, Path], kind: str
) -> None:
    """The second process knew the first one's answer from its checkpoint only."""
    sandbox, _ = two_turns
    conversation = conversation_of(sandbox, kind)
    assert branches(conversation)[0][:4] == said_on(kind, "one", "two")
    first, second = asked_by(sandbox, kind)[:2]
    assert first == [f"one of {kind}"]
    assert second == said_on(kind, "one", "two")[:3]
    created = paths(sandbox).count("POST /chat/conversation")
    assert created == len(sandbox.conversations) == len(KINDS)


@pytest.mark.proves("promise:time-travel", "promise:branches", "promise:native-conversations")
@pytest.mark.parametrize("kind", KINDS)
async def test_fork_from_an_earlier_checkpoint_is_a_branch(
    two_turns: tuple[Sandbox, Path], kind: str
) -> None:
    """One conversation with two branches, and the model is told nothing twice."""
    sandbox, folder = two_turns

    async def fork(graph: Any) -> Any:
        config = await after_turn_one(graph, kind)
        forked = await run(graph, kind, "other", config)
        return forked, await run(graph, kind, "three", thread(kind))

    forked, on = await with_graph(kind, sandbox, folder, fork)
    conversation = conversation_of(sandbox, kind)
    assert branches(conversation) == [
        said_on(kind, "one", "two"),
        said_on(kind, "one", "other", "three"),
    ]
    assert [message.text for message in on] == said_on(kind, "one", "other", "three")
    assert {handle(m)["conversation"] for m in on if isinstance(m, AIMessage)} == {conversation.id}
    assert len(forked) == 4
    *_, told, told_on = asked_by(sandbox, kind)
    assert told == said_on(kind, "one", "other")[:3]
    assert told_on == said_on(kind, "one", "other", "three")[:5]
    assert len(sandbox.conversations) == len(KINDS)


@pytest.mark.proves("promise:time-travel", "promise:interrupted-answers")
async def test_stream_of_a_graph_that_was_left_can_be_asked_again(tmp_path: Path) -> None:
    """A node that never finished has no checkpoint; its question goes to the same conversation."""
    with Sandbox() as sandbox, opened("graph", sandbox.base_url, tmp_path) as graph:
        await run(graph, "graph", "one", thread("graph"))
        slow = {"messages": [HumanMessage("count [[long:99]][[pace:5]]")]}
        for part, _ in graph.stream(slow, thread("graph"), stream_mode="messages"):
            if part.text:
                break
        sandbox.wait_until(lambda: not sandbox.busy)
        config = await after_turn_one(graph, "graph")
        await run(graph, "graph", "two", config)
        assert len(sandbox.conversations) == 1
        kept = conversation_of(sandbox, "graph")
        assert branches(kept)[-1] == said_on("graph", "one", "two")


CALLS = """
import asyncio, sys
from langchain_g4f import ChatHuggingChat
model = ChatHuggingChat(base_url=sys.argv[1], model="sandbox/text-small")
print(model.invoke("hi").text)
print(asyncio.run(model.ainvoke("hi")).text)
"""


@pytest.mark.proves("promise:proxy")
def test_proxy_of_the_environment_is_not_used_on_loopback() -> None:
    """Where a proxy is configured, a server on this machine is still reached, sync and async."""
    closed_port = "http://127.0.0.1:1"
    environment = {
        **os.environ,
        "HTTP_PROXY": closed_port,
        "http_proxy": closed_port,
        "ALL_PROXY": closed_port,
    }
    with Sandbox() as sandbox:
        done = subprocess.run(
            [*STRICT, "-c", CALLS, sandbox.base_url],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout == "Echo (sandbox/text-small, turn 1): hi\n" * 2
