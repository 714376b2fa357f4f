"""Snapshots of an answer -> its growth (docs/protocols/gradio-space.md, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.events import Event, File, FinalText, Finish, Progress, Reasoning, Text
from langchain_g4f.errors import EmptyResponseError, MalformedStreamError, StreamInterruptedError
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer, OutputCollector
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from tests.unit.providers.gradio_space.apps import assistant, user

FILES = "https://app.example/gradio_api/file="
REWRITTEN = Progress("rewritten", "the app has replaced what it had said")
UPDATE: Any = {"__type__": "update", "interactive": False}


def reader(before: Any = None, output: int = 0) -> AnswerDiffer:
    """Read an interface's answer."""
    return AnswerDiffer(read_output, output, FILES, before)


def read(*values: Any) -> list[Event]:
    """The events of an answer that is shown so, and ends with the last."""
    reading = reader()
    *before, last = values
    found = [event for value in before for event in reading.update([value])]
    return [*found, *reading.complete([last])]


@pytest.mark.proves("obligation:gradio-space:14")
def test_only_what_is_new_is_given_out() -> None:
    """A snapshot that says nothing new gives nothing."""
    assert read("", "a", "a", "ab", "abc", "abc") == [Text("a"), Text("b"), Text("c"), Finish()]


@pytest.mark.proves("obligation:gradio-space:13")
def test_end_has_the_last_word() -> None:
    """What it has beyond the differences is given out."""
    assert read("a", "abc") == [Text("a"), Text("bc"), Finish()]


@pytest.mark.proves("obligation:gradio-space:14")
def test_rewritten_answer_is_held_back_and_told_at_the_end() -> None:
    """Once it is said that it is, whatever else the app replaces."""
    found = read("One.", "Let", "Let me", "Let me start again.")
    assert found == [Text("One."), REWRITTEN, FinalText("Let me start again."), Finish()]


def test_answer_that_comes_back_to_what_was_given_goes_on() -> None:
    """Nothing was wrong with it in the end."""
    found = read("One", "T", "One t", "One two")
    assert found == [Text("One"), REWRITTEN, Text(" t"), Text("wo"), Finish()]


@pytest.mark.proves("obligation:gradio-space:13")
def test_answer_that_is_other_at_its_end_is_rewritten() -> None:
    """Trust the end over the sum of the differences."""
    assert read("One", "Two") == [Text("One"), REWRITTEN, FinalText("Two"), Finish()]
    assert read("One", "") == [Text("One"), REWRITTEN, FinalText(""), Finish()]


def test_update_without_a_value_changes_nothing() -> None:
    """Neither in the middle nor at the end."""
    assert read("One", UPDATE, "One two", UPDATE) == [Text("One"), Text(" two"), Finish()]
    value = UPDATE | {"value": "One"}
    assert read(UPDATE, value, UPDATE) == [Text("One"), Finish()]


def test_outputs_of_the_end_are_kept_with_what_is_shown() -> None:
    """The next call goes on from them."""
    reading = reader(output=1)
    list(reading.update([None, "One"]))
    assert reading.outputs is None
    list(reading.complete([None, UPDATE]))
    assert reading.outputs == [None, "One"]


@pytest.mark.parametrize("dots", ["...", "Thinking…"])
def test_place_holder_of_the_preparation_is_not_given_out(dots: str) -> None:
    """It stood there before the app answered."""
    before: Any = [user("a"), assistant(dots)]
    reading = AnswerDiffer(ChatbotReader(before, has_prompt=True), 0, FILES, before)
    found = [*reading.update([before]), *reading.update([UPDATE])]
    assert (found, reading.visible) == ([], False)
    found = list(reading.update([[user("a"), assistant("hi")]]))
    assert found == [Text("hi")]


def test_answer_that_is_the_place_holder_is_given_at_the_end() -> None:
    """An app may have answered in its preparation."""
    before: Any = [user("a"), assistant("All of it.")]
    reading = AnswerDiffer(ChatbotReader(before, has_prompt=True), 0, FILES, before)
    assert list(reading.update([before])) == []
    assert list(reading.complete([before])) == [Text("All of it."), Finish()]


def test_thoughts_are_reasoning_and_grow_likewise() -> None:
    """They come before the text they lead to."""
    found = read(
        [assistant("h", "Thinking")],
        [assistant("hm", "Thinking")],
        [assistant("hm", "Thinking"), assistant("a")],
        [assistant("hm", "Thinking"), assistant("ab")],
    )
    assert found == [Reasoning("h"), Reasoning("m"), Text("a"), Text("b"), Finish()]


def test_thought_that_is_replaced_or_taken_back_is_not_repeated() -> None:
    """The answer is what counts."""
    found = read([assistant("hm", "T")], [assistant("aha!", "T")], [assistant("a")])
    assert found == [Reasoning("hm"), Text("a"), Finish()]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            {"path": "/srv/a/my pic#1.png", "url": "http://10.0.0.1:7860/file=x"},
            File("my%20pic%231.png", "", f"{FILES}/srv/a/my%20pic%231.png"),
        ),
        (
            {"path": "/a/p", "orig_name": "pic.png", "mime_type": "image/png"},
            File("pic.png", "image/png", f"{FILES}/a/p"),
        ),
        (
            {"path": "https://cdn.example/p.png", "url": None, "mime_type": 7},
            File("p.png", "", "https://cdn.example/p.png"),
        ),
        (
            {"path": "", "url": "https://cdn.example/p.png", "meta": {}},
            File("p.png", "", "https://cdn.example/p.png"),
        ),
    ],
)
@pytest.mark.proves("obligation:gradio-space:22")
def test_file_is_at_the_address_the_app_was_asked_at(file: dict[str, Any], expected: File) -> None:
    """What the server takes for its own address may be an inner one."""
    assert read(file, file, file) == [expected, Finish()]


def test_file_without_an_address_is_none() -> None:
    """The answer is empty then."""
    with pytest.raises(EmptyResponseError):
        read({"path": "", "meta": {}})


def test_file_and_text_are_an_answer_together() -> None:
    """Each file is given once, whenever it comes."""
    file, other = {"path": "/a/p"}, {"path": "/a/q"}
    found = read("a", ["a", file], ["a", file, other])
    assert found == [
        Text("a"),
        File("p", "", f"{FILES}/a/p"),
        File("q", "", f"{FILES}/a/q"),
        Finish(),
    ]


@pytest.mark.proves("obligation:gradio-space:15")
@pytest.mark.parametrize("value", ["", None, [], [user("a")][:0], {"content": None}])
def test_empty_answer_is_an_error_of_its_own(value: Any) -> None:
    """The app has finished regularly, and said nothing."""
    with pytest.raises(EmptyResponseError, match="answer is empty"):
        read(value, value)


@pytest.mark.proves("obligation:gradio-space:15")
def test_cancelled_answer_is_interrupted() -> None:
    """With what was said before, it is an answer; there is nothing to go on from."""
    reading = reader()
    list(reading.update(["a"]))
    assert list(reading.complete(None)) == [Finish("interrupted")]
    assert (reading.text, reading.outputs) == ("a", None)


@pytest.mark.proves("obligation:gradio-space:15")
@pytest.mark.parametrize("reading", [reader(), OutputCollector()])
def test_answer_cancelled_before_its_beginning_is_an_error(reading: Any) -> None:
    """It looks like success, and is none."""
    with pytest.raises(StreamInterruptedError, match="before it had said anything"):
        list(reading.complete(None))


def test_missing_output_is_an_error_that_names_it() -> None:
    """Never a bare IndexError."""
    with pytest.raises(MalformedStreamError, match="'data' has 1 outputs, the answer is number 1"):
        list(reader(output=1).update([None]))
    with pytest.raises(MalformedStreamError, match="'data' has 0 outputs"):
        list(reader().complete([]))


def test_preparation_says_nothing_and_keeps_its_outputs() -> None:
    """Only its end counts."""
    reading = OutputCollector()
    assert list(reading.update([1])) == []
    assert reading.outputs == []
    assert list(reading.complete([1, 2])) == []
    assert reading.outputs == [1, 2]
