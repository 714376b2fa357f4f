"""What the caller gets of a call that is not written as asked for, on every service."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from tests.contract.sandbox.tools.agents import WAYS, add
from tests.contract.sandbox.tools.service import Serve, call
from tests.unit.chat_models.ways import ask

ADD = call("add", a=2, b=3)
REPAIRED = {
    "fenced": (
        '<tool_call>\n```json\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n```\n</tool_call>'
    ),
    "single quotes": "<tool_call>{'name': 'add', 'arguments': {'a': 2, 'b': 3}}</tool_call>",
    "trailing comma": '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3,}}</tool_call>',
    "missing bracket": '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}</tool_call>',
    "arguments as a string": (
        r'<tool_call>{"name": "add", "arguments": "{\"a\": 2, \"b\": 3}"}</tool_call>'
    ),
    "other name of the arguments": (
        '<tool_call>{"name": "add", "parameters": {"a": 2, "b": 3}}</tool_call>'
    ),
    "prose within": (
        '<tool_call>Now: {"name": "add", "arguments": {"a": 2, "b": 3}}. Done</tool_call>'
    ),
}
GLUED = (
    '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}'
    '{"name": "add", "arguments": {"a": 4, "b": 5}}</tool_call>'
)
PLAIN: dict[str, tuple[str, str]] = {
    "as asked for": (ADD, ""),
    "prose around": (f"I add them. {ADD}\nWait for it.", "I add them. Wait for it."),
    "end tag missing": (ADD.removesuffix("</tool_call>"), ""),
}
BROKEN = '<tool_call>{"name": "add", "arguments": {"a": 2, "b":'
UNREADABLE = {
    "cut off": (BROKEN, "add"),
    "string without end": ('<tool_call>{"name": "add", "arguments": {"a": "2}}</tool_call>', "add"),
    "no JSON": ("<tool_call>add(2, 3)</tool_call>", ""),
}

by_two_ways = pytest.mark.parametrize("way", ["invoke", "astream"])


def calls_of(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The calls, by name and arguments."""
    return [(each["name"], each["args"]) for each in answer.tool_calls]


@pytest.mark.parametrize("line", REPAIRED.values(), ids=REPAIRED)
@by_two_ways
async def test_misspelled_call_is_repaired_and_counted(serve: Serve, way: str, line: str) -> None:
    """Spelling is repaired, and the metadata tells that it was."""
    answer = await ask(serve(line).model.bind_tools([add]), way, "What is 2 and 3?")
    assert calls_of(answer) == [("add", {"a": 2, "b": 3})]
    assert answer.response_metadata["repaired_calls"] == 1
    assert not answer.invalid_tool_calls
    assert answer.text == ""


@pytest.mark.parametrize("way", WAYS)
async def test_two_calls_in_one_element_are_two_calls(serve: Serve, way: str) -> None:
    """They get ids of their own, as two elements would."""
    answer = await ask(serve(GLUED).model.bind_tools([add]), way, "And 4 and 5?")
    assert calls_of(answer) == [("add", {"a": 2, "b": 3}), ("add", {"a": 4, "b": 5})]
    assert len({each["id"] for each in answer.tool_calls}) == 2
    assert answer.response_metadata["repaired_calls"] == 2


@pytest.mark.parametrize("way", WAYS)
async def test_one_call_at_a_time_keeps_the_first(serve: Serve, way: str) -> None:
    """Whoever wants one call gets one, whatever the model makes."""
    model = serve(f"{ADD}\n{call('add', a=4, b=5)}").model
    bound = model.bind_tools([add], parallel_tool_calls=False)
    answer = await ask(bound, way, "What is 2 and 3, and 4 and 5?")
    assert calls_of(answer) == [("add", {"a": 2, "b": 3})]


@pytest.mark.parametrize(("line", "text"), PLAIN.values(), ids=PLAIN)
@by_two_ways
async def test_whole_call_with_text_around_it_needs_no_repair(
    serve: Serve, way: str, line: str, text: str
) -> None:
    """Text is text, before a call and after it; a call that is whole needs no end tag."""
    answer = await ask(serve(line).model.bind_tools([add]), way, "What is 2 and 3?")
    assert calls_of(answer) == [("add", {"a": 2, "b": 3})]
    assert answer.text == text
    assert "repaired_calls" not in answer.response_metadata
    assert answer.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(("line", "name"), UNREADABLE.values(), ids=UNREADABLE)
@by_two_ways
async def test_half_a_call_is_reported_and_never_made(
    serve: Serve, way: str, line: str, name: str
) -> None:
    """What is missing is not made up: the call is invalid, and has what was written."""
    answer = await ask(serve(line).model.bind_tools([add]), way, "What is 2 and 3?")
    assert calls_of(answer) == []
    (invalid,) = answer.invalid_tool_calls
    assert (invalid["name"] or "") == name
    written = line.removeprefix("<tool_call>").removesuffix("</tool_call>")
    assert written.replace('"', '\\"') in str(invalid["args"])


@pytest.mark.parametrize(
    "line",
    [REPAIRED["single quotes"], GLUED, f"Well. {ADD} So.", f"<think>Hm.</think>{ADD}", BROKEN],
    ids=["repaired", "glued", "prose", "reasoning", "cut off"],
)
@pytest.mark.parametrize("way", WAYS)
async def test_conversation_goes_on_after_a_call_however_written(
    serve: Serve, way: str, line: str
) -> None:
    """The service has the answer as it was written, LangChain as it was understood."""
    service = serve(line, "5.")
    model = service.model.bind_tools([add])
    history: list[BaseMessage] = [HumanMessage("What is 2 and 3?")]
    called = await ask(model, way, history)
    results = [add.invoke(each) for each in called.tool_calls] or [HumanMessage("Once more?")]
    answer = await ask(model, way, [*history, called, *results])
    assert answer.text == "5."
    service.expect_cost(answers=2)
    assert len(service.told()) == 3
    assert len(getattr(service.sandbox, "conversations", "1")) == 1


@by_two_ways
async def test_call_in_reasoning_is_no_call(serve: Serve, way: str) -> None:
    """A model may think of calls without making them."""
    answer = await ask(
        serve(f"<think>Shall I? {ADD}</think>No.").model.bind_tools([add]), way, "What is 2 and 3?"
    )
    assert calls_of(answer) == []
    assert answer.text == "No."


@pytest.mark.parametrize("way", WAYS)
async def test_call_that_does_not_come_is_asked_for_once_more(serve: Serve, way: str) -> None:
    """With `tool_retries`, in the same conversation; what was said instead is not given."""
    service = serve("It is 5.", ADD)
    model = service.model.model_copy(update={"tool_retries": 1})
    answer = await ask(model.bind_tools([add], tool_choice="any"), way, "What is 2 and 3?")
    assert calls_of(answer) == [("add", {"a": 2, "b": 3})]
    assert answer.text == ""
    assert service.told()[-2:][0] == "It is 5."
    service.expect_cost(answers=2)


@pytest.mark.parametrize("way", WAYS)
async def test_call_that_does_not_come_is_text(serve: Serve, way: str) -> None:
    """A forced call is never made up."""
    service = serve("It is 5.")
    answer = await ask(service.model.bind_tools([add], tool_choice="add"), way, "What is 2 and 3?")
    assert (answer.text, calls_of(answer)) == ("It is 5.", [])
    assert answer.response_metadata["finish_reason"] in ("stop", "unknown")
    assert 'You must call the tool "add" now' in service.told()[-1]
    service.expect_cost(answers=1)
