"""`conversation=` names the answer that a call follows; what does not fit is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    OTHER_MODEL,
    Watcher,
    branches,
    echo,
    handle,
    history,
    inputs,
    only,
    paths,
)


@pytest.mark.proves("promise:conversation-argument")
async def test_new_may_be_the_models_own_way(sandbox: Sandbox) -> None:
    """Set on the object it holds for every call that does not say otherwise."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, conversation="new")
    first = await model.ainvoke("one")
    await model.ainvoke(history("one", first, "two"))
    await model.ainvoke(history("one", first, "two"), conversation="auto")
    assert [len(c.messages) for c in sandbox.conversations.values()] == [5, 3]


@pytest.mark.proves("promise:conversation-argument")
@pytest.mark.parametrize("form", ["handle", "answer"])
async def test_given_answer_is_continued_without_its_history(
    model: ChatHuggingChat, sandbox: Sandbox, form: str
) -> None:
    """Whoever keeps only the last answer, or only its handle, sends only what is new."""
    first = await model.ainvoke("one")
    given: Any = first if form == "answer" else handle(first)
    second = await model.ainvoke("two", conversation=given)
    third = await model.ainvoke("three", conversation=second)
    assert branches(only(sandbox))[0][4:] == ["three", echo(3, "three")]
    assert third.text == echo(3, "three")


@pytest.mark.proves("promise:conversation-argument")
async def test_handle_may_be_set_on_the_model(sandbox: Sandbox) -> None:
    """An object can stand for one place in a conversation: every call is a branch there."""
    cookies = {"hf-chat": "44444444-4444-4444-8444-444444444444"}
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, cookies=cookies)
    here = model.model_copy(update={"conversation": handle(await model.ainvoke("one"))})
    for text in ("left", "right"):
        await here.ainvoke(text)
    assert [branch[2] for branch in branches(only(sandbox))] == ["left", "right"]


BAD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another server": lambda found: found | {"server": "http://127.0.0.1:9/chat"},
    "another provider": lambda found: found | {"provider": "elsewhere"},
    "no conversation": lambda found: found | {"conversation": None},
    "no position": lambda found: found | {"position": "3"},
    "empty": lambda _: {},
    "a word": lambda _: "newest",
    "a number": lambda _: 3,
    "an answer without a handle": lambda _: AIMessage("no handle"),
}


@pytest.mark.proves("promise:conversation-argument")
@pytest.mark.parametrize("case", BAD)
async def test_value_that_is_no_handle_of_this_server_is_refused(
    model: ChatHuggingChat, sandbox: Sandbox, case: str
) -> None:
    """Nothing is sent for it."""
    first = await model.ainvoke("one")
    before = len(sandbox.requests)
    with pytest.raises(ConfigurationError, match="conversation="):
        await model.ainvoke("two", conversation=BAD[case](handle(first)))
    assert len(sandbox.requests) == before


@pytest.mark.proves("promise:conversation-argument")
async def test_system_prompt_cannot_be_added_to_a_given_conversation(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """It would be dropped in silence: a server sets it when the conversation begins."""
    first = await model.ainvoke("one")
    with pytest.raises(ConfigurationError, match="system prompt"):
        await model.ainvoke([SystemMessage("Sing."), HumanMessage("two")], conversation=first)
    with pytest.raises(ConfigurationError, match="system prompt"):
        await model.ainvoke(
            history("one", first, SystemMessage("Sing."), "two"), conversation=first
        )
    assert len(inputs(sandbox)) == 1


@pytest.mark.proves("promise:conversation-argument")
async def test_model_of_a_given_conversation_is_its_own(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """A server asks the model that the conversation began with, and the answer says which."""
    first = await model.ainvoke("one")
    second = await model.ainvoke("two", conversation=first, model=OTHER_MODEL)
    assert second.text == echo(2, "two")
    assert second.response_metadata["model_name"] == MODEL
    await model.ainvoke(history("two", second, "three"))
    assert inputs(sandbox)[2] == "three"


@pytest.mark.proves("promise:conversation-gone", "fault:7:HC")
async def test_conversation_that_is_gone_is_begun_again_once(sandbox: Sandbox) -> None:
    """Deleted in the browser, say: the history is told to a new one, and progress says so."""
    watcher = Watcher()
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=watcher)
    first = await model.ainvoke("one")
    sandbox.conversations.clear()
    watcher.seen.clear()
    second = await model.ainvoke(history("one", first, "two"))
    assert watcher.kinds.count("conversation_lost") == 1
    assert paths(sandbox).count("POST /chat/conversation") == 2
    third = await model.ainvoke(history("one", first, "two", second, "three"))
    assert third.text == echo(2, "three")
    assert watcher.kinds.count("conversation_lost") == 1


async def test_answer_that_is_gone_begins_a_new_conversation(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Without `conversation=`, the history is sent to a new conversation."""
    first = await model.ainvoke("one")
    conversation = only(sandbox)
    conversation.remove(conversation.messages[1].id)
    await model.ainvoke(history("one", first, "two"))
    assert len(sandbox.conversations) == 2
