"""The flattened form of page data: what each kind of value becomes, and what is refused."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from langchain_g4f.codecs.devalue import MAX_DEPTH, unflatten
from langchain_g4f.errors import MalformedStreamError
from langchain_g4f.testing.chat_ui.wire import devalue as flatten
from tests.unit.timing import assert_grows

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ([1], 1),
        ([-1], -1),
        ([True], True),
        ([None], None),
        (["a"], "a"),
        ([1.5], 1.5),
        ([{}], {}),
        ([[]], []),
        ([{"a": 1, "b": 2}, "x", [1, 3, 1], 7], {"a": "x", "b": ["x", 7, "x"]}),
        ([[1], 0], [0]),
        ([[1], -2], [-2]),
        ([[-1, -2, -4, -5]], [None, None, math.inf, -math.inf]),
        (-1, None),
        (-4, math.inf),
    ],
)
def test_value_is_put_together_from_its_places(data: JSON, value: JSON) -> None:
    """An integer is a place only inside an object or a list."""
    assert unflatten(data) == value


def test_numbers_that_json_cannot_write_are_floats() -> None:
    """Not a number, and the zero with a sign."""
    found = unflatten([[-3, -6]])
    assert isinstance(found, list)
    nan, zero = found
    assert isinstance(nan, float)
    assert math.isnan(nan)
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == -1


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        (["Date", "2026-08-21T00:00:00.000Z"], "2026-08-21T00:00:00.000Z"),
        (["Date", 1], "x"),
        (["Date", ""], ""),
        (["Set"], []),
        (["Set", 1, 2, 1], ["x", 5, "x"]),
        (["Map"], []),
        (["Map", 1, 2, 2, 1], [["x", 5], [5, "x"]]),
        (["null"], {}),
        (["null", "a", 1, "b", -1], {"a": "x", "b": None}),
        (["BigInt", "-12345678901234567890"], -12345678901234567890),
        (["RegExp", "a+"], "/a+/"),
        (["RegExp", "a+", "gi"], "/a+/gi"),
        (["Object", "s"], "s"),
        (["Object", 2], 2),
        (["Object", None], None),
        (["Promise", 3], None),
        (["Uint8Array", "AAEC"], "AAEC"),
        (["Temporal.Instant", 1], "x"),
        (["Error", 1, 2], "x"),
        (["URL", None], None),
        (["Unknown", False], False),
        (["Unknown"], None),
    ],
)
def test_typed_value_becomes_a_plain_one(typed: JSON, value: JSON) -> None:
    """An unknown type becomes its argument: the value at a place, or what stands there."""
    assert unflatten([[4], "x", 5, 1, typed]) == [value]


def test_shared_values_are_shared_and_take_no_more_room() -> None:
    """Each list twice in the one before it: 2^200 leaves, and 201 values."""
    flat: list[JSON] = [[i + 1, i + 1] for i in range(200)]
    value = unflatten([*flat, "x"])
    for _ in range(200):
        assert isinstance(value, list)
        assert value[0] is value[1]
        value = value[0]
    assert value == "x"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "index 0 does not exist"),
        ({}, "index 0 does not exist"),
        ("x", "index 0 does not exist"),
        (None, "index 0 does not exist"),
        (5, "index 0 does not exist"),
        (-7, "index 0 does not exist"),
        (True, "index 0 does not exist"),
        ([[1]], "index 1 does not exist"),
        ([{"a": 17}], "index 17 does not exist"),
        ([[-7]], "index -7 does not exist"),
        ([["Set", 9]], "index 9 does not exist"),
        ([["Unknown", 9]], "index 9 does not exist"),
        ([["Promise", 9]], "index 9 does not exist"),
        ([["Promise", -1]], "index -1 does not exist"),
        ([["Promise", 1], "x"], "index 1 is not the number of a line"),
        ([["Promise", 1], True], "index 1 is not the number of a line"),
        ([[1, 2], "x", ["Promise"]], "index 2 is no Promise"),
        ([[1, 2.0], "x"], "index 0 has a part that is no index"),
        ([{"a": "x"}], "index 0 has a part that is no index"),
        ([{"a": True}], "index 0 has a part that is no index"),
        ([{"a": None}], "index 0 has a part that is no index"),
        ([{"a": [0]}], "index 0 has a part that is no index"),
        ([["Promise", "x"]], "index 0 has a part that is no index"),
        ([["Map", 1], "x"], "index 0 is no Map"),
        ([["null", "a"], "x"], "index 0 is no null"),
        ([["BigInt", 7]], "index 0 is no BigInt"),
        ([["BigInt", "7.5"]], "index 0 is no BigInt"),
        ([["BigInt", "9" * 10_000]], "index 0 is no BigInt"),
        ([["BigInt"]], "index 0 is no BigInt"),
        ([["RegExp", 1]], "index 0 is no RegExp"),
        ([["RegExp"]], "index 0 is no RegExp"),
        ([["Object", [1]]], "index 0 is no Object"),
        ([[0]], "index 0 contains itself"),
        ([[1], {"a": 2}, ["Set", 1]], "index 1 contains itself"),
        ([["Unknown", 0]], "index 0 contains itself"),
    ],
)
def test_wrong_shape_is_an_error_that_names_the_index(data: JSON, message: str) -> None:
    """And no error of Python's own."""
    with pytest.raises(MalformedStreamError, match=message) as caught:
        unflatten(data)
    assert caught.value.__context__ is None


def test_nesting_is_limited_also_where_it_is_made_of_shared_values() -> None:
    """Neither the way down nor the height of what is there already may be too much."""
    chain: list[JSON] = [[i + 1] for i in range(MAX_DEPTH - 1)]
    value = unflatten([*chain, "x"])
    assert str(value) == "[" * (MAX_DEPTH - 1) + "'x'" + "]" * (MAX_DEPTH - 1)
    with pytest.raises(MalformedStreamError, match=f"deeper than {MAX_DEPTH} levels"):
        unflatten([*chain, [MAX_DEPTH], "x"])
    half = MAX_DEPTH // 2 + 1
    low: list[JSON] = [[i + 1] for i in range(1, half)]
    high: list[JSON] = [[i + 1] for i in range(half + 1, 2 * half)]
    with pytest.raises(MalformedStreamError, match="index 1 is nested deeper"):
        unflatten([[half + 1, 1], *low, "x", *high, [1]])


def test_time_is_linear_in_the_size() -> None:
    """Ten times the size takes far less than a hundred times as long."""

    def read(count: int) -> None:
        unflatten([[*range(1, count + 1), *([1] * count)], *(["x"] * count)])

    assert_grows(read, 4_000, 40_000, less_than=50, least_s=0.001)


@pytest.mark.parametrize(
    "value", [{"a": [1, "x", None, True, {"b": 1}], "b": [[], {}, 1.5, -1]}, [], {}, None, "x", -1]
)
def test_what_the_sandbox_flattens_is_read_back(value: JSON) -> None:
    """Its encoder is held to the recordings, and this to its encoder."""
    assert unflatten(json.loads(json.dumps(flatten(value)))) == value
