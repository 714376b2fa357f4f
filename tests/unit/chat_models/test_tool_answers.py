"""Calls in answers: what is text, what is a call, and a call that has to come and does not."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ValidationError

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.chat_models.stream import asked_again
from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter
from langchain_g4f.core.chat_request import ChatRequest, Message
from langchain_g4f.core.events import Event, FinalText, Finish, Progress, Reasoning, Text, ToolCall
from langchain_g4f.testing import Reply
from tests.unit.chat_models.tools import (
    ADD,
    ECHO,
    NO_CALL,
    NONCE,
    add,
    asked,
    calls,
    marked,
    repeat,
    saying,
)
from tests.unit.chat_models.ways import WAYS, ask

SUM = ("add", {"a": 2, "b": 3})
SAID = ("repeat", {"text": "ä<b>"})
EACH_ITS_OWN = ("conversation", "tool_nonce")
MIXED = f"Let me see. {ADD}\n{ECHO} Wait for it."


def mapped(*events: Event, stop: tuple[str, ...] = (), **reading: bool) -> tuple[Any, Any]:
    """The sum of the chunks, and the folded answer."""
    options = {"tools": True, "bare_json": False, "parallel": True, **reading}
    mapper = ChunkMapper("example", "model", stop, partial(ToolCallFilter, **options, nonce=NONCE))
    found = [found for event in events for found in mapper.step(_marked(event))]
    found.extend(mapper.step(None))
    chunks = [chunk for chunk in found if isinstance(chunk, ChatGenerationChunk)]
    assert not mapper.tool_call_missing
    total = functools.reduce(operator.add, (chunk.message for chunk in chunks))
    return total, mapper.fold(chunks)


def _marked(event: Event) -> Event:
    """The event with the id in its calls."""
    if isinstance(event, Text | FinalText):
        return replace(event, text=marked(event.text))
    return event


def letters(text: str) -> list[Event]:
    """The text in the smallest pieces, with the id in its calls."""
    return [Text(letter) for letter in marked(text)]


def streamed(model: ChatHuggingChat) -> list[AIMessageChunk]:
    """The chunks of an answer."""
    stream = model.bind_tools([add, repeat]).stream("hi")
    return [chunk for chunk in stream if isinstance(chunk, AIMessageChunk)]


def without_ids(message: AIMessage) -> dict[str, Any]:
    """What two answers that are equal have in common."""
    return {
        "calls": calls(message),
        "invalid": [(c["name"], c["args"]) for c in message.invalid_tool_calls],
        "content": message.content,
        "kwargs": message.additional_kwargs,
        "metadata": {k: v for k, v in message.response_metadata.items() if k not in EACH_ITS_OWN},
    }


async def test_text_before_between_and_after_calls_is_kept(mode: str) -> None:
    """The calls have their names, arguments and ids of their own; the end says so."""
    with saying(MIXED) as (model, _):
        answer = await ask(model.bind_tools([add, repeat]), mode, "hi")
        again = await ask(model.bind_tools([add, repeat]), mode, "hi")
    assert str(answer.content).split() == ["Let", "me", "see.", "Wait", "for", "it."]
    assert calls(answer) == [SUM, SAID]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    ids = [call["id"] for call in (*answer.tool_calls, *again.tool_calls)]
    assert len({*ids}) == 4
    assert all(ids)


async def test_every_way_of_asking_gives_the_same_answer() -> None:
    """Chunks added up are what `invoke` gives, but for the ids."""
    found = []
    with saying(f"{MIXED}<tool_call>broken</tool_call>") as (model, _):
        for mode in WAYS:
            bound = model.bind_tools([add, repeat])
            found.append(without_ids(await ask(bound, mode, "hi")))
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0]["invalid"] == [("", '"broken"')]


def test_call_is_given_in_one_piece_when_it_is_whole() -> None:
    """Each in a chunk of its own, with an index."""
    with saying([*MIXED]) as (model, _):
        chunks = streamed(model)
    pieces = [chunk.tool_call_chunks for chunk in chunks if chunk.tool_call_chunks]
    assert [(p["name"], p["index"]) for (p,) in pieces] == [("add", 0), ("repeat", 1)]
    assert all(chunk.content == "" for chunk in chunks if chunk.tool_call_chunks)


async def test_call_that_is_only_thought_is_none(mode: str) -> None:
    """In the model's reasoning, declared or inline, nothing is called."""
    thinking = Reply("Five.", reasoning=f"I could {ADD} that.")
    with saying(thinking) as (model, _):
        answer = await ask(model.bind_tools([add]), mode, "hi")
    assert answer.tool_calls == []
    assert str(answer.content).strip() == "Five."
    assert answer.response_metadata["finish_reason"] == "stop"
    total, folded = mapped(Reasoning(ADD), *letters(f"<think>{ADD}</think>Five."), Finish())
    for message in (total, folded):
        assert (message.tool_calls, message.text) == ([], "Five.")
        assert message.additional_kwargs["reasoning_content"] == ADD + marked(ADD)


@pytest.mark.parametrize("stop", ["arguments", "2,", "tool_call", "}}", "ä", "name"])
def test_stop_string_cuts_no_call(stop: str) -> None:
    """What stands inside a call is no text."""
    for message in mapped(*letters(f"Well. {ADD}{ECHO}"), Finish(), stop=(stop,)):
        assert calls(message) == [SUM, SAID]
        assert message.text.strip() == "Well."
        assert message.response_metadata["finish_reason"] == "tool_calls"


async def test_stop_string_in_the_text_ends_the_answer(mode: str) -> None:
    """What comes after it is neither text nor call; a call before it is one."""
    with saying(f"One {ADD} two ### three {ECHO}") as (model, _):
        answer = await ask(model.bind_tools([add, repeat]), mode, "hi", stop=["###"])
    assert calls(answer) == [SUM]
    assert str(answer.content).split() == ["One", "two"]
    assert answer.response_metadata["stop_sequence"] == "###"
    assert answer.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("streamed", "final", "found", "reason"),
    [
        (f"x {ADD}", f"y {ECHO}", [SAID], "tool_calls"),
        (f"x {ADD}", f"y {ADD}{ECHO}", [SUM, SAID], "tool_calls"),
        (f"x {ADD}", "y", [], "stop"),
        ("x", f"y {ADD}", [SUM], "tool_calls"),
        (f"x {ADD[:30]}", f"<think>{ECHO}</think>y {ADD}", [SUM], "tool_calls"),
    ],
)
def test_replaced_answer_has_the_calls_of_its_last_version(
    streamed: str, final: str, found: list[Any], reason: str
) -> None:
    """A stream is never taken back; a folded answer is the last version, and ends as that does."""
    _, folded = mapped(*letters(streamed), FinalText(final), Finish("stop"))
    assert calls(folded) == found
    assert folded.text.strip() == "y"
    assert folded.response_metadata["finish_reason"] == reason
    assert all(call["id"] for call in folded.tool_calls)


def test_last_version_without_tools_keeps_its_text() -> None:
    """Where JSON is wanted, that is what is left of it."""
    total, folded = mapped(
        Text('A {"a": 1}'), FinalText('B {"a": 2} C'), Finish(), tools=False, bare_json=True
    )
    assert total.text == '{"a": 1}'
    assert folded.text == '{"a": 2}'


def test_text_without_json_is_passed_on_at_the_end() -> None:
    """Where JSON was wanted and none came, the caller sees what did."""
    for message in mapped(Text("I "), Text("cannot."), Finish(), tools=False, bare_json=True):
        assert message.text == "I cannot."


def test_single_call_is_kept_where_one_is_wanted() -> None:
    """The first, also of the last version of a replaced answer."""
    total, folded = mapped(Text(ADD + ECHO), FinalText(ECHO + ADD), Finish(), parallel=False)
    assert (calls(total), calls(folded)) == ([SUM], [SAID])


def test_repairs_are_counted() -> None:
    """A call that was not spelled as asked for is made and told of."""
    odd = "<tool_call>```json\n{'name': 'add', 'arguments': {'a': 2, 'b': 3,}}\n```</tool_call>"
    for message in mapped(Text(odd + ADD + odd), Finish()):
        assert calls(message) == [SUM] * 3
        assert message.response_metadata["repaired_calls"] == 2
    for message in mapped(Text(ADD), Finish()):
        assert "repaired_calls" not in message.response_metadata


def test_call_of_a_service_keeps_its_id() -> None:
    """A service with tools of its own names its calls."""
    for message in mapped(ToolCall("add", "{}", "their-1"), Progress("x", ""), Finish()):
        assert [call["id"] for call in message.tool_calls] == ["their-1"]


@pytest.mark.parametrize("mode", ["invoke", "stream"])
async def test_output_version_v1_has_text_and_calls_as_blocks(mode: str) -> None:
    """In content and in content blocks alike."""
    with saying(MIXED, output_version="v1") as (model, _):
        answer = await ask(model.bind_tools([add, repeat]), mode, "hi")
    assert [block["type"] for block in answer.content_blocks] == ["text", *["tool_call"] * 2]
    assert calls(answer) == [SUM, SAID]
    blocks = [block for block in answer.content if isinstance(block, dict)]
    assert [block["type"] for block in blocks] == ["text", *["tool_call"] * 2]
    assert [(b["name"], b["args"]) for b in blocks[1:]] == [SUM, SAID]


@pytest.mark.parametrize("choice", ["any", "add"])
async def test_forced_call_that_does_not_come_is_plain_text(mode: str, choice: str) -> None:
    """Without `tool_retries` the model is asked once."""
    with saying("I would rather not.") as (model, sandbox):
        answer = await ask(model.bind_tools([add], tool_choice=choice), mode, "hi")
        assert len(sandbox.prompts) == 1
    assert (answer.content, answer.tool_calls) == ("I would rather not.", [])
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_call_is_asked_for_once_more_in_the_same_conversation(mode: str) -> None:
    """The answer is the second text; progress reports the first one."""
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
