"""The scripted model with tools: prompts as the package writes them, answers as it reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f.core.chat_request import NO_TOOLS, Message
from langchain_g4f.testing import Prompt, echo
from langchain_g4f.testing.gradio_space.apps import model, tool_model
from langchain_g4f.text.transcript import render
from langchain_g4f.tools.prompt import (
    ANY,
    NO_CALL,
    directive,
    render_call,
    schema_directive,
    tools_section,
)
from tests.unit.testing.tool_chat import (
    ADD,
    CALL,
    NOW,
    REPORT,
    SECTION,
    SQUARE,
    WEATHER,
    after,
    ask,
    calls,
    result,
    said,
)


def test_without_tools_and_json_there_is_nothing_to_say() -> None:
    """The sandbox answers as it does without."""
    assert tool_model.answer([("system", "Be brief."), ("user", "add 2 and 3")]) is None


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Please add 2 and 3", [("add", {"a": 2, "b": 3})]),
        ("What is 2 + 3?", [("add", {"a": 2, "b": 3})]),
        ("How is the weather in Rome?", [("get_weather", {"location": "Rome"})]),
        ("Use now()", [("now", {})]),
        ("What time is it?", [("now", {})]),
        ("Hello!", []),
        (
            "Add 2 and 3 and then add 4 and 5",
            [("add", {"a": 2, "b": 3}), ("add", {"a": 4, "b": 5})],
        ),
        ("Add 2 and 3 and tell me the number", [("add", {"a": 2, "b": 3})]),
        (
            "Add 2 and 3, and get the weather in Rome",
            [("add", {"a": 2, "b": 3}), ("get_weather", {"location": "Rome"})],
        ),
        (
            "What is the weather in Rome and in Paris?",
            [("get_weather", {"location": "Rome"}), ("get_weather", {"location": "Paris"})],
        ),
        (
            "Get the square of 4 and 5",
            [("square", {"of": 4}), ("square", {"of": 5})],
        ),
        ("Get the square of 4, which is not 5", [("square", {"of": 4})]),
        ("The weather in 'Rome and Paris'", [("get_weather", {"location": "Rome and Paris"})]),
    ],
)
def test_question_chooses_tools_by_its_words(
    question: str, expected: list[tuple[str, Any]]
) -> None:
    """Words in common with name or description make a call, one for each thing asked for."""
    assert calls(ask(question, tools_section([ADD, WEATHER, NOW, SQUARE]))) == expected


def test_one_call_at_a_time_is_one_call() -> None:
    """The model keeps to what the section says of parallel calls."""
    section = tools_section([ADD, WEATHER], parallel=False)
    assert len(calls(ask("Add 2 and 3, and get the weather in Rome", section))) == 1


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


def test_forced_model_hands_in_what_tools_gave() -> None:
    """With a result to answer and some call to make, it is the last tool, filled from it."""
    section = tools_section([ADD, REPORT])
    asked = after("add 2 and 3", result("5"), section, directive(ANY))
    assert calls(asked) == [("Report", {"total": 5})]


def test_results_are_told() -> None:
    """An answer has the results, and says which of them are errors."""
    told = result("5") + "\n" + result("no such place", status="error")
    assert said(after("add 2 and 3", told)) == "The result is 5. The tool failed: no such place"


def test_text_behind_results_is_a_new_question() -> None:
    """What stands there is asked, and the results are history."""
    assert calls(after("x", result("5") + "\nNow add 6 and 7")) == [("add", {"a": 6, "b": 7})]


def test_conversation_in_one_text_reads_like_messages() -> None:
    """History, section, results and directive are found in a transcript."""
    history = [
        Message("system", SECTION),
        Message("user", "add 2 and 3 [[tool:fenced]]"),
        Message("assistant", render_call("add", {"a": 2, "b": 3})),
        Message("tool", result("5")),
    ]
    assert said([("user", render(history))]) == "The result is 5."
    history += [Message("assistant", "It is 5."), Message("user", "Hm", note=directive("now"))]
    found = tool_model.answer([("user", render(history))])
    assert found is not None
    assert found.asked == "Hm"
    assert calls([("user", render(history))]) == [("now", {})]


def test_newest_section_counts() -> None:
    """Tools change in the middle of a conversation, or go."""
    asked = [*ask("add 2 and 3"), ("assistant", "5")]
    assert calls([*asked, ("user", tools_section([NOW]) + "\n\nadd 2 and 3, now")]) == [("now", {})]
    assert tool_model.answer([*asked, ("user", f"{NO_TOOLS}\n\nadd 2 and 3")]) is None


@pytest.mark.parametrize("tools", [False, True])
def test_wanted_json_is_said_bare(tools: bool) -> None:
    """A schema is filled, and nothing stands around it."""
    asked = ask("It is 7.", SECTION if tools else "", schema_directive(REPORT["parameters"]))
    assert json.loads(said(asked) or "") == {"total": 7}


def test_json_without_schema_has_the_keys_of_the_question() -> None:
    """What is quoted in the question are keys, and without any there is one."""
    question = "A joke with 'setup' and 'punchline' keys."
    told = json.loads(said(ask(question, "", schema_directive(None))) or "")
    assert set(told) == {"setup", "punchline"}
    assert json.loads(said(ask("Hi", "", schema_directive(None))) or "") == {"answer": "Hi"}


def test_wanted_json_comes_after_the_tools() -> None:
    """With both, the tool is called first, and its result is what is said."""
    note = schema_directive(REPORT["parameters"])
    assert calls(ask("add 2 and 3", note=note)) == [("add", {"a": 2, "b": 3})]
    assert json.loads(said(after("add 2 and 3", result("5"), note=note)) or "") == {"total": 5}


def test_echo_calls_and_obeys_its_other_directives() -> None:
    """With tools bound, the sandbox's model thinks, fails and repeats as before."""

    def reply(text: str) -> Any:
        messages = [{"role": "system", "content": SECTION}, {"role": "user", "content": text}]
        return echo(Prompt("m", messages))

    assert reply("add 2 and 3 [[think]]").text == f"<tool_call>{CALL}</tool_call>"
    assert reply("add 2 and 3 [[think]]").reasoning
    assert reply("add 2 and 3 [[error:503]]").error
    assert reply("add 2 and 3 [[say:no]]").text == "no"
    assert reply(f"Hello\n\n{NO_CALL}").text == render_call("now", {})
    assert reply("Hello [[tool:none]]").text == "Echo (m, turn 1): Hello"


def test_model_of_the_apps_calls_and_answers_without_the_instructions() -> None:
    """Gradio's stand-ins have the section in a message, and repeat only what was asked."""

    def last(text: str) -> str:
        question = model.Question(f"{SECTION}\n\n{text}")
        replies = model.answer(question, stage=Silent(), pace_s=0, sleep=lambda _: None)
        return [*replies][-1].text

    assert last("add 2 and 3") == f"<tool_call>{CALL}</tool_call>"
    assert last("Hello [[tool:none]]") == "You said: Hello"
    assert last("add 2 and 3 [[say:no]]") == "no"


class Silent:
    """A stage on which nothing may happen."""

    def log(self, text: str, level: model.Level, title: str, duration_s: float) -> None:
        raise AssertionError(text)

    def progress(self, index: int, length: int, unit: str, description: str) -> None:
        raise AssertionError(description)

    def error(self, text: str, title: str, duration_s: float, *, visible: bool) -> Exception:
        raise AssertionError(text)


def test_model_runs_where_nothing_of_ours_is_installed() -> None:
    """An interpreter without packages imports it beside the apps."""
    folder = Path(tool_model.__file__).parents[1]
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from apps.tool_model import answer; "
        "print(answer([('user', sys.argv[2])]).said)"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(folder), f"{SECTION}\n\nadd 2 and 3"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == f"<tool_call>{CALL}</tool_call>"
