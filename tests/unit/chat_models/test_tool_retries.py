"""A call that has to come and does not."""

from __future__ import annotations

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from pydantic import ValidationError

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.stream import asked_again
from langchain_g4f.core.chat_request import ChatRequest, Message
from langchain_g4f.core.events import Progress
from langchain_g4f.testing import Reply
from tests.unit.chat_models.tools import ADD, NO_CALL, add, asked, calls, saying
from tests.unit.chat_models.ways import ask

SUM = ("add", {"a": 2, "b": 3})


@pytest.mark.parametrize("choice", ["any", "add"])
async def test_forced_call_that_does_not_come_is_plain_text(mode: str, choice: str) -> None:
    """Nothing is made up, and nobody asks again who was not told to."""
    with saying("I would rather not.") as (model, sandbox):
        answer = await ask(model.bind_tools([add], tool_choice=choice), mode, "hi")
        assert len(sandbox.prompts) == 1
    assert (answer.content, answer.tool_calls) == ("I would rather not.", [])
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_call_is_asked_for_once_more_in_the_same_conversation(mode: str) -> None:
    """Only what came then is the answer; somebody who watches is told of the rest."""
    told: list[Progress] = []
    with saying("No.", f"Well. {ADD}", tool_retries=1, on_progress=told.append) as (model, sandbox):
        answer = await ask(model.bind_tools([add], tool_choice="any"), mode, "hi")
        assert len(sandbox.conversations) == 1
        assert len(sandbox.prompts) == 2
        assert asked(sandbox).startswith(NO_CALL)
        assert "You must call one of the tools now" in asked(sandbox)
    assert calls(answer) == [SUM]
    assert str(answer.content).strip() == "Well."
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    (retry,) = (each for each in told if each.kind == "tool_retry")
    assert retry.data == {"text": "No."}


async def test_next_turn_goes_on_in_the_conversation(mode: str) -> None:
    """What was asked again is no part of the caller's history, and does not part the two."""
    with saying("No.", ADD, "Five.", "Bye.", tool_retries=1) as (model, sandbox):
        said: list[BaseMessage] = [HumanMessage("hi")]
        said.append(await ask(model.bind_tools([add], tool_choice="any"), mode, said))
        (call,) = said[-1].tool_calls  # type: ignore[attr-defined]
        said.append(ToolMessage("5", tool_call_id=str(call["id"])))
        said.append(await ask(model.bind_tools([add]), mode, said))
        assert asked(sandbox).startswith("<tool_response")
        said.append(HumanMessage("bye"))
        last = await ask(model.bind_tools([add]), mode, said)
        assert asked(sandbox) == "bye"
        assert len(sandbox.conversations) == 1
    assert last.content == "Bye."


async def test_last_try_is_the_answer_whatever_it_is(mode: str) -> None:
    """As often as is said, and no more."""
    told: list[Progress] = []
    with saying("One.", "Two.", "Three.", tool_retries=2, on_progress=told.append) as found:
        model, sandbox = found
        answer = await ask(model.bind_tools([add], tool_choice="add"), mode, "hi")
        assert len(sandbox.prompts) == 3
    assert (answer.content, answer.tool_calls) == ("Three.", [])
    assert answer.response_metadata["finish_reason"] == "stop"
    assert [each.data["text"] for each in told if each.kind == "tool_retry"] == ["One.", "Two."]


async def test_call_that_comes_at_once_is_not_asked_for_again(mode: str) -> None:
    """Its text waits for it, and comes before it."""
    with saying(f"Well. {ADD} So.", tool_retries=3) as (model, sandbox):
        answer = await ask(model.bind_tools([add], tool_choice="any"), mode, "hi")
        assert len(sandbox.prompts) == 1
    assert str(answer.content).split() == ["Well.", "So."]
    assert calls(answer) == [SUM]


def test_number_of_tries_is_none_below_zero() -> None:
    """It is off if nothing is said."""
    assert ChatHuggingChat().tool_retries == 0
    with pytest.raises(ValidationError, match="tool_retries"):
        ChatHuggingChat(tool_retries=-1)


def test_request_after_a_missing_call_is_no_part_of_the_history() -> None:
    """The note of the call is said once more."""
    mapper = ChunkMapper("example", "model")
    chat_request = ChatRequest((Message("user", "hi", note="note"),))
    again = asked_again(chat_request, mapper)
    assert mapper.text == ""
    assert [m.in_history for m in again.messages] == [True, False, False]
    assert again.messages[-1].note == "note"


@pytest.mark.parametrize(
    ("first", "stop"),
    [
        (Reply("No. I do not ### want to"), ["###"]),
        (Reply("No I would not do it", restart_after=3), None),
        (Reply("No.", reasoning="Should I?"), None),
    ],
    ids=["stopped", "restarted", "thought"],
)
async def test_answer_without_a_call_is_the_one_the_server_has(
    mode: str, first: Reply, stop: list[str] | None
) -> None:
    """So the same conversation goes on; nothing of that answer is in the one that counts."""
    with saying(first, ADD, tool_retries=1) as (model, sandbox):
        bound = model.bind_tools([add], tool_choice="any")
        answer = await ask(bound, mode, "hi", stop=stop)
        assert (len(sandbox.conversations), len(sandbox.prompts)) == (1, 2)
        assert asked(sandbox).startswith(NO_CALL)
    assert (calls(answer), answer.content) == ([SUM], "")
    assert answer.response_metadata.keys().isdisjoint({"restarted", "final_text", "stop_sequence"})
