"""The handle of an answer: where it stands, what it holds, and what it survives."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    messages_from_dict,
    messages_to_dict,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    echo,
    handle,
    history,
    inputs,
    only,
)

SESSION = "22222222-2222-4222-8222-222222222222"


TOKEN = "hf_secret-canary-token"


@pytest.fixture
def generation() -> Generation:
    """The version of the server makes no difference to these tests."""
    return "current"


@pytest.fixture
def model(sandbox: Sandbox) -> ChatHuggingChat:
    """A model with cookies that can be looked for."""
    cookies = {"hf-chat": SESSION, "token": TOKEN}
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=cookies)


@pytest.mark.proves("promise:handle")
async def test_handle_stands_on_the_first_chunk_of_an_async_stream(model: ChatHuggingChat) -> None:
    """The same, awaited."""
    chunks = [chunk async for chunk in model.astream("one [[think]][[long:9]]")]
    with_handle = [chunk for chunk in chunks if "conversation" in chunk.response_metadata]
    assert with_handle == chunks[:1]


@pytest.mark.proves("promise:handle")
async def test_handle_is_small_and_plain(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """Ids and a digest, as JSON; how long the conversation is makes no difference."""
    answers = history("one " * 500, await model.ainvoke("one " * 500))
    for _ in range(3):
        answers = history(answers, "more")
        answers.append(await model.ainvoke(answers))
    found = handle(answers[-1])
    assert json.loads(json.dumps(found)) == found
    assert len(json.dumps(found)) < 600
    assert found["server"] == sandbox.base_url
    assert found["conversation"] == only(sandbox).id


@pytest.mark.proves("promise:handle", "obligation:huggingchat:19")
async def test_answer_holds_no_secret_and_nothing_that_was_said(model: ChatHuggingChat) -> None:
    """Neither cookies nor the words of the history are in an answer's metadata."""
    answer = await model.ainvoke("one is a private-canary")
    shown = f"{handle(answer)!r} {dumps(answer)} {pickle.dumps(answer)!r}"
    assert SESSION not in shown
    assert TOKEN not in shown
    assert "private-canary" not in repr(handle(answer))


SERIALIZER = JsonPlusSerializer()
TRAVELS: dict[str, Callable[[AIMessage], BaseMessage]] = {
    "dictionaries": lambda m: messages_from_dict(json.loads(json.dumps(messages_to_dict([m]))))[0],
    "LangChain's dumps": lambda m: loads(dumps(m), allowed_objects="messages"),
    "checkpoint": lambda m: SERIALIZER.loads_typed(SERIALIZER.dumps_typed(m)),
    "pydantic": lambda m: type(m).model_validate_json(m.model_dump_json()),
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),  # noqa: S301 -- our own bytes
}


@pytest.mark.proves("promise:handle", "promise:native-conversations")
@pytest.mark.parametrize("travel", TRAVELS)
async def test_handle_survives_the_ways_messages_travel(
    model: ChatHuggingChat,
    sandbox: Sandbox,
    travel: str,
) -> None:
    """However an answer was kept, the conversation goes on from it."""
    first = TRAVELS[travel](await model.ainvoke("one"))
    second = await model.ainvoke(history("one", first, "two"))
    assert second.text == echo(2, "two")
    assert inputs(sandbox) == ["one", "two"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("text", id="text"),
        pytest.param({}, id="empty"),
        pytest.param({"provider": "huggingchat"}, id="halves"),
        pytest.param({"provider": "huggingchat", "server": 7}, id="wrong type"),
        pytest.param([1, 2], id="list"),
    ],
)
async def test_broken_handle_is_none(model: ChatHuggingChat, sandbox: Sandbox, broken: Any) -> None:
    """What another program left there is no reason to fail: the history is told."""
    first = await model.ainvoke("one")
    first.response_metadata["conversation"] = broken
    await model.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 2


@pytest.mark.proves("promise:handle")
async def test_server_that_comes_back_at_another_address_is_another_server(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """A handle names its server: at a new port, the history is sent to a new conversation."""
    first = await model.ainvoke("one")
    old = sandbox.base_url
    sandbox.stop()
    sandbox.start()
    assert sandbox.base_url != old
    moved = ChatHuggingChat(
        base_url=sandbox.base_url, model=MODEL, cookies={"hf-chat": SESSION}, max_retries=0
    )
    second = await moved.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 2
    assert handle(second)["server"] == sandbox.base_url


async def test_address_may_be_written_with_a_slash(
    model: ChatHuggingChat, sandbox: Sandbox, generation: Generation
) -> None:
    """Two spellings of one address are one server."""
    first = await model.ainvoke("one")
    cookies = {"hf-chat": SESSION}
    slash = ChatHuggingChat(base_url=f"{sandbox.base_url}/", model=MODEL, cookies=cookies)
    await slash.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 1
