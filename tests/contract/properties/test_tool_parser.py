"""Property 6: an answer is split the same way however it is cut, and nothing of it is lost."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.text.think import ThinkSplitter
from langchain_g4f.tools.decode import calls_in
from langchain_g4f.tools.parser import END_CALL, RawCall, ToolCallParser
from langchain_g4f.tools.prompt import render_call
from tests.contract.properties.tool_answers import (
    CALL,
    END_THINK,
    NONCE,
    THINK,
    UNMARKED,
    Cut,
    answers,
    arguments,
    cuts,
    joined,
    names,
    parse,
    said,
)


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
