"""Conversations can be deleted, and a call can leave none behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
)
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    Generation,
    ask,
    echo,
    history,
    paths,
)


def deletions(sandbox: Sandbox) -> int:
    """How often the server was asked to delete something."""
    return sum(path.startswith("DELETE") for path in paths(sandbox))


@pytest.mark.proves("promise:delete-conversations", "obligation:huggingchat:18")
@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_conversation_of_a_call_is_deleted_after_it(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """The answer comes, without a handle, and nothing is left in the user's list."""
    answer = await ask(model, way, "one", delete_after=True)
    assert answer.text == echo(1, "one")
    assert "conversation" not in answer.response_metadata
    assert not sandbox.conversations
    assert deletions(sandbox) == 1


@pytest.mark.proves("promise:delete-conversations", "obligation:huggingchat:18")
async def test_deleting_may_be_the_models_own_way(sandbox: Sandbox) -> None:
    """Set on the object it holds for every call, and histories are told each time."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, delete_after=True)
    first = await model.ainvoke("one")
    await model.ainvoke(history("one", first, "two"))
    assert not sandbox.conversations
    assert deletions(sandbox) == 2


@pytest.mark.proves("promise:delete-conversations")
async def test_conversation_is_deleted_when_the_answer_fails(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """An error inside the answer is reported, and the conversation is gone."""
    with pytest.raises(APIError):
        await model.ainvoke("fail [[error-mid:500]]", delete_after=True)
    assert not sandbox.conversations


@pytest.mark.proves("promise:delete-conversations", "obligation:huggingchat:18")
async def test_conversation_made_for_a_refused_message_does_not_stay(
    generation: Generation,
) -> None:
    """It is empty, and the call that made it failed; what was there before is kept."""
    with Sandbox(generation=generation, messages_per_minute=0) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, max_retries=0)
        with pytest.raises(APIStatusError) as caught:
            await model.ainvoke("hi")
        assert caught.value.status_code == 429
        assert not sandbox.conversations
        assert deletions(sandbox) == 1


@pytest.mark.proves("promise:delete-conversations")
async def test_refused_message_of_a_longer_conversation_deletes_nothing(
    generation: Generation,
) -> None:
    """There are messages in it that the caller goes on from."""
    with Sandbox(generation=generation, max_input_chars=3) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        first = await model.ainvoke("one")
        with pytest.raises(APIError, match="too long"):
            await model.ainvoke(history("one", first, "much too long"))
        assert len(sandbox.conversations) == 1
        assert deletions(sandbox) == 0


@pytest.mark.proves("promise:delete-conversations")
async def test_conversation_is_deleted_when_the_call_is_cancelled(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """The run is stopped, too: on an older server once its answer has begun."""

    def begun() -> bool:
        return any(c.messages[-1].content for c in sandbox.conversations.values())

    task = asyncio.create_task(model.ainvoke("count [[long:400]][[pace:10]]", delete_after=True))
    await asyncio.to_thread(sandbox.wait_until, begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not sandbox.conversations
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy)


@pytest.mark.proves("promise:delete-conversations")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_conversation_is_deleted_when_the_stream_is_closed(
    model: ChatHuggingChat, sandbox: Sandbox, way: str
) -> None:
    """Whoever stops reading early leaves nothing either."""
    prompt = "count [[long:400]][[pace:10]]"
    if way == "stream":
        with closing(model.stream(prompt, delete_after=True)) as chunks:  # type: ignore[type-var]
            next(chunks)
    else:
        async with aclosing(  # type: ignore[type-var]
            model.astream(prompt, delete_after=True)
        ) as found:
            await anext(found)
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.conversations)
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy)


@pytest.mark.proves("promise:delete-conversations")
async def test_conversation_that_was_there_before_is_kept(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Only what the call created is its to delete; the answer can be continued."""
    first = history("one", await model.ainvoke("one"))
    second = history(first, "two", await model.ainvoke(history(first, "two"), delete_after=True))
    third = await model.ainvoke(history(second, "three"))
    assert third.text == echo(3, "three")
    assert deletions(sandbox) == 0


@pytest.mark.proves("promise:delete-conversations")
async def test_answer_of_no_conversation_here_cannot_delete_one(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """Without a handle, or with one of another server, nothing is asked."""
    first = await model.ainvoke("one")
    sent = len(sandbox.requests)
    with pytest.raises(ConfigurationError, match="no handle"):
        model.delete_conversation(AIMessage("hi"))
    first.response_metadata["conversation"]["server"] = "http://127.0.0.1:9"
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:9"):
        await model.adelete_conversation(first)
    assert len(sandbox.requests) == sent


async def test_conversation_cannot_be_deleted_without_a_login(generation: Generation) -> None:
    """An expired login is told with the way to log in."""
    with Sandbox(generation=generation, login_required=True) as sandbox:
        model = ChatHuggingChat(
            base_url=sandbox.base_url, model=MODEL, cookies=dict(sandbox.login())
        )
        first = await model.ainvoke("one")
        sandbox.expire_sessions()
        with pytest.raises(AuthenticationError) as caught:
            model.delete_conversation(first)
        assert caught.value.login_url == f"{sandbox.base_url}/login"
        assert sandbox.conversations


@pytest.mark.proves("promise:delete-conversations")
async def test_deletion_that_fails_spoils_no_answer(sandbox: Sandbox) -> None:
    """The conversation may be gone already, or the server: the answer counts."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, max_retries=0)
    chunks = model.stream("one", delete_after=True)
    text = next(chunks).text
    sandbox.conversations.clear()
    assert text + "".join(chunk.text for chunk in chunks) == echo(1, "one")


async def test_failed_deletion_hides_no_error(model: ChatHuggingChat, sandbox: Sandbox) -> None:
    """What went wrong first is what is reported."""
    deleting = model.model_copy(update={"on_progress": lambda _: sandbox.conversations.clear()})
    with pytest.raises(APIError, match="backend says 500"):
        await deleting.ainvoke("fail [[error-mid:500]]", delete_after=True)
    assert paths(sandbox)[-1].startswith("DELETE")
    assert sandbox.requests[-1].status == 404
