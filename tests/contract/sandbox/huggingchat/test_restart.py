"""The server that begins an answer anew without a word: its own last version counts."""

from __future__ import annotations

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from tests.contract.sandbox.huggingchat.asking import (
    MODEL,
    WAYS,
    ask,
    history,
    inputs,
    only,
)

TEXT = "one two three four five"
CALLS = ("invoke", "ainvoke")
STREAMS = ("stream", "astream")


@pytest.mark.proves("promise:silent-restart", "obligation:huggingchat:11")
@pytest.mark.parametrize("way", CALLS)
async def test_folded_answer_is_the_servers_own(way: str) -> None:
    """What was said before the restart is no part of it."""
    with Sandbox(reply=Reply(text=TEXT, restart_after=3)) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.content == TEXT
    assert answer.response_metadata["restarted"] is True
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.proves("promise:silent-restart", "obligation:huggingchat:11")
@pytest.mark.parametrize("way", STREAMS)
async def test_stream_says_that_it_began_anew(way: str) -> None:
    """What was streamed cannot be taken back; whoever adds it up is told."""
    with Sandbox(reply=Reply(text=TEXT, restart_after=3)) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.text == f"one two three{TEXT}"
    assert answer.response_metadata["restarted"] is True


@pytest.mark.proves("promise:silent-restart")
@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_of_the_answer_counts_once_where_it_is_folded(way: str) -> None:
    """Thoughts are thought again; the answer is not in them."""
    reply = Reply(text=TEXT, reasoning="Hm. So.", restart_after=4)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.text.endswith(TEXT)
    if way in CALLS:
        assert answer.text == TEXT
    assert "one" not in answer.additional_kwargs["reasoning_content"]


@pytest.mark.proves("promise:silent-restart", "promise:native-conversations")
@pytest.mark.parametrize("way", WAYS)
async def test_restarted_answer_is_gone_on_from(way: str) -> None:
    """The server knows its last version, which the caller's ends with."""
    with Sandbox(reply=Reply(text=TEXT, restart_after=3)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        answer = await ask(model, way, "go")
        await ask(model, way, history("go", answer, "on"))
        assert inputs(sandbox) == ["go", "on"]
        assert only(sandbox).messages[2].content == TEXT


@pytest.mark.proves("promise:silent-restart", "promise:re-attach")
@pytest.mark.parametrize("pace_s", [0.0, 0.004])
@pytest.mark.parametrize("drop_after", [1, 2, 3])
@pytest.mark.parametrize("way", WAYS)
async def test_restart_and_drop_together(way: str, drop_after: int, pace_s: float) -> None:
    """Folded it is the server's version; streamed, it ends with it, and says so."""
    reply = Reply(text=TEXT, restart_after=3, drop_after=drop_after, pace_s=pace_s)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(ChatHuggingChat(base_url=sandbox.base_url, model=MODEL), way, "go")
    assert answer.response_metadata["restarted"] is True
    if way in CALLS:
        assert answer.content == TEXT
    else:
        assert answer.text == f"one two three{TEXT}"


@pytest.mark.proves("promise:silent-restart")
async def test_answer_that_did_not_begin_anew_does_not_say_so() -> None:
    """Trailing space, which the server trims, is no restart."""
    with Sandbox(reply=Reply(text=f"{TEXT} \n\n")) as sandbox:
        answer = await ChatHuggingChat(base_url=sandbox.base_url, model=MODEL).ainvoke("go")
    assert "restarted" not in answer.response_metadata
    assert answer.text.strip() == TEXT
