"""Calls, read out of what models write: as asked for, misspelled, or cut off."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from langchain_g4f.tools.decode import Call, calls_in
from langchain_g4f.tools.parser import RawCall
from tests.unit.timing import assert_grows, cpu_seconds


def read(text: str, *, closed: bool = True) -> list[tuple[str, Any]]:
    """Names and arguments; what could not be read is a string."""
    return [(call.name, json.loads(call.arguments)) for call in calls_in(RawCall(text, closed))]


def look(arguments: Any) -> list[tuple[str, Any]]:
    """One call of a tool named `look`."""
    return [("look", arguments)]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"city": "Paris"},
        {"city": "Zürich 🏔", "deep": {"list": [1, 2.5, True, None, {"a": []}]}},
        {"said": '"</tool_call>" and \\ and \n and {'},
        {"": ""},
    ],
)
def test_call_as_asked_for_is_read_without_repair(arguments: dict[str, Any]) -> None:
    """Whatever the arguments are, and whatever blanks stand around."""
    text = json.dumps({"name": "look", "arguments": arguments}, ensure_ascii=False)
    said = json.dumps(arguments, ensure_ascii=False)
    for written in (text, f"\n  {text}\n"):
        assert calls_in(RawCall(written, closed=True)) == [Call("look", said)]
        assert calls_in(RawCall(written, closed=False)) == [Call("look", said)]


MISSPELLED = {
    "fence": '```json\n{"name": "look", "arguments": {"a": 1}}\n```',
    "fence-bare": '```\n{"name": "look", "arguments": {"a": 1}}```',
    "single-quotes": "{'name': 'look', 'arguments': {'a': 1}}",
    "empty-single-quotes": "{'name':'look','arguments':{'a':1,},'id':''}",
    "trailing-comma": '{"name": "look", "arguments": {"a": 1,},}',
    "prose-around": 'Sure, let\'s "look": {"name": "look", "arguments": {"a": 1}} - done.',
    "arguments-as-string": '{"name": "look", "arguments": "{\\"a\\": 1}"}',
    "arguments-as-misspelled-string": '{"name": "look", "arguments": " {\'a\': 1,} "}',
    "python": "{'name': 'look', 'arguments': {'a': 1},}",
    "unquoted-keys": '{name: "look", arguments: {a: 1}}',
    "missing-bracket": '{"name": "look", "arguments": {"a": 1}',
    "missing-brackets": '{"name": "look", "arguments": {"a": 1',
    "extra-bracket": '{"name": "look", "arguments": {"a": 1}}}',
    "in-a-list": '[{"name": "look", "arguments": {"a": 1}}]',
    "opened-twice": '<tool_call>\n{"name": "look", "arguments": {"a": 1}}',
    "parameters": '{"name": "look", "parameters": {"a": 1}}',
    "args": '{"type": "function", "id": "1", "name": "look", "args": {"a": 1}}',
    "as-string": '"{\\"name\\": \\"look\\", \\"arguments\\": {\\"a\\": 1}}"',
    # the rest is guessed
    "missing-comma": '{"name": "look" "arguments": {"a": 1}}',
    "unquoted": "{name: look, arguments: {a: 1}}",
    "curly-quotes": "{“name”: “look”, “arguments”: {“a”: 1}}",
    "comment": '{"name": "look", /* is that right? */ "arguments": {"a": 1}}',
}


@pytest.mark.parametrize("text", MISSPELLED.values(), ids=MISSPELLED.keys())
def test_misspelled_call_is_read_and_counts_as_repaired(text: str) -> None:
    """Fences, quotes, commas, brackets, names of fields, words around it."""
    assert calls_in(RawCall(text, closed=True)) == [Call("look", '{"a": 1}', repaired=True)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("True", True),
        ("None", None),
        ("False", False),
        ("'it\\'s'", "it's"),
        ("'it's'", "it's"),
        ("'say \"hi\"'", 'say "hi"'),
        ("'a}b{'", "a}b{"),
        ("'a, b: [c'", "a, b: [c"),
        ("['a', 'b' ,]", ["a", "b"]),
        ("[1, 2", [1, 2]),
        ('"a\nb\tc"', "a\nb\tc"),
        ("'a\\\nb'", "a\\\nb"),
        ('"C:\\dir\\users"', "C:\\dir\\users"),
        ('"\\$HOME \\u00e9 \\\\"', "\\$HOME é \\"),
        ("\"{'a': 'b',}\"", "{'a': 'b',}"),
        ("'\U0001f600'", "\U0001f600"),
        ('"say "hi" to"', 'say "hi" to'),
        ("''", ""),
    ],
)
def test_misspelled_value_is_read_as_it_was_meant(written: str, value: Any) -> None:
    """What stands in a string stays as it is."""
    text = f"{{'name': 'look', 'arguments': {{'a': {written}}}}}"
    assert read(text) == look({"a": value})


@pytest.mark.parametrize("none", ["", ', "arguments": null', ', "arguments": ""', ', "args": []'])
def test_call_without_arguments_has_empty_ones(none: str) -> None:
    """However a model says that there are none."""
    assert read(f'{{"name": "now"{none}}}') == [("now", {})]


@pytest.mark.parametrize("between", ["", "\n", ",", "\n<tool_call>\n", "</tool_call>", " and "])
def test_several_calls_in_one_element_are_all_read(between: str) -> None:
    """Glued, on lines, or with their tags forgotten; in order."""
    first, second = '{"name": "a", "arguments": {"x": 1}}', "{'name': 'b'}"
    assert read(first + between + second) == [("a", {"x": 1}), ("b", {})]
    assert read(f"[{first}, {first}]") == [("a", {"x": 1})] * 2


def test_broken_call_beside_a_good_one_is_reported() -> None:
    """And the good one is made."""
    assert read('{"name": "a"}{"name": "b", "arguments": 3}') == [
        ("a", {}),
        ("b", '{"name": "b", "arguments": 3}'),
    ]


HALF = {
    "in-a-string": '{"name": "look", "arguments": {"a": "rm -rf /tm',
    "in-a-single-quoted-string": "{'name': 'look', 'arguments': {'a': 'rm -rf /tm",
    "behind-a-backslash": '{"name": "look", "arguments": {"a": "rm\\',
    "behind-an-escaped-quote": '{"name": "look", "arguments": {"a": "rm\\"',
    "end-of-string-forgotten": '{"name": "look", "arguments": {"a": "rm -rf /tmp}}',
    "behind-a-key": '{"name": "look", "arguments": {"a"',
    "behind-a-colon": '{"name": "look", "arguments": {"a":',
    "behind-a-comma": '{"name": "look", "arguments": {"a": 1,',
    "in-a-word": '{"name": "look", "arguments": {"a": tru',
    "value-forgotten": '{"name": "look", "arguments": {"a": }}',
}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("text", HALF.values(), ids=HALF.keys())
def test_half_a_call_is_never_completed(text: str, closed: bool) -> None:
    """What is missing is not made up, whether the element was closed or not."""
    assert read(text, closed=closed) == look(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "look", "arguments": {"a": 1}',
        '{"name": "look", "arguments": {"a": [1, 2}}',
        '{"name": "look", "arguments": "{\\"a\\": 1"}',
        "{'name': look, 'arguments': {}}",
    ],
)
def test_call_that_was_cut_off_counts_only_if_it_is_whole(text: str) -> None:
    """Brackets are put there, and words guessed at, only where the element was closed."""
    assert [call.readable for call in calls_in(RawCall(text, closed=True))] == [True]
    assert [call.readable for call in calls_in(RawCall(text, closed=False))] == [False]
    whole = "{'name': 'look', 'arguments': {'a': 1,}} and th"
    assert read(whole, closed=False) == look({"a": 1})


UNREADABLE = {
    "nothing": ("", ""),
    "prose": ("the weather, please", ""),
    "no-name": ('{"arguments": {"a": 1}}', ""),
    "empty-name": ('{"name": "", "arguments": {}}', ""),
    "name-of-another-type": ('{"name": 7, "arguments": {}}', ""),
    "list-of-arguments": ('{"name": "look", "arguments": [1]}', "look"),
    "number-as-arguments": ('{"name": "look", "arguments": 0}', "look"),
    "text-as-arguments": ('{"name": "look", "arguments": "Paris"}', "look"),
    "text-around-arguments": ('{"name": "look", "arguments": "so {\\"a\\": 1}"}', "look"),
    "two-as-arguments": ('{"name": "look", "arguments": "{}{}"}', "look"),
    "arguments-beside": ('{"name": "look", "city": "Paris"}', "look"),
    "half-of-a-pair": ('{"name": "look", "arguments": {"a": "\\ud800"}}', "look"),
    "half-of-a-pair-in-a-string": ("{'name': 'look', 'arguments': {'\\udfff': 1}}", "look"),
    "half-of-a-pair-in-the-name": ('{"name": "\\ud800"}', "\\ud800"),
    "deep": ('{"name": "look", "arguments": {"a": ' + "[" * 100 + "]" * 100 + "}}", "look"),
    "deeper": ('{"name": "look", "arguments": ' + '{"a":' * 5000 + "1" + "}" * 5001, "look"),
    "deep-and-open": ('{"name": "look", "arguments": ' + "[" * 100_000, "look"),
    "digits": ('{"name": "look", "arguments": {"a": ' + "1" * 5000 + "}}", "look"),
    "number": ("7", ""),
    "string": ('"look"', ""),
    "words": ("{name: look, arguments: {a: b c}}" + " " * 10 + "." * 1000, ""),
    "another-name": ('{"filename": "x", "file-name": "y"}', ""),
    "brackets": ("{]", ""),
}


@pytest.mark.parametrize(("text", "name"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_call_is_one_string_with_a_name_if_there_is_one(text: str, name: str) -> None:
    """So that it can be reported: a string is no valid arguments."""
    (call,) = calls_in(RawCall(text, closed=True))
    told = json.loads(text) if text.startswith('"') else text
    assert (call.name, json.loads(call.arguments), call.repaired) == (name, told, False)
    assert not call.readable


def test_arguments_of_the_greatest_depth_are_read() -> None:
    """A hundred levels, the object itself included."""
    deep = '{"a": ' + "[" * 99 + "]" * 99 + "}"
    (call,) = calls_in(RawCall(f'{{"name": "look", "arguments": {deep}}}', closed=True))
    assert call.readable


def test_text_that_cannot_be_encoded_becomes_one_that_can() -> None:
    """Half of a surrogate pair cannot go on to anyone."""
    (call,) = calls_in(RawCall('{"name": "lo\ud800ok", "a": \udfff}', closed=True))
    assert call == Call("lo?ok", '"{\\"name\\": \\"lo?ok\\", \\"a\\": ?}"')


def test_guess_that_lost_a_string_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A string that was spelled properly must not come out as another one."""
    text = '{"name": "look" "arguments": {"a": "x\\ny: z"}}'
    assert read(text) == look({"a": "x\ny: z"})
    guess = {"name": "look", "arguments": {"a": "x", "y": "z"}}
    monkeypatch.setattr("json_repair.repair_json", lambda *_, **__: guess)
    assert read(text) == look(text)


def test_guess_that_fails_in_any_way_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guessing library asserts what some texts do not hold."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    text = '{"name": "look" "arguments": {}}'
    monkeypatch.setattr("json_repair.repair_json", fail)
    assert read(text) == look(text)


def test_long_text_is_not_guessed_at() -> None:
    """Guessing takes time that grows with the square of the length."""
    text = '{"name": "look" "arguments": {"a": "%s"}}'
    assert read(text % ("b" * 900)) == look({"a": "b" * 900})
    assert read(text % ("b" * 1000)) == look(text % ("b" * 1000))


@pytest.mark.parametrize("end", ["}}", ",}}", "}"])
def test_megabyte_of_arguments_is_read_in_a_moment(end: str) -> None:
    """Misspelled or not."""
    said = "line\\n" * 170_000
    text = f'{{"name": "look", "arguments": {{"a": "{said}"{end}'
    begin = time.thread_time()
    found = read(text)
    assert time.thread_time() - begin < 2
    assert found == look({"a": json.loads(f'"{said}"')})


HOSTILE = {
    "objects": "{}",
    "objects-and-blanks": "{} ",
    "misspelled": "{a}",
    "openings": "{",
    "lists": "{'a':[",
    "wrong-brackets": "{[}",
    "quotes": '{"',
    "apostrophes": "{'",
    "apostrophes-in-words": "{a'b",
    "escapes": '{"\\',
    "commas": "{,",
    "colons": "{a:",
    "blanks": "{,   ",
    "names": "name: ",
    "names-without-end": 'name: "',
    "quotes-in-words": "{'a'",
    "calls": '{"name": "a", "arguments": {"b": 1}}',
    "strings": '{"name": "a", "arguments": "{\'b\': 1}"}',
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_content_takes_linear_time(unit: str) -> None:
    """Twice the length takes little more than twice as long, and a megabyte no 50 milliseconds."""
    raws = {
        length: RawCall((unit * (length // len(unit) + 1))[:length], closed=True)
        for length in (500_000, 1_000_000)
    }
    assert_grows(lambda n: calls_in(raws[n]), 500_000, 1_000_000, less_than=3, least_s=0.005)
    assert cpu_seconds(lambda: calls_in(raws[1_000_000])) < 0.05


def test_nested_brackets_take_linear_time() -> None:
    """Brackets of one kind closed by the other, and of the right kind."""
    for closing in "]}":
        text = "{" * 200_000 + closing * 200_000
        begin = time.thread_time()
        assert read(text) == [("", text)]
        assert time.thread_time() - begin < 3
