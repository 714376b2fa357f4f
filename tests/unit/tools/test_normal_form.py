"""One spelling for each answer."""

from __future__ import annotations

import pytest

from langchain_g4f.text.escape import escape
from langchain_g4f.tools import normal_form as module
from langchain_g4f.tools.prompt import render_call, render_unreadable

NONCE = "k7f2m9q4"
TAG = f'<tool_call id="{NONCE}">'
LOOK = render_call("look", {"a": 1}, NONCE)


def normal_form(text: str) -> str:
    """The form of a text that has the id in every tag."""
    return module.normal_form(text.replace("<tool_call>", TAG), NONCE)


SAME = [
    'So.\n<tool_call>{"name": "look", "arguments": {"a": 1}}</tool_call>',
    'So.<tool_call>\n{"name":"look","arguments":{"a":1}}\n</tool_call>\n\n',
    "So.\n\n<tool_call>{'name': 'look', 'arguments': {'a': 1,}}</tool_call>",
    'So.\n<tool_call>```json\n{"arguments": "{\\"a\\": 1}", "name": "look"}```</tool_call>',
    '<think>Should I?</think>\nSo.\n<tool_call>{"name": "look", "parameters": {"a": 1}}',
    '<tool_call>{"name": "look", "arguments": {"a": 1}}</tool_call>\nSo.',
]


@pytest.mark.parametrize("text", SAME)
def test_spellings_of_one_answer_have_one_normal_form(text: str) -> None:
    """Text first, then the calls, each as it is asked for."""
    assert normal_form(text) == f"So.\n{LOOK}"


BROKEN = '{"name": "x'


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", ""),
        (" plain \n", " plain \n"),
        ("<think>why</think>\n\nso ", "so "),
        ("a < b <tool_cal", "a < b <tool_cal"),
        ("stray </tool_call>", "stray &lt;/tool_call>"),
        (f"{LOOK}\n\n{LOOK}", f"{LOOK}\n{LOOK}"),
        (f"a {LOOK} b {LOOK} c", f"a b c\n{LOOK}\n{LOOK}"),
        (f"<tool_call>{BROKEN}", render_unreadable(BROKEN, NONCE)),
        (f"{LOOK}<tool_call>{BROKEN}", f"{LOOK}\n{render_unreadable(BROKEN, NONCE)}"),
        (f"<tool_call>{BROKEN}</tool_call>\n{LOOK}", f"{LOOK}\n{render_unreadable(BROKEN, NONCE)}"),
    ],
)
def test_normal_form_keeps_what_is_said(text: str, form: str) -> None:
    """And leaves out reasoning and the blanks beside calls."""
    assert normal_form(text) == form
    assert normal_form(form) == form


@pytest.mark.parametrize("text", ["a", "", "</tool_call> a", "a\n\n", " a"])
@pytest.mark.parametrize("broken", ["oops", '{"name": "look", "arguments": {"a": "b', '"', ""])
def test_answer_as_it_is_kept_in_a_history_has_the_same_form(text: str, broken: str) -> None:
    """Its text, then its calls, with those that could not be read."""
    answer = f"<think>b</think>{text}<tool_call>{{'name': 'now'}}</tool_call>\n<tool_call>{broken}"
    kept = "\n".join(
        [escape(text), render_call("now", {}, NONCE), render_unreadable(broken, NONCE)]
    )
    assert normal_form(answer) == normal_form(kept)


def test_different_answers_have_different_forms() -> None:
    """Other text, another tool, other arguments, another order of calls."""
    other = render_call("look", {"a": 2}, NONCE)
    answers = ["So.", f"So.{LOOK}", f"So!{LOOK}", f"{LOOK}{other}", f"{other}{LOOK}", other]
    assert len({normal_form(answer) for answer in answers}) == len(answers)


def test_answer_has_a_form_for_each_way_of_reading_it() -> None:
    """Whoever wants the id on every call has text where another one has a call."""
    text = 'So.\n<tool_call>{"name": "look", "arguments": {"a": 1}}</tool_call>'
    assert module.normal_forms(text, NONCE) == (f"So.\n{LOOK}", escape(text))


@pytest.mark.parametrize("inside", ["now: {'name': 'look'}", '{"name": "look"} now'])
def test_quotation_is_no_call_in_its_form_either(inside: str) -> None:
    """It is kept as one that could not be read, and stays one."""
    form = module.normal_form(f"<tool_call>{inside}</tool_call>", NONCE)
    assert form == render_unreadable(inside, NONCE) == normal_form(form)
