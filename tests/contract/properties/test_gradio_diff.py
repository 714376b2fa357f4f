"""Property 5: the difference of two values makes one of the other, whatever its indices say."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.codecs.gradio_diff import apply_diff
from langchain_g4f.errors import MalformedStreamError
from tests.contract.properties.test_totality_answers import check_error

Edits = list[list[Any]]
Spoil = Callable[[Edits], Edits]

_texts = st.text("ab", max_size=3)
_keys = st.sampled_from(["a", "b", "content", ""])
_scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.floats(allow_nan=False) | _texts
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=15,
)


@st.composite
def _later(draw: st.DrawFn, value: Any) -> Any:
    """A value that has much in common with this one."""
    match draw(st.integers(0, 9)), value:
        case 0, _:
            return draw(_values)
        case _, str():
            return value + draw(_texts)
        case _, list():
            kept = draw(st.integers(0, len(value)))
            more = draw(st.lists(_values, max_size=2))
            return [draw(_later(part)) for part in value[:kept]] + more
        case _, dict():
            parts = {key: draw(_later(part)) for key, part in value.items() if draw(st.booleans())}
            return parts | draw(st.dictionaries(_keys, _scalars, max_size=1))
        case _:
            return value


_states = _values.flatmap(
    lambda first: _later(first).flatmap(
        lambda second: st.tuples(st.just(first), st.just(second), _later(second) | _values)
    )
)


def difference(old: Any, new: Any, spoil: Spoil) -> Edits:
    """The edits a server sends; ``spoil`` is what it does to those of a list."""
    if old == new:
        return []
    match old, new:
        case str(), str() if new.startswith(old):
            return [["append", [], new[len(old) :]]]
        case list(), list():
            edits = [
                edit
                for index in range(min(len(old), len(new)))
                for edit in _inside(index, difference(old[index], new[index], spoil))
            ]
            edits += [["delete", [index], None] for index in range(len(new), len(old))]
            edits += [["add", [index], new[index]] for index in range(len(old), len(new))]
            return spoil(edits)
        case dict(), dict():
            edits = []
            for key, value in old.items():
                if key in new:
                    edits += _inside(key, difference(value, new[key], spoil))
                else:
                    edits.append(["delete", [key], None])
            return edits + [["add", [key], value] for key, value in new.items() if key not in old]
        case _:
            return [["replace", [], new]]


def _inside(key: str | int, edits: Edits) -> Edits:
    return [[op, [key, *path], value] for op, path, value in edits]


def as_gradio_5(edits: Edits) -> Edits:
    """The indices of deletions are those before any deletion."""
    return edits


def as_gradio_6(edits: Edits) -> Edits:
    """They are moved by all deletions before, those in other lists and in inner ones too."""
    done = 0
    for op, path, _ in edits:
        if op == "delete" and isinstance(path[-1], int):
            path[-1] -= done
            done += 1
    return edits


def _sent(edits: Edits) -> Any:
    """What arrives: it has no part in common with anything here."""
    return json.loads(json.dumps(edits))


@pytest.mark.proves("property:5", "obligation:gradio-space:13")
@pytest.mark.parametrize("spoil", [as_gradio_5, as_gradio_6])
@given(states=_states)
def test_differences_of_a_server_lead_from_state_to_state(
    spoil: Spoil, states: tuple[Any, ...]
) -> None:
    """As both lines of servers number their deletions, wrong as it is."""
    value, *rest = deepcopy(states)
    for before, after in zip(states, rest, strict=False):
        value = apply_diff(value, _sent(difference(before, after, spoil)))
        assert value == after


@pytest.mark.proves("property:5")
@given(states=_states, data=st.data())
def test_indices_of_deletions_from_lists_do_not_matter(
    states: tuple[Any, ...], data: st.DataObject
) -> None:
    """Any integers will do."""
    before, after, _ = states
    edits = _sent(difference(before, after, as_gradio_5))
    for op, path, _ in edits:
        if op == "delete" and isinstance(path[-1], int):
            path[-1] = data.draw(st.integers())
    assert apply_diff(deepcopy(before), edits) == after


_steps = st.sampled_from([0, 1, 2, -1, "a", "b", "content", "0", "", True, None, 0.0, 10**30])
_paths = st.lists(_steps | st.sampled_from([0, 1, "a", "b"]), max_size=4)
_ops = st.sampled_from(["replace", "append", "add", "delete"])
_edits = st.tuples(_ops, _paths, _values).map(list)
_odd_edits = (
    st.tuples(_ops | _values, _paths | _values, _values).map(list)
    | st.lists(_values, max_size=4)
    | _values
)
_diffs = st.lists(_edits, max_size=8) | st.lists(_edits | _odd_edits, max_size=6) | _values


def _outcome(value: Any, *diffs: Any) -> str:
    """The value after the diffs as JSON, or the error."""
    try:
        for diff in diffs:
            value = apply_diff(value, diff)
    except MalformedStreamError as error:
        return f"error: {error}"
    return json.dumps(value, sort_keys=True)


def _plain(value: Any) -> bool:
    """Whether it is made of what JSON decodes to, and no subclass of it."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    kinds = (type(None), bool, int, float, str, list, dict)
    return type(value) in kinds and all(map(_plain, parts))


def _told(edits: Any) -> str:
    """What the edits say to do; the values they bring may change."""
    parts = edits if isinstance(edits, list) else [edits]
    return json.dumps([part[:2] if isinstance(part, list) else part for part in parts])


@pytest.mark.proves("property:2", "property:5", "fault:28:PH")
@given(value=_values, edits=_diffs)
def test_any_edits_of_any_value_give_a_value_or_our_error_and_touch_nothing_else(
    value: Any, edits: Any
) -> None:
    """Neither what the value is a part of, nor what the edits say to do."""
    told = _told(edits)
    outputs = [{"a": [1]}, value, {"a": [1]}]
    try:
        assert _plain(apply_diff(value, edits))
    except MalformedStreamError as error:
        check_error(error)
    assert outputs == [{"a": [1]}, value, {"a": [1]}]
    assert _told(edits) == told


@pytest.mark.proves("property:5")
@given(value=_values, edits=st.lists(_edits, max_size=8))
def test_many_edits_at_once_do_what_they_do_one_by_one(value: Any, edits: Edits) -> None:
    """Or fail at the same one; only deletions from lists wait for the others."""
    edits = [edit for edit in edits if edit[0] != "delete"]
    one_by_one = [[edit] for edit in _sent(edits)]
    assert _outcome(deepcopy(value), _sent(edits)) == _outcome(value, *one_by_one)
