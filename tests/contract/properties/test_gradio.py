"""Property 5: differences of values are read to the same value, however an answer grows."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.codecs.gradio_diff import apply_diff
from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.errors import MalformedStreamError
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder
from tests.contract.properties.test_totality import check_error

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


HEAD = ResponseHead(200, Headers([("content-type", "text/event-stream")]))
USER: dict[str, Any] = {"role": "user", "content": "?"}
PATHS: dict[str, list[list[Any]]] = {
    "parts": [[1, "content", 0, "text"], [1, "content", 1, "text"], [2, "content", 0, "text"]],
    "strings": [[1, "content"], [2, "content"], [3, "content"]],
    "interface": [[]],
}

_growths = st.sampled_from(["", "a", "b", "ab", "\n\n", "\n\na", "aa\n\n"])


def assistant(content: Any, title: str | None = None) -> dict[str, Any]:
    """A message; one with a title is a thought."""
    return {"role": "assistant", "content": content, "metadata": {"title": title}}


@st.composite
def _answers(draw: st.DrawFn) -> tuple[str, Any, list[list[Any]]]:
    """A kind of app, what it shows first, and the edits that follow, one list an event."""
    kind = draw(st.sampled_from(sorted(PATHS)))
    one, two, three, title = (draw(_growths) for _ in range(4))
    shown: Any = one
    if kind == "parts":
        parts = [{"type": "text", "text": text} for text in (one, two)]
        shown = [USER, assistant(parts), assistant([{"type": "text", "text": three}], title)]
    elif kind == "strings":
        shown = [USER, assistant(one, title), assistant(two), assistant(three)]
    edit = st.tuples(
        st.sampled_from(["append"] * 5 + ["replace"]), st.sampled_from(PATHS[kind]), _growths
    ).map(list)
    # the same place over and over, as apps do, and now and then something else
    edits = st.lists(edit, max_size=2) | edit.map(lambda each: [each])
    runs = st.tuples(edits, st.integers(1, 4)).map(lambda run: [run[0]] * run[1])
    events = st.lists(runs, max_size=5).map(lambda found: [each for run in found for each in run])
    return kind, shown, draw(events)


def reader(kind: str) -> AnswerDiffer:
    """Read what an app of this kind shows."""
    if kind == "interface":
        return AnswerDiffer(read_output, 0, "files/")
    return AnswerDiffer(ChatbotReader([USER], has_prompt=True), 0, "files/", [USER])


def event(data: list[Any]) -> bytes:
    """An event as it is sent."""
    message = {"msg": "process_generating", "event_id": "e", "output": {"data": data}}
    return b"data: " + json.dumps(message).encode() + b"\n\n"


def thought_and_answer(
    thought: str, said: str, *appended: tuple[int, str]
) -> tuple[str, Any, list[list[Any]]]:
    """A thought before the answer, and what is appended to which message."""
    shown = [USER, assistant(thought, "Thinking"), assistant(said)]
    return "strings", shown, [[["append", [at, "content"], text]] for at, text in appended]


@pytest.mark.proves("obligation:gradio-space:14")
@example(answer=thought_and_answer("a", "ab", (1, "b"), (1, "c")), nothing=[])
@example(answer=thought_and_answer("", "a", (1, "a"), (1, "b")), nothing=[])
@example(answer=thought_and_answer("a", "b", (2, "c"), (2, "d"), (1, "e")), nothing=[[]])
@given(answer=_answers(), nothing=st.sampled_from([[], [[]], [[], []]]))
def test_growth_read_from_edits_is_that_of_the_snapshots(
    answer: tuple[str, Any, list[list[Any]]], nothing: list[Any]
) -> None:
    """Event by event, a reader that is told what was appended gives what one that looks gives."""
    kind, shown, events = answer
    decoder = QueueDecoder(HEAD, "e", reader(kind), 1 << 20)
    looking = reader(kind)
    found: list[list[Event]] = [list(decoder.feed(event([shown, *nothing])))]
    expected = [list(looking.update([shown]))]
    for edits in events:
        found.append(list(decoder.feed(event([edits, *nothing]))))
        shown = apply_diff(deepcopy(shown), deepcopy(edits))
        expected.append(list(looking.update([shown])))
    assert found == expected
