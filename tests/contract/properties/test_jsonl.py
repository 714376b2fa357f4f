"""JSON lines: for every list of objects and every way to cut it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.codecs.jsonl import JSONLines
from tests.contract.properties.chunking import Cuts, cuts, outcome

LIMIT = 1 << 20

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=10,
)
objects = st.dictionaries(text, values, max_size=4)
padding = st.text(" \t\r\0", max_size=5)
tokens = st.sampled_from(
    ['{"a": 1}', "{", "}", '"', "\\ud800", "é", "\n", "\r", "\0", " ", "[1]", "null", "\u2028", "7"]
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, list[dict[str, Any]]]:
    """A body and its objects, padded and spaced as servers like to do."""
    wanted = draw(st.lists(objects, max_size=5))
    lines = []
    for value in wanted:
        lines += draw(st.lists(padding, max_size=1))
        ascii_only = draw(st.booleans())
        written = json.dumps(value, ensure_ascii=ascii_only)
        lines.append(draw(padding) + written + draw(padding))
    end = draw(st.sampled_from(["", "\n", "    "]))
    return ("\n".join(lines) + end).encode(), wanted


@pytest.mark.proves("property:3")
@given(bodies(), cuts())
def test_objects_come_out_as_they_went_in(
    body: tuple[bytes, list[dict[str, Any]]], cut: Cuts
) -> None:
    """Whatever is in their strings, between them and around them."""
    written, wanted = body
    assert outcome(JSONLines(LIMIT), cut(written)) == (wanted, None)


@given(bodies(), st.floats(0, 1))
def test_cut_body_gives_the_objects_before_the_cut(
    body: tuple[bytes, list[dict[str, Any]]], at: float
) -> None:
    """A part of one is an error, and never an object."""
    written, wanted = body
    found, _ = outcome(JSONLines(LIMIT), [written[: int(at * len(written))]])
    assert found == wanted[: len(found)]


@pytest.mark.proves("property:2")
@pytest.mark.parametrize("limit", [20, LIMIT])
@given(
    body=st.one_of(st.binary(max_size=200), st.lists(tokens).map("".join).map(str.encode)),
    cut=cuts(),
)
def test_any_bytes_give_objects_or_one_of_our_errors(limit: int, body: bytes, cut: Cuts) -> None:
    """The same ones, however they are cut."""
    assert outcome(JSONLines(limit), cut(body)) == outcome(JSONLines(limit), [body])
