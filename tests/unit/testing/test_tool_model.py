"""The scripted model with tools: prompts as the package writes them, answers as it reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter
from langchain_g4f.core.chat_request import NO_TOOLS, Message
from langchain_g4f.core.events import Text, ToolCall
from langchain_g4f.testing import Prompt, echo
from langchain_g4f.testing.gradio_space.apps import tool_model
from langchain_g4f.testing.gradio_space.apps.tools import arguments
from langchain_g4f.text.transcript import render
from langchain_g4f.tools.prompt import (
    ANY,
    NO_CALL,
    directive,
    render_call,
    render_result,
    schema_directive,
    tools_section,
)

Messages = list[tuple[str, str]]


def described(name: str, about: str, **properties: str) -> dict[str, Any]:
    """Return a tool whose arguments, all required, have these types."""
    fields = {field: {"type": kind} for field, kind in properties.items()}
    parameters = {"type": "object", "properties": fields, "required": list(fields)}
    return {"name": name, "description": about, "parameters": parameters}


ADD = described("add", "Add two numbers.", a="integer", b="integer")
WEATHER = described("get_weather", "Get the weather at a location.", location="string")
NOW = described("now", "Tell the time of day.")
SQUARE = described("square", "Square a number.", of="integer")
REPORT = described("Report", "What is handed in at the end.", total="integer")
SECTION = tools_section([ADD, WEATHER, NOW])
CALL = '<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>'


def ask(question: str, section: str = SECTION, note: str = "") -> Messages:
    """Return a system prompt with tools, and a question."""
    return [("system", section), ("user", "\n\n".join(filter(None, (question, note))))]


def after(question: str, told: str, section: str = SECTION, note: str = "") -> Messages:
    """Return a conversation with a question, a call and its result."""
    called = ("assistant", render_call("add", {"a": 2, "b": 3}))
    return [*ask(question, section), called, ("user", "\n\n".join(filter(None, (told, note))))]


def result(text: str, status: str = "success") -> str:
    """Return a result as the model is told it."""
    return render_result(text, call_id="call_1", name="add", status=status)


def said(messages: Messages) -> str | None:
    """Return what the model answers."""
    found = tool_model.answer(messages)
    assert found is not None
    return found.said


def calls(messages: Messages) -> list[tuple[str, Any]]:
    """Return the calls in the answer, as the package reads them."""
    reading = ToolCallFilter(tools=True, bare_json=False, parallel=True)
    events = [*reading.feed(Text(said(messages) or "")), *reading.close()]
    found = [event for event in events if isinstance(event, ToolCall)]
    return [(call.name, json.loads(call.arguments)) for call in found]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is 2 + 3?", [("add", {"a": 2, "b": 3})]),
        ("How is the weather in Rome?", [("get_weather", {"location": "Rome"})]),
        ("What time is it?", [("now", {})]),
        ("Hello!", []),
        (
            "Add 2 and 3 and then add 4 and 5",
            [("add", {"a": 2, "b": 3}), ("add", {"a": 4, "b": 5})],
        ),
        ("Add 2 and 3 and tell me the number", [("add", {"a": 2, "b": 3})]),
        ("Hi there, and add 2 and 3", [("add", {"a": 2, "b": 3})]),
        (
            "What is the weather in Rome and in Paris?",
            [("get_weather", {"location": "Rome"}), ("get_weather", {"location": "Paris"})],
        ),
        ("Get the square of 4 and 5", [("square", {"of": 4}), ("square", {"of": 5})]),
        ("Get the square of 4, which is not 5", [("square", {"of": 4})]),
        ("The weather in 'Rome and Paris'", [("get_weather", {"location": "Rome and Paris"})]),
    ],
)
def test_question_chooses_tools_by_its_words(
    question: str, expected: list[tuple[str, Any]]
) -> None:
    """Words in common with name or description make a call, one for each thing asked for."""
    tools = [ADD, WEATHER, NOW, SQUARE]
    assert calls(ask(question, tools_section(tools))) == expected
    one_by_one = tools_section(tools, parallel=False)
    assert calls(ask(question, one_by_one)) == expected[:1]


@pytest.mark.parametrize(
    ("choice", "question", "expected"),
    [
        ("now", "add 2 and 3", ("now", {})),
        (ANY, "add 2 and 3", ("add", {"a": 2, "b": 3})),
        (ANY, "Hello!", ("now", {})),
    ],
)
def test_forced_model_calls(choice: str, question: str, expected: tuple[str, Any]) -> None:
    """The tool that is named, or the best one; the question does not have to be about it."""
    assert calls(ask(question, note=directive(choice))) == [expected]


def test_results_are_told_or_handed_in() -> None:
    """A forced call after a result is one of the last tool; text behind results is a question."""
    told = result("5") + "\n" + result("no such place", status="error")
    assert said(after("add 2 and 3", told)) == "The result is 5. The tool failed: no such place"
    section = tools_section([ADD, REPORT])
    asked = after("add 2 and 3", result("5"), section, directive(ANY))
    assert calls(asked) == [("Report", {"total": 5})]
    assert calls(after("x", result("5") + "\nNow add 6 and 7")) == [("add", {"a": 6, "b": 7})]


def test_late_call_comes_when_it_is_asked_for_again() -> None:
    """At the first request it is missing."""
    asked = ask("add 2 and 3 [[tool:late]]", note=directive("add"))
    assert tool_model.answer(asked) == tool_model.ToolAnswer("add 2 and 3", None)
    again = [*asked, ("assistant", "No."), ("user", f"{NO_CALL}\n\n{directive('add')}")]
    assert calls(again) == [("add", {"a": 2, "b": 3})]


def test_conversation_in_one_text_reads_like_messages() -> None:
    """History, section, results and directive are found in a transcript; the newest tools count."""
    history = [
        Message("system", SECTION),
        Message("user", "add 2 and 3"),
        Message("assistant", render_call("add", {"a": 2, "b": 3})),
        Message("tool", result("5")),
    ]
    assert said([("user", render(history))]) == "The result is 5."
    history += [Message("assistant", "It is 5."), Message("user", "Hm", note=directive("now"))]
    assert calls([("user", render(history))]) == [("now", {})]
    asked = [*ask("add 2 and 3"), ("assistant", "5")]
    assert calls([*asked, ("user", tools_section([NOW]) + "\n\nadd 2 and 3, now")]) == [("now", {})]
    assert tool_model.answer([*asked, ("user", f"{NO_TOOLS}\n\nadd 2 and 3")]) is None


def test_wanted_json_is_said_bare_and_after_the_tools() -> None:
    """A schema is filled; without one, quoted words of the question are the keys."""
    note = schema_directive(REPORT["parameters"])
    assert calls(ask("add 2 and 3", note=note)) == [("add", {"a": 2, "b": 3})]
    assert json.loads(said(after("add 2 and 3", result("5"), note=note)) or "") == {"total": 5}
    question = "A joke with 'setup' and 'punchline' keys."
    told = json.loads(said(ask(question, "", schema_directive(None))) or "")
    assert set(told) == {"setup", "punchline"}
    assert json.loads(said(ask("Hi", "", schema_directive(None))) or "") == {"answer": "Hi"}


def test_echo_calls_and_obeys_its_other_directives() -> None:
    """With tools bound, the sandbox's model thinks, fails and repeats as before."""

    def reply(text: str) -> Any:
        messages = [{"role": "system", "content": SECTION}, {"role": "user", "content": text}]
        return echo(Prompt("m", messages))

    assert reply("add 2 and 3 [[think]]").text == CALL
    assert reply("add 2 and 3 [[think]]").reasoning
    assert reply("add 2 and 3 [[error:503]]").error
    assert reply("add 2 and 3 [[say:no]]").text == "no"
    assert reply("Hello").text == "Echo (m, turn 1): Hello"


def test_model_runs_where_nothing_of_ours_is_installed() -> None:
    """An interpreter without packages imports it beside the apps."""
    folder = Path(tool_model.__file__).parents[1]
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from apps.tool_model import answer; "
        "print(answer([('user', sys.argv[2])]).said)"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(folder), f"{SECTION}\n\nadd 2 and 3"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == CALL


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, "minus: -12", -12),
        ({"type": "integer"}, "none", 1),
        ({"type": "integer", "exclusiveMinimum": 4}, "none", 5),
        ({"type": "integer", "maximum": 7}, "9 of them", 7),
        ({"type": "number"}, "2.5 metres", 2.5),
        ({"type": "string"}, "a customer named '你好啊集团' (Hello Group)", "你好啊集团"),
        ({"type": "string"}, "the weather in San Francisco, CA?", "San Francisco, CA"),
        ({"type": "string"}, "nothing  special", "nothing special"),
        ({"type": "string", "format": "email"}, "x", "someone@example.org"),
        ({"type": "boolean"}, "not loudly", False),
        ({"type": "null"}, "x", None),
        ({"const": "fixed"}, "x", "fixed"),
        ({"enum": ["celsius", "kelvin"]}, "in Kelvin", "kelvin"),
        ({"enum": ["celsius", "kelvin"]}, "please", "celsius"),
        ({"type": ["null", "integer"]}, "4", 4),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "4", 4),
        ({"type": "array", "items": {"type": "integer"}}, "1, 2 and 3", [1, 2, 3]),
        ({"type": "array", "items": {"type": "string"}}, "'a' and 'b'", ["a", "b"]),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, "c or b", ["b", "c"]),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 2}, "1, 2, 3", [1, 2]),
    ],
)
def test_value_is_taken_from_the_text_and_fits_the_schema(
    schema: dict[str, Any], text: str, value: object
) -> None:
    """Each kind of schema has its own way to find a value, or a value without one."""
    wanted = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    assert arguments(wanted, text) == arguments(schema, text) == {"value": value}


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    city: str
    number: int


class Person(BaseModel):
    name: str
    colour: Colour
    address: Address
    unit: Literal["celsius", "kelvin"] = "celsius"
    friends: list[Person] = []


def test_references_and_nested_objects_are_filled_in_order() -> None:
    """Optional fields are given where the text speaks of them; a schema in itself ends."""
    schema = Person.model_json_schema()
    schema = {**schema, **schema["$defs"]["Person"]}
    text = "'Ann' likes blue and lives in 'Rome' at number 7"
    found = Person.model_validate(arguments(schema, text))
    assert found == Person(name="Ann", colour=Colour.BLUE, address=Address(city="Rome", number=7))
    found = Person.model_validate(arguments(schema, f"{text} in kelvin with friends"))
    assert found.unit == "kelvin"
    assert found.friends[0].friends
