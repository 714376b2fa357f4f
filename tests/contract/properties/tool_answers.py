"""Answers with tool calls in them, ways to cut them, and what the parser makes of the pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.errors import TooLargeError
from langchain_g4f.tools.parser import END_CALL, RawCall, ToolCallParser

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
