from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, ask

TOKENS = ["one ", "two S", "TO", "P three", " STOP four"]


def cut_model(sandbox: Sandbox, stop: str | list[str] | None = None) -> ChatHuggingChat:
    """Make a model on that server."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, stop=stop)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A server that says a stop string in three pieces and then has no end."""
    endless = (token for token in itertools.chain(TOKENS, itertools.repeat(" more")))
    with Sandbox(reply=Reply(tokens=endless, pace_s=0.002)) as sandbox:
        yield sandbox


@pytest.mark.proves("promise:stop-across-chunks")
@pytest.mark.parametrize("how", ["field", "argument", "both"])
async def test_stop_string_is_found_across_chunks(sandbox: Sandbox, mode: str, how: str) -> None:
    """Set on the model or given with the call, it ends the answer before its first place."""
    field = {"field": ["STOP"], "argument": None, "both": ["no such text"]}[how]
    argument = None if how == "field" else ["STOP"]
    answer = await ask(cut_model(sandbox, stop=field), mode, "count", stop=argument)
    assert answer.text == "one two "
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.proves("promise:stop-across-chunks", "promise:abort-once")
async def test_server_is_told_to_stop_once(sandbox: Sandbox, mode: str) -> None:
    """The rest of the answer is not read: the stream is closed and its generation stopped."""
    await ask(cut_model(sandbox, stop="STOP"), mode, "count")
    await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
    create, send, stop = sandbox.requests
    assert create.path == "/chat/conversation"
    assert stop.path == f"{send.path}/stop-generating"
    assert stop.json["generationId"] == json.loads(send.form["data"])["generationId"]
    assert send.closed_early


async def test_nothing_is_stopped_where_no_stop_string_comes(mode: str) -> None:
    """What only begins like a stop string is shown in the end, and nothing is left to stop."""
    with Sandbox(reply=Reply(tokens=["all of i", "t S", "TO"])) as sandbox:
        answer = await ask(cut_model(sandbox, stop=["STOP", "STO!"]), mode, "count")
        assert answer.text == "all of it STO"
        assert [request.method for request in sandbox.requests] == ["POST", "POST"]


async def test_stop_string_in_the_reasoning_is_not_applied(mode: str) -> None:
    """Only the answer is searched; reasoning may say what it likes."""
    reply = Reply(text="Here it is. STOP And more.", reasoning="I must not say STOP too soon.")
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(cut_model(sandbox, stop="STOP"), mode, "go")
    assert answer.additional_kwargs == {"reasoning_content": "I must not say STOP too soon."}
    assert answer.text == "Here it is. "


@pytest.mark.parametrize("stop", [[], [""]])
def test_empty_stop_strings_mean_none(model: ChatHuggingChat, stop: list[str]) -> None:
    """No stop string, or an empty one, ends nothing."""
    with Sandbox(reply="all of it") as sandbox:
        assert cut_model(sandbox, stop=stop).invoke("go", stop=stop).text == "all of it"


async def test_after_a_silent_restart_the_stop_string_still_cuts(mode: str) -> None:
    """Nothing behind a stop string is shown, though the server begins its answer anew."""
    reply = Reply(tokens=["a ", "b ", "c ", "STOP", " d"], restart_after=2)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(cut_model(sandbox), mode, "go", stop=["STOP"])
    assert "STOP" not in answer.text
    assert answer.text.endswith("a b c ")
