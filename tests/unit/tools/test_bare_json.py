"""The JSON of an answer, without fences and words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pytest

from langchain_g4f.tools.bare_json import BareJSON
from tests.unit.timing import assert_grows

CASES = [
    ('{"a": 1}', '{"a": 1}'),
    ('```json\n{"a": 1}\n```', '{"a": 1}'),
    ('```\n{"a": 1}\n```\nThat is it.', '{"a": 1}'),
    ('Here it is:\n\n```json\n{"a": {"b": []}}\n``` {"c": 2}', '{"a": {"b": []}}'),
    ('\n {\n "a": "}" }\n', '{\n "a": "}" }'),
    ('{"a": "\\"}", "b": "\\\\"} rest', '{"a": "\\"}", "b": "\\\\"}'),
    ('{"a": "```"} ```', '{"a": "```"}'),
    ("[1, 2] and more", "[1, 2]"),
    (' ```json\n["a", {"b": 1}]```', '["a", {"b": 1}]'),
    ('All of them: [ \n{"a": 1}, {"a": 2}] so', '[ \n{"a": 1}, {"a": 2}]'),
    ('See [1] and [2]: {"a": 1} so', '{"a": 1}'),
    ("See [1] and no more", "See [1] and no more"),
    ("{}", "{}"),
    ("{\\}} so", "{\\}"),
    ('{"a": "cut o', '{"a": "cut o'),
    ('{"a": "\\', '{"a": "\\'),
    ("no JSON at all ``` ", "no JSON at all ``` "),
    ("", ""),
]


def bare(pieces: Iterable[str]) -> str:
    """What is passed on of the pieces."""
    stripper = BareJSON()
    return "".join([*map(stripper.feed, pieces), stripper.close()])


@pytest.mark.parametrize(("text", "json"), CASES)
def test_answer_cut_anywhere_is_stripped_in_the_same_way(text: str, json: str) -> None:
    """Brackets and escapes do not align with the pieces they come in."""
    assert bare([text]) == json
    assert bare(text) == json
    for first, second in combinations(range(len(text) + 1), 2):
        assert bare([text[:first], text[first:second], text[second:]]) == json


def test_json_flows_without_delay() -> None:
    """As soon as it has begun; and behind its end there is nothing."""
    stripper = BareJSON()
    assert stripper.feed("So: ") == ""
    assert stripper.feed('{"a": "b') == '{"a": "b'
    assert stripper.feed("\\") == "\\"
    assert stripper.feed('"c"') == '"c"'
    assert stripper.feed("}\n``") == "}"
    assert stripper.feed('` {"a": 2}') == ""
    assert stripper.close() == ""


@pytest.mark.parametrize("unit", ["a ", "[", "[ ", "{", '{"', "\\", " ", "```"])
@pytest.mark.parametrize("size", [1, 1 << 30], ids=["single", "whole"])
def test_hostile_answer_takes_linear_time(unit: str, size: int) -> None:
    """Four times the length takes far less than sixteen times as long."""

    def read(length: int) -> None:
        text = unit * (length // len(unit))
        bare([text[at : at + size] for at in range(0, len(text), size)])

    assert_grows(read, 5_000, 20_000, less_than=10, least_s=0.002)
