"""Gradio's diffs: what each edit does, and what is refused."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from langchain_g4f.codecs.gradio_diff import MAX_SHIFT, apply_diff
from langchain_g4f.errors import MalformedStreamError
from tests.unit.timing import assert_grows


def copied(value: Any) -> Any:
    """Parameters are shared by tests, and what is applied to is not the same afterwards."""
    return json.loads(json.dumps(value))


def message(line: int, role: str, text: str) -> dict[str, Any]:
    """A message as this line of Gradio has it: from 6 on, its content is a list of parts."""
    content = text if line == 5 else [{"text": text, "type": "text"}]
    return {"role": role, "metadata": None, "content": content, "options": None}


@pytest.mark.proves("obligation:gradio-space:13")
@pytest.mark.parametrize(
    ("line", "text", "deleted"),
    [(5, [1, "content"], [[2], [3], [4]]), (6, [1, "content", 0, "text"], [[2], [2], [2]])],
)
def test_recorded_diffs_lead_to_the_recorded_states(
    line: int, text: list[Any], deleted: list[list[int]]
) -> None:
    """An answer that grows, is taken back, gets three messages more and loses them again."""
    question = message(line, "user", "[[retract]] alpha beta gamma")
    extra = [message(line, "assistant", f"extra {number}") for number in ("one", "two", "three")]
    recorded: list[tuple[Any, str, list[Any]]] = [
        ([["append", text, "1. "]], "Turn 1. ", []),
        ([["append", text, "You "]], "Turn 1. You ", []),
        ([["append", text, "said: "]], "Turn 1. You said: ", []),
        ([["append", text, "alpha "]], "Turn 1. You said: alpha ", []),
        ([["append", text, "beta "]], "Turn 1. You said: alpha beta ", []),
        ([["append", text, "gamma"]], "Turn 1. You said: alpha beta gamma", []),
        ([["replace", text, "Let me start again."]], "Let me start again.", []),
        ([["add", [i], extra[i - 2]] for i in (2, 3, 4)], "Let me start again.", extra),
        ([["delete", path, None] for path in deleted], "Let me start again.", []),
        ([["append", text, " Done."]], "Let me start again. Done.", []),
    ]
    chat: Any = [question, message(line, "assistant", "Turn ")]
    for edits, answer, more in recorded:
        chat = apply_diff(chat, edits)
        assert chat == [question, message(line, "assistant", answer), *more]


@pytest.mark.parametrize("value", [None, True, 7, 0.5, "text", [1], {"a": 1}])
def test_empty_diff_changes_nothing(value: Any) -> None:
    """Nor does it copy."""
    assert apply_diff(value, []) is value


@pytest.mark.parametrize(
    ("value", "edit", "result"),
    [
        ("any", ["replace", [], None], None),
        ("any", ["replace", [], ["x"]], ["x"]),
        ({"a": 1}, ["replace", ["a"], "x"], {"a": "x"}),
        ([1, 2], ["replace", [1], {}], [1, {}]),
        ([{"a": [0]}], ["replace", [0, "a", 0], None], [{"a": [None]}]),
        ("a", ["append", [], "b"], "ab"),
        ("", ["append", [], ""], ""),
        ({"a": "é"}, ["append", ["a"], "🤗"], {"a": "é🤗"}),
        (["a", "b"], ["append", [1], "c"], ["a", "bc"]),
        ([["q", "a"]], ["append", [0, 1], "b"], [["q", "ab"]]),
        ({"a": 1}, ["add", ["b"], [2]], {"a": 1, "b": [2]}),
        ({"a": 1}, ["add", ["a"], 2], {"a": 2}),
        ([], ["add", [0], 1], [1]),
        ([1, 2], ["add", [2], 3], [1, 2, 3]),
        ([1, 2], ["add", [0], 3], [3, 1, 2]),
        ([{"a": []}], ["add", [0, "a", 0], "x"], [{"a": ["x"]}]),
        ({"a": 1, "b": 2}, ["delete", ["a"], None], {"b": 2}),
        ([1, 2, 3], ["delete", [2], None], [1, 2]),
        ([1], ["delete", [0], "whatever"], []),
    ],
)
@pytest.mark.parametrize("others", [0, 1])
def test_edit_has_its_effect(value: Any, edit: Any, result: Any, others: int) -> None:
    """In objects, lists and the value itself; alone, and after one that changes nothing."""
    value, edit = copied([value, edit])
    edits: Any = [["replace", [], value]] * others + [edit]
    assert apply_diff(value, edits) == result


def test_lists_and_objects_change_in_place() -> None:
    """A caller that wants the value before keeps a copy."""
    value: Any = [{"content": "a"}]
    assert apply_diff(value, [["append", [0, "content"], "b"], ["add", [1], "c"]]) is value
    assert value == [{"content": "ab"}, "c"]


@pytest.mark.proves("obligation:gradio-space:13")
@pytest.mark.parametrize(
    ("value", "of_5", "of_6", "result"),
    [
        ([1, 2, 3, 4], [[1], [2], [3]], [[1], [1], [1]], [1]),
        ([{"c": [1, 2, 3]}], [[0, "c", 1], [0, "c", 2]], [[0, "c", 1], [0, "c", 0]], [{"c": [1]}]),
        (
            [[1, 2, 3], [4, 5, 6]],
            [[0, 1], [0, 2], [1, 1], [1, 2]],
            [[0, 1], [0, 0], [1, -1], [1, -2]],
            [[1], [4]],
        ),
        ([[1, 2], [3], 4], [[0, 1], [1], [2]], [[0, 1], [0], [0]], [[1]]),
        ([[[1, 2]], [3, 4]], [[0, 0], [1]], [[0, 0], [0]], [[]]),
    ],
)
@pytest.mark.parametrize("line", [5, 6])
def test_deletions_from_a_list_are_counted_and_cut_its_end(
    value: Any, of_5: list[Any], of_6: list[Any], result: Any, line: int
) -> None:
    """The indices that both lines send are wrong, each in its way."""
    sent = of_5 if line == 5 else of_6
    assert apply_diff(copied(value), [["delete", path, None] for path in sent]) == result


@pytest.mark.parametrize(
    ("value", "edits", "result"),
    [
        ([1, 2, 3], [["delete", [-7], None], ["delete", [10**30], None]], [1]),
        ([1, 2], [["delete", [0], None], ["add", [2], 3], ["add", [3], 4]], [1, 2, 3]),
        ([1, 2], [["delete", [0], None], ["replace", [0], "x"]], ["x"]),
        ([[1, 2], [3]], [["delete", [1], None], ["delete", [1, 0], None]], [[1, 2]]),
        ([[1, 2], [3]], [["delete", [1, 0], None], ["delete", [1], None]], [[1, 2]]),
        ([[1, 2]], [["delete", [0, 0], None], ["replace", [0], [5, 6]]], [[5, 6]]),
        ([[1, 2]], [["replace", [0], [5, 6]], ["delete", [0, 0], None]], [[5]]),
        ([[1], [2]], [["delete", [0, 0], None], ["add", [0], [3]]], [[3], [], [2]]),
        (["a", "b"], [["append", [1], "c"], ["delete", [1], None]], ["a"]),
        ({"a": [1, 2]}, [["delete", ["a", 0], None], ["delete", ["a"], None]], {}),
        ("a", [["append", [], "b"], ["append", [], "c"]], "abc"),
        ({"a": "1"}, [["append", ["a"], "2"], ["append", ["a"], "3"]], {"a": "123"}),
        ({"a": ""}, [["append", ["a"], "x"], ["replace", ["a"], 1]], {"a": 1}),
        ({"a": ""}, [["append", ["a"], "x"], ["delete", ["a"], None]], {}),
        ({"a": ""}, [["append", ["a"], "x"], ["add", ["a"], "y"]], {"a": "y"}),
        (["a"], [["append", [0], "b"], ["add", [0], "c"], ["append", [1], "d"]], ["c", "abd"]),
        ([], [["add", [0], ["a"]], ["append", [0, 0], "b"], ["add", [0, 1], 1]], [["ab", 1]]),
        ([["a"]], [["append", [0, 0], "b"], ["replace", [], 1]], 1),
    ],
)
def test_edits_are_done_in_order_and_lists_cut_last(value: Any, edits: Any, result: Any) -> None:
    """The list that was at the path is cut, wherever later edits moved it."""
    assert apply_diff(value, edits) == result


MALFORMED: list[tuple[Any, ...]] = [
    # no operation, or no edit
    ([], ["move", [0], 1], ["", [0], 1], [None, [0], 1], [["add"], [0], 1], [{}, [0], 1]),
    ([], ["add", [0]], ["add", [0], 1, 2], [], None, "add", {"op": "add"}),
    ([], ["add", 0, 1], ["add", None, 1], ["add", "a", 1], ["add", {"a": 1}, 1]),
    # a path that leads out of a list or an object
    ([1], ["replace", [1], 2], ["replace", [-1], 2], ["replace", [10**30], 2]),
    (["a"], ["append", [1], "b"], ["append", [-1], "b"]),
    ([1], ["add", [2], 2], ["add", [-1], 2]),
    ([[1]], ["replace", [-1, 0], 2], ["replace", [1, 0], 2]),
    ([[1]], ["delete", [-1, 0], None], ["delete", [1, 0], None]),
    ({}, ["replace", ["a"], 2], ["append", ["a"], "b"], ["append", ["a", "b"], "b"]),
    ({}, ["delete", ["a"], None], ["add", ["a", "b"], 1]),
    # a key of the wrong kind
    ([1, 2], ["replace", [True], 3], ["delete", [False], None], ["add", [True], 3]),
    ([["a"], ["b"]], ["append", [True, 0], "c"], ["append", ["0", 0], "c"]),
    ([1], ["replace", ["0"], 2], ["delete", ["0"], None], ["add", ["0"], 2]),
    ([1], ["replace", [None], 2], ["replace", [[]], 2], ["add", [0.0], 2]),
    ({"0": 1}, ["replace", [0], 2], ["add", [0], 2], ["delete", [0], None]),
    ({"1": {"a": "b"}}, ["append", [1, "a"], "c"], ["append", [True, "a"], "c"]),
    ({}, ["add", [None], 2], ["add", [[]], 2], ["add", [{}], 2]),
    # a path through what has no parts
    ("text", ["replace", [0], "x"], ["append", ["a"], "x"], ["delete", [0], None]),
    (None, ["add", ["a"], 1], ["delete", [0], None]),
    ([{"a": "text", "b": None}], ["replace", [0, "a", 0], "x"], ["add", [0, "b", "c"], "x"]),
    # text, and other values
    (None, ["append", [], "x"]),
    (["x"], ["append", [], "x"], ["append", [0], ["y"]]),
    ({"a": 1, "b": ["x"]}, ["append", ["a"], "x"], ["append", ["b"], "x"]),
    ({"a": "x"}, ["append", ["a"], None]),
    ("x", ["append", [], 1], ["append", [], ["x"]]),
    # nothing to add to, or to delete from
    ([], ["add", [], 1], ["delete", [], None], ["delete", [0], None]),
    ({}, ["add", [], {}], ["delete", [], None]),
]


@pytest.mark.proves("fault:28:PH")
@pytest.mark.parametrize(
    ("value", "edit"), [(value, edit) for value, *edits in MALFORMED for edit in edits]
)
@pytest.mark.parametrize("others", [0, 1])
def test_edit_that_does_not_fit_is_an_error_that_names_operation_and_path(
    value: Any, edit: Any, others: int
) -> None:
    """Alone and after one that changes nothing; and there is no other error behind it."""
    shown = edit[:2] if isinstance(edit, list) else edit
    value = copied(value)
    with pytest.raises(MalformedStreamError, match=re.escape(f" diff, {shown!r} ")) as caught:
        apply_diff(value, [["replace", [], value]] * others + [edit])
    assert caught.value.__context__ is None


@pytest.mark.proves("fault:28:PH")
@pytest.mark.parametrize("edits", [None, True, 7, 0.5, "append", {}, {"a": 1}])
def test_diff_that_is_no_list_is_an_error(edits: Any) -> None:
    """An empty object is no list of edits either."""
    with pytest.raises(MalformedStreamError, match="is no list of edits"):
        apply_diff([], edits)


@pytest.mark.proves("fault:28:PH")
def test_more_deletions_than_elements_are_an_error() -> None:
    """Elements that other edits added count."""
    edits: Any = [["delete", [0, i], None] for i in range(3)]
    assert apply_diff([[1, 2]], [*edits, ["add", [0, 2], 3]]) == [[]]
    with pytest.raises(MalformedStreamError, match=re.escape("['delete', [0, 2]] deletes more")):
        apply_diff([[1, 2]], edits)


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.proves("fault:28:PH")
@pytest.mark.parametrize(
    "edit",
    [
        ["append", ["a" * 10**5, *["\0"] * 10**5], "x"],
        ["append", [10**4000] * 10, "x"],
        ["append", [{str(i): "a" * 1000 for i in range(1000)}] * 10, "x"],
        ["append", nested(10**5), "x"],
        [nested(10**5), [0], "x"],
        ["move" * 10**5, [0], "x"],
        {"a" * 10**5: nested(10**5)},
    ],
    ids=["keys", "number", "objects", "deep", "deep-operation", "operation", "object"],
)
def test_error_is_short_whatever_the_edit(edit: Any) -> None:
    """Neither the length of a path nor its depth goes into the message."""
    with pytest.raises(MalformedStreamError) as caught:
        apply_diff(["text"], [edit])
    assert len(str(caught.value)) < 600


def test_depth_is_no_limit() -> None:
    """Nothing recurses."""
    path = [0] * 10**5
    edits: Any = [["add", [*path, 0], "a"], ["append", [*path, 0], "b"]]
    value: Any = apply_diff(nested(len(path)), edits)
    apply_diff(value, [["append", [*path, 0], "c"]])
    for _ in path:
        value = value[0]
    assert value == ["abc"]


MANY = 10**5
LONG = "a" * 10**7


@pytest.mark.proves("fault:28:PH")
@pytest.mark.parametrize(
    ("value", "edit", "result"),
    [
        ({"a": LONG}, lambda i: ["append", ["a"], "b"], {"a": LONG + "b" * MANY}),
        (["a"] * MANY, lambda i: ["append", [i], "b"], ["ab"] * MANY),
        ([], lambda i: ["add", [i], i], [*range(MANY)]),
        ([0] * MANY, lambda i: ["delete", [i], None], []),
    ],
    ids=["append", "append-to-each", "add", "delete"],
)
def test_many_edits_take_linear_time(value: Any, edit: Any, result: Any) -> None:
    """Neither a long text nor a long list is copied for each of them."""
    edits: Any = [edit(i) for i in range(MANY)]
    start = time.thread_time()
    value = apply_diff(value, edits)
    assert time.thread_time() - start < 5
    as_wanted = value == result  # not to be shown
    assert as_wanted


def test_insertion_before_the_end_is_refused_only_if_it_shifts_very_much() -> None:
    """Many of these would take quadratic time; servers add at the end."""
    value: Any = [0] * MAX_SHIFT
    assert apply_diff(value, [["add", [0], 1]]) == [1] + [0] * MAX_SHIFT
    assert apply_diff(value, [["add", [1], 2]]) == [1, 2] + [0] * MAX_SHIFT
    with pytest.raises(MalformedStreamError, match=re.escape("['add', [1]]")):
        apply_diff(value, [["add", [1], 3]])


@pytest.mark.proves("fault:57:PH")
@pytest.mark.parametrize("kind", ["list", "dict", "list that shrinks"])
def test_edits_cost_what_they_change(kind: str) -> None:
    """Not what the list or dict has that they are in: eight times as large is as quick."""

    def edited(length: int) -> None:
        for _ in range(100):
            apply_diff(values[length], edits)

    values: dict[int, Any] = {}
    for length in (50_000, 400_000):
        texts = ["a"] * length
        values[length] = dict(zip(map(str, range(length)), texts, strict=True))
        if kind != "dict":
            values[length] = texts
    edits: Any = [["append", [key if kind == "list" else str(key)], "b"] for key in (7, 8)]
    if kind == "list that shrinks":
        edits = [["delete", [7], None], ["delete", [8], None]]
    assert_grows(edited, 50_000, 400_000, less_than=3, least_s=0)


def test_text_that_grew_is_whole_though_elements_are_added_before_it() -> None:
    """In one diff; the next one finds text."""
    edits: Any = [
        ["append", [1], "x"],
        ["add", [0], "new"],
        ["append", [2], "y"],
        ["append", [1], "z"],
        ["delete", [3], None],
    ]
    grown: Any = apply_diff(["a", "b", "c"], edits)
    assert grown == ["new", "az", "bxy"]
    assert [type(text) for text in grown] == [str] * 3
