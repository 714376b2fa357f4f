"""The scripted model with tools misbehaves on demand."""

from __future__ import annotations

import pytest

from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter
from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.testing.gradio_space.apps import tool_model
from langchain_g4f.tools.prompt import NO_CALL, directive, schema_directive
from tests.unit.testing.tool_chat import CALL, REPORT, after, ask, calls, result, said


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("fenced", f"<tool_call>```json\n{CALL}\n```</tool_call>"),
        (
            "single-quotes",
            "<tool_call>{'name': 'add', 'arguments': {'a': 2, 'b': 3}}</tool_call>",
        ),
        ("trailing-comma", f"<tool_call>{CALL[:-1]},}}</tool_call>"),
        ("glued", f"<tool_call>{CALL}{CALL}</tool_call>"),
        ("unknown", f"<tool_call>{CALL.replace('add', 'no_such_tool')}</tool_call>"),
        ("prose", f"Let me look that up. <tool_call>{CALL}</tool_call> That should tell."),
        ("cut-off", f"<tool_call>{CALL[:-3]}"),
        (
            "string-arguments",
            '<tool_call>{"name": "add", "arguments": "{\\"a\\": 2, \\"b\\": 3}"}</tool_call>',
        ),
        (
            "in-think",
            (
                f"<think>I could call <tool_call>{CALL}</tool_call> here.</think>"
                "I need no tool for that."
            ),
        ),
        (
            "wrong-types",
            '<tool_call>{"name": "add", "arguments": {"a": "not 2", "b": "not 3"}}</tool_call>',
        ),
        ("none", None),
    ],
)
def test_model_misbehaves_on_demand(fault: str, answer: str | None) -> None:
    """Each fault in its own words; the directive is no part of the question."""
    found = tool_model.answer(ask(f"add 2 and 3 [[tool:{fault}]]"))
    assert found == tool_model.Answer("add 2 and 3", answer)


def test_call_inside_thoughts_is_read_as_a_thought() -> None:
    """The fault is one that the package's reader sees."""
    reading = ToolCallFilter(tools=True, bare_json=False, parallel=True)
    text = said(ask("add 2 and 3 [[tool:in-think]]")) or ""
    assert [type(event) for event in reading.feed(Text(text))] == [Reasoning, Text]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("fenced", '```json\n{"total": 7}\n```'),
        ("prose", 'Here it is: {"total": 7} That is all.'),
        ("trailing-comma", '{"total": 7,}'),
        ("cut-off", '{"total": '),
        ("wrong-types", '{"total": "not 7"}'),
        ("none", None),
    ],
)
def test_wanted_json_is_misspelled_on_demand(fault: str, answer: str | None) -> None:
    """The same directives hold where no tool is called."""
    asked = ask(f"It is 7. [[tool:{fault}]]", "", schema_directive(REPORT["parameters"]))
    assert said(asked) == answer


@pytest.mark.parametrize("fault", ["unknown", "wrong-types"])
def test_refused_call_is_made_again_and_right(fault: str) -> None:
    """The tool complains, the model corrects itself once, and tells a second error."""
    question = f"add 2 and 3 [[tool:{fault}]]"
    first = after(question, result("there is no such tool", status="error"))
    assert calls(first) == [("add", {"a": 2, "b": 3})]
    again = [*first, ("assistant", "x"), ("user", result("broken", status="error"))]
    assert said(again) == "The tool failed: broken"


def test_forced_call_that_never_comes_and_one_that_comes_late() -> None:
    """Asked once more, `none` says why not and `late` calls."""
    for fault, expected in (("none", []), ("late", [("add", {"a": 2, "b": 3})])):
        asked = ask(f"add 2 and 3 [[tool:{fault}]]", note=directive("add"))
        assert said(asked) is None
        again = [*asked, ("assistant", "No."), ("user", f"{NO_CALL}\n\n{directive('add')}")]
        assert calls(again) == expected
        assert said([*asked, ("assistant", "No."), ("user", NO_CALL)])


def test_model_takes_as_many_steps_as_it_is_told() -> None:
    """It calls until there are so many results, and tells the last one."""
    asked = ask("add 2 and 3 [[tool:steps:3]]")
    for _ in range(3):
        assert calls(asked) == [("add", {"a": 2, "b": 3})]
        asked += [("assistant", said(asked) or ""), ("user", result("5"))]
    assert said(asked) == "The result is 5."
