"""Property 6: calls in an answer are found the same way however it is cut, and nothing is lost."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.errors import TooLargeError
from langchain_g4f.text.escape import escape
from langchain_g4f.text.think import ThinkSplitter
from langchain_g4f.tools.bare_json import BareJSON
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.normal_form import normal_form
from langchain_g4f.tools.parser import END_CALL, RawCall, ToolCallParser
from langchain_g4f.tools.prompt import render_call, render_unreadable
from tests.contract.properties.updates import odd_json

Parsed = list[Text | Reasoning | RawCall]
Cut = Callable[[str], list[str]]

NONCE = "k7f2m9q4"
CALL = f'<tool_call id="{NONCE}">'
UNMARKED = "<tool_call>"
THINK, END_THINK = "<think>", "</think>"

_tags = st.sampled_from(
    [CALL, CALL, UNMARKED, f"\n{UNMARKED}", END_CALL, END_CALL, f"{END_CALL}\n", THINK, END_THINK]
)
_marks = st.sampled_from(
    ["</", "<tool_", "call>", "call id=", "```\n", "`", "> ", *'""\\{}[]:,\' <\n\0a']
)
_bits = st.sampled_from(
    ["name", '{"name": "a", "arguments": {', '"x": "', '"}}', "```json\n", "\\u00e9"]
)
answers = st.lists(_tags | _marks | _bits | st.text(max_size=3), max_size=14).map("".join)

_characters = st.characters(exclude_categories=["Cs"])
words = st.text(_characters | st.sampled_from("<>/\"\\'{}"), max_size=8) | st.sampled_from(
    [UNMARKED, END_CALL, THINK, "</tools>", '"}}', "\\" + END_CALL, "\n"]
)


def objects(strings: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these strings as keys and values."""
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    values = st.recursive(
        st.none() | st.booleans() | numbers | strings,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
        max_leaves=8,
    )
    return st.dictionaries(strings, values, max_size=4)


names = words.filter(bool)
arguments = objects(words)


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """A way to cut a text: at some places, or at every one; empty pieces may be among them."""
    if draw(st.booleans()):
        return list
    places = draw(st.lists(st.floats(0, 1), max_size=8))

    def cut(text: str) -> list[str]:
        at = [0, *sorted(int(place * len(text)) for place in places), len(text)]
        return [text[begin:end] for begin, end in pairwise(at)]

    return cut


def joined(events: Iterable[Text | Reasoning | RawCall]) -> Parsed:
    """The events, adjacent ones of a kind as one."""
    found: Parsed = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, Text) and isinstance(last, Text):
            found[-1] = Text(last.text + event.text)
        elif isinstance(event, Reasoning) and isinstance(last, Reasoning):
            found[-1] = Reasoning(last.text + event.text)
        else:
            found.append(event)
    return found


def parse(pieces: Iterable[str], limit: int = 1 << 20) -> tuple[Parsed, bool]:
    """The events of the pieces, and whether a call was too long."""
    parser = ToolCallParser(NONCE, limit=limit)
    found: Parsed = []
    try:
        for piece in pieces:
            found.extend(parser.feed(piece))
        found.extend(parser.close())
    except TooLargeError:
        return joined(found), True
    return joined(found), False


def said(events: Iterable[object]) -> str:
    """The text of the events."""
    return "".join(event.text for event in events if isinstance(event, Text))


@pytest.mark.proves("property:6")
@given(text=answers, cut=cuts(), limit=st.sampled_from([1 << 20, 40, 15, 5]))
@example(text=f'{CALL}"</tool_call>\n"</tool_call>', cut=list, limit=1 << 20)
@example(text=f"{UNMARKED}{{}}</tool_call>\n ` {UNMARKED}", cut=list, limit=1 << 20)
def test_any_cut_of_an_answer_gives_the_same_events(text: str, cut: Cut, limit: int) -> None:
    """Adjacent pieces of text joined; and the same error, if there is one."""
    assert parse(cut(text), limit) == parse([text], limit)


@pytest.mark.proves("property:6")
@given(text=answers, cut=cuts())
def test_emitted_text_is_always_a_prefix_of_the_final_text(text: str, cut: Cut) -> None:
    """Wherever the answer may end; and only the beginning of a tag or a call is held back."""
    final = said(parse([text])[0])
    parser, emitted = ToolCallParser(NONCE), ""
    for piece in cut(text):
        emitted += said(parser.feed(piece))
        assert final.startswith(emitted)
        rest = joined(copy.deepcopy(parser).close())
        if not any(isinstance(event, RawCall) for event in rest):
            assert sum(len(event.text) for event in rest) < len(UNMARKED) + 80
    assert final == emitted + said(parser.close())


def _told(event: Text | Reasoning | RawCall) -> str:
    """What stood in the answer, without blanks and without the tags of reasoning."""
    text = event.text
    if isinstance(event, RawCall):
        tag = CALL if event.marked else UNMARKED
        text = f"{tag}{text}{END_CALL if event.closed else ''}"
    return _without_blanks(text)


def _without_blanks(text: str) -> str:
    return "".join(text.split())


@pytest.mark.proves("property:6")
@given(text=answers)
def test_nothing_of_an_answer_is_lost(text: str) -> None:
    """Text, reasoning, calls and their tags are the answer again, but for blanks beside tags."""
    parser = ToolCallParser(NONCE)
    events = [*parser.feed(text), *parser.close()]
    tags = f"(?:{THINK}|{END_THINK})*"
    told = tags.join(["", *(re.escape(_told(event)) for event in events), ""])
    assert re.fullmatch(told, _without_blanks(text))


@pytest.mark.proves("property:6")
@given(text=answers, cut=cuts())
def test_answer_without_calls_is_split_as_without_tools(text: str, cut: Cut) -> None:
    """Binding tools changes nothing of what is text and what is reasoning."""
    text = text.replace("_", "-")  # no tag of a call
    splitter = ThinkSplitter()
    events = [event for piece in cut(text) for event in splitter.feed(piece)]
    assert parse(cut(text)) == (joined([*events, *splitter.close()]), False)


@pytest.mark.proves("property:6")
@given(
    calls=st.lists(st.tuples(names, arguments), min_size=1, max_size=3),
    cut=cuts(),
    blanks=st.sampled_from(["", "\n", " \n "]),
)
def test_rendered_calls_survive_any_cut(
    calls: list[tuple[str, dict[str, Any]]], cut: Cut, blanks: str
) -> None:
    """Any name and any arguments, one call after the other."""
    text = blanks.join(render_call(name, arguments, NONCE) for name, arguments in calls)
    events, _ = parse(cut(text))
    assert all(isinstance(event, RawCall) and event.closed for event in events)
    found = [call for event in events if isinstance(event, RawCall) for call in calls_in(event)]
    assert [(call.name, json.loads(call.arguments)) for call in found] == calls
    assert not any(call.repaired for call in found)


@pytest.mark.proves("property:6")
@given(name=names, arguments=arguments, cut=cuts(), after=st.sampled_from(["", "\n", " so "]))
def test_call_is_found_whole_though_its_arguments_hold_tags(
    name: str, arguments: dict[str, Any], cut: Cut, after: str
) -> None:
    """A model does not escape the tags in its strings."""
    text = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    events, _ = parse(cut(f"{CALL}{text}{END_CALL}{after}"))
    assert events[0] == RawCall(text, closed=True)
    assert said(events) == after.lstrip()


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
