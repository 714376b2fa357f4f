"""Another answer to the same question, or more of the same answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Prompt, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    branches,
    history,
    inputs,
    only,
    plain,
    sends,
)


def counting() -> Any:
    """A script that says how often it was asked."""
    count = 0

    def script(prompt: Prompt) -> str:
        nonlocal count
        count += 1
        return f"answer {count} to {prompt.text}"

    return script


@pytest.fixture
def sandbox(generation: Generation) -> Any:
    """A server whose answers differ."""
    with Sandbox(counting(), generation=generation) as sandbox:
        yield sandbox


@pytest.mark.proves("promise:answer-again", "promise:native-conversations")
async def test_both_answers_can_be_continued(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """Each leads to its own branch, whichever of them the history has."""
    first = await model.ainvoke("one")
    other = await model.ainvoke(history("one", first), regenerate=True)
    again = await model.ainvoke(history("one", other), regenerate=True)
    for answer, text in ((other, "two"), (first, "three"), (again, "four")):
        await model.ainvoke(history("one", answer, text))
    assert [branch[1:3] for branch in branches(only(sandbox))] == [
        ["answer 2 to one", "two"],
        ["answer 1 to one", "three"],
        ["answer 3 to one", "four"],
    ]


@pytest.mark.proves("promise:answer-again")
async def test_regenerating_in_the_middle_keeps_what_comes_before(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Only the last answer has a sibling."""
    turns = history("one", await model.ainvoke("one"), "two")
    turns.append(await model.ainvoke(turns))
    other = await model.ainvoke(turns, regenerate=True)
    await model.ainvoke(history(turns[:3], other, "three"))
    assert len(sandbox.conversations) == 1
    assert branches(only(sandbox))[1][:4] == [
        "one",
        "answer 1 to one",
        "two",
        "answer 3 to two",
    ]


def appended(first: BaseMessage, more: BaseMessage) -> list[BaseMessage]:
    """The history of a program that keeps both."""
    return [first, more]


def replaced(first: BaseMessage, more: BaseMessage) -> list[BaseMessage]:
    """The history of a program that keeps the newest."""
    return [more]


def joined(first: BaseMessage, more: BaseMessage) -> list[BaseMessage]:
    """The history of a program that adds them up."""
    return [more.model_copy(update={"content": first.text + more.text})]


@pytest.mark.proves("promise:answer-again", "promise:native-conversations")
@pytest.mark.parametrize("kept", [appended, replaced, joined])
@pytest.mark.parametrize("times", [1, 2])
async def test_continued_answer_is_continued(kept: Any, times: int) -> None:
    """However the two parts are kept, the conversation goes on natively."""
    with Sandbox(counting(), generation="legacy") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        turns = history("one", await model.ainvoke("one"))
        for _ in range(times):
            more = await model.ainvoke(turns, continue_answer=True)
            turns = history(turns[:-1], kept(turns[-1], more))
        await model.ainvoke(history(turns, "two"))
        assert len(sandbox.conversations) == 1
        assert inputs(sandbox) == ["one", *[None] * times, "two"]
        assert len(only(sandbox).messages) == 5


@pytest.mark.proves("promise:answer-again", "promise:server-options")
async def test_continuing_is_refused_where_the_server_cannot() -> None:
    """A current server has no such thing, and says 500; nothing is sent there."""
    with Sandbox() as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        first = await model.ainvoke("one")
        with pytest.raises(ConfigurationError, match="continue"):
            await model.ainvoke(history("one", first), continue_answer=True)
        assert len(sends(sandbox)) == 1


@pytest.mark.proves("promise:answer-again")
@pytest.mark.parametrize("option", ["regenerate", "continue_answer"])
async def test_answering_again_needs_an_answer_of_the_server(
    model: ChatHuggingChat, sandbox: Sandbox, option: str
) -> None:
    """A history that ends otherwise has nothing to answer again; no conversation is begun."""
    first = await model.ainvoke("one")
    again: Any = {option: True}
    for turns in (history("one"), history("one", plain(first)), history("uno", first)):
        with pytest.raises(ConfigurationError, match="last message"):
            await model.ainvoke(turns, **again)
    with pytest.raises(ConfigurationError, match="last message"):
        await model.ainvoke(history("one", first, "two"), **again)
    with pytest.raises(ConfigurationError, match="last message"):
        await model.ainvoke(history("one", first), **again, conversation="new")
    assert len(sandbox.conversations) == len(sends(sandbox)) == 1


@pytest.mark.proves("promise:answer-again")
async def test_answering_again_in_two_ways_at_once_is_refused(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Either another answer or more of this one."""
    first = await model.ainvoke("one")
    with pytest.raises(ConfigurationError, match="either"):
        await model.ainvoke(history("one", first), regenerate=True, continue_answer=True)
    assert len(json.dumps(sends(sandbox))) < 400


@pytest.mark.parametrize("argument", ["regenerate", "continue_answer"])
def test_wanted_format_without_a_new_message_is_refused(argument: str) -> None:
    """The model would not hear of the format, and answer as if nothing had been asked."""
    with Sandbox() as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url)
        question = HumanMessage("hi")
        answer = model.invoke([question])
        wanted: dict[str, Any] = {argument: True, "response_format": {"type": "json_object"}}
        with pytest.raises(ConfigurationError, match="need a new message"):
            model.invoke([question, answer], **wanted)
        assert len(sandbox.prompts) == 1
