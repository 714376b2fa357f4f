"""Property 6: what a call says, however it is spelled, and what is JSON of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.text.escape import escape
from langchain_g4f.tools.bare_json import BareJSON
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.normal_form import normal_form
from langchain_g4f.tools.parser import RawCall
from langchain_g4f.tools.prompt import render_call, render_unreadable
from tests.contract.properties.tool_answers import (
    NONCE,
    Cut,
    answers,
    arguments,
    cuts,
    objects,
    parse,
    said,
)
from tests.contract.properties.updates import odd_json


@pytest.mark.proves("property:6")
@given(text=answers | odd_json | st.text(), closed=st.booleans())
@example(text='{"' + "1" * 5000 + '":' + "1" * 5000 + "}", closed=True)
def test_any_content_of_a_call_is_calls(text: str, closed: bool) -> None:
    """At least one, each with an object or with a string, and all of it can be encoded."""
    calls = calls_in(RawCall(text, closed))
    assert calls
    for call in calls:
        call.name.encode()
        call.arguments.encode()
        assert isinstance(json.loads(call.arguments), dict if call.readable else str)
        assert call.name or not call.readable


_printable = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \n\t"))


def _repr(value: Any) -> str:
    return repr(value)


def _loose(value: Any) -> str:
    """JSON with trailing commas, and with tabs and line breaks in its strings."""
    match value:
        case dict():
            return "{" + "".join(f"{_loose(k)}: {_loose(v)},\n" for k, v in value.items()) + "}"
        case list():
            return "[" + "".join(f"{_loose(item)}, " for item in value) + "]"
        case str():
            raw = json.dumps(value, ensure_ascii=False)
            return re.sub(r"(?<!\\)((?:\\\\)*)\\n", "\\1\n", raw)
    return json.dumps(value)


@pytest.mark.proves("property:6")
@given(arguments=objects(_printable), spell=st.sampled_from([_repr, _loose]), closed=st.booleans())
@example(arguments={"a": "}', '{", "b": ["it's", 'say "it\'s"']}, spell=_repr, closed=False)
def test_misspelled_call_means_what_it_says(
    arguments: dict[str, Any], spell: Callable[[Any], str], closed: bool
) -> None:
    """Written as Python, or with trailing commas and raw line breaks."""
    text = spell({"name": "look", "arguments": arguments})
    (call,) = calls_in(RawCall(text, closed))
    assert (call.name, json.loads(call.arguments)) == ("look", arguments)


def _strings(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value).union(*map(_strings, value.values()))
        case list():
            return set().union(*map(_strings, value))
        case str():
            return {value}
    return set()


@pytest.mark.proves("property:6")
@given(
    arguments=objects(_printable),
    spell=st.sampled_from([json.dumps, _repr, _loose]),
    at=st.floats(0, 1, exclude_max=True),
)
def test_call_that_was_cut_off_is_never_made(
    arguments: dict[str, Any], spell: Callable[[Any], str], at: float
) -> None:
    """Not in an element that is open; in a closed one without half a string, if at all."""
    text = spell({"name": "look", "arguments": arguments})
    part = text[: int(at * len(text))]
    assert not any(call.readable for call in calls_in(RawCall(part, closed=False)))
    for call in calls_in(RawCall(part, closed=True)):
        if call.readable:
            assert _strings(json.loads(call.arguments)) <= _strings(arguments)


@pytest.mark.proves("property:6")
@given(text=answers.map(lambda text: re.sub("<(?=$|/$)|think", "", text)))
def test_normal_form_is_the_form_of_itself_and_of_the_history(text: str) -> None:
    """What LangChain keeps of an answer is written down as that very answer."""
    form = normal_form(text, NONCE)
    assert normal_form(form, NONCE) == form
    events, _ = parse([text])
    calls = [call for event in events if isinstance(event, RawCall) for call in calls_in(event)]
    kept = [
        render_call(call.name, json.loads(call.arguments), NONCE)
        if call.readable
        else render_unreadable(json.loads(call.arguments), NONCE)
        for call in sorted(calls, key=lambda call: not call.readable)
    ]
    history = "\n".join([escape(said(events), NONCE), *kept])
    assert normal_form(history, NONCE) == form or not calls


@pytest.mark.proves("property:6")
@given(
    before=st.text("a \n`[", max_size=8),
    value=arguments,
    after=st.text('a {}"`', max_size=8),
    cut=cuts(),
    indent=st.sampled_from([None, 2]),
)
def test_bare_json_is_the_value_whatever_stands_around_it(
    before: str, value: dict[str, Any], after: str, cut: Cut, indent: int | None
) -> None:
    """And what is passed on is never taken back."""
    if before.rstrip().endswith("[") or re.match(r"\s*(```\w*\s*)?\[", before):
        before = f"a{before}a"
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    stripper, passed = BareJSON(), ""
    for piece in cut(before + text + after):
        passed += stripper.feed(piece)
        assert text.startswith(passed)
    assert passed + stripper.close() == text


@pytest.mark.proves("property:6")
@given(text=answers, cut=cuts())
def test_any_cut_of_any_answer_gives_the_same_bare_json(text: str, cut: Cut) -> None:
    """A part of the answer in one piece, or all of it."""

    def bare(pieces: Iterable[str]) -> str:
        stripper = BareJSON()
        return "".join([*map(stripper.feed, pieces), stripper.close()])

    assert bare(cut(text)) == bare([text])
    assert bare([text]) in text
    if "{" not in text and "[" not in text:
        assert bare([text]) == text
