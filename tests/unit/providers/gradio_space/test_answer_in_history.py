"""Finding the answer in what a chatbot shows (docs/protocols/gradio-space.md, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.providers.gradio_space.content import ChatbotReader, Snapshot
from tests.unit.providers.gradio_space.apps import assistant, user

FILE: Any = {"path": "/srv/a/pic.png"}


def sent(*texts: str) -> Any:
    """A history as a caller sends it, with no more than has to be."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


def full(*texts: str) -> Any:
    """The same as an app gives it back."""
    return [{**each, "metadata": None, "options": None} for each in sent(*texts)]


def parts(*texts: str) -> Any:
    """The same on Gradio 6."""
    content = [[{"type": "text", "text": text, "type_": None}] for text in texts]
    return [e | {"content": c} for e, c in zip(full(*texts), content, strict=True)]


def pairs(*texts: str | None) -> Any:
    """The same in pairs."""
    return [list(texts[at : at + 2]) for at in range(0, len(texts), 2)]


def find(before: Any, value: Any, *, has_prompt: bool) -> str:
    """The text of the answer in a value."""
    return ChatbotReader(before, has_prompt=has_prompt)(value).text


def test_answer_is_what_follows_the_question_that_was_sent() -> None:
    """Both where the preparation has put the question there and where the answer does."""
    for shape in (full, parts, pairs):
        assert find(shape("a", "b", "c"), shape("a", "b", "c", "d"), has_prompt=True) == "d"
        assert find(shape("a", "b"), shape("a", "b", "c", "d"), has_prompt=False) == "d"
    assert find([], full("a", "b"), has_prompt=False) == "b"


def test_question_alone_is_no_answer() -> None:
    """The app shows it first, and answers then."""
    assert find(full("a", "b"), full("a", "b", "c"), has_prompt=False) == ""
    assert find(full("a"), full("a"), has_prompt=True) == ""
    assert find(pairs("a", "b"), [["a", "b"], ["c", None]], has_prompt=False) == ""
    assert find(pairs("a", "b"), [["a", "b"], ["c", ""]], has_prompt=False) == ""


@pytest.mark.parametrize("shape", [sent, full, parts])
def test_old_answer_that_is_still_shown_is_not_given_again(shape: Any) -> None:
    """Whatever the app adds to the messages it was sent."""
    finder = ChatbotReader(sent("a", "b"), has_prompt=False)
    assert finder(shape("a", "b")) == Snapshot("", "")
    assert finder(shape("a", "b", "c", "d")).text == "d"


def test_text_an_app_has_tidied_is_recognised() -> None:
    """Gradio takes blanks off the lines it shows."""
    finder = ChatbotReader(sent("a\n  b ", " c"), has_prompt=False)
    assert finder(full("a\nb", "c")).text == ""


@pytest.mark.parametrize("dots", ["...", "", "Thinking…"])
def test_place_holder_of_the_preparation_is_no_part_of_the_history(dots: str) -> None:
    """What stands in its place is the answer."""
    before = full("a", dots)
    assert find(before, full("a", "the answer"), has_prompt=True) == "the answer"
    assert find(pairs("a", dots), pairs("a", "the answer"), has_prompt=True) == "the answer"


def test_history_of_place_holders_alone_is_all_answer() -> None:
    """There is no question in it."""
    assert find([assistant("...")], [assistant("hi")], has_prompt=True) == "hi"


def test_app_that_shows_no_questions_answers_behind_the_old_answers() -> None:
    """The newest user message is an old one, and what follows it is not all new."""
    assert find(full("a", "b"), [*full("a", "b"), assistant("d")], has_prompt=False) == "d"
    greeting = [assistant("hello")]
    assert find(greeting, [*greeting, assistant("d")], has_prompt=False) == "d"
    assert find(greeting, greeting, has_prompt=False) == ""


@pytest.mark.parametrize("asked", [False, True])
def test_app_that_forgets_its_oldest_messages_is_understood(asked: bool) -> None:
    """It may keep some of them, or none; the old answer is never the new one."""
    before = full("a", "b", "c", "d", *["e"] * asked)
    for kept in (0, 2, 4):
        old, new = full("a", "b", "c", "d")[4 - kept :], full("e", "f")
        finder = ChatbotReader(before, has_prompt=asked)
        assert finder([*old, *new[:1]]).text == ""
        assert finder([*old, *new]).text == "f"
        assert finder([*old, *new, assistant("g")]).text == "f\n\ng"
        assert asked or finder(old).text == ""


def test_same_answer_to_another_question_is_one() -> None:
    """An app that keeps one exchange shows the same answer again."""
    assert find(full("a", "ok"), full("b", "ok"), has_prompt=False) == "ok"


def test_app_that_rewrites_the_question_is_understood() -> None:
    """It may show it as HTML, say."""
    assert find(full("a & b"), full("a &amp; b", "c"), has_prompt=True) == "c"
    assert find(full("a & b", "c"), full("a &amp; b", "c", "d", "e"), has_prompt=False) == "e"


def test_several_messages_are_one_answer() -> None:
    """Thoughts are reasoning, files are files."""
    value: Any = [user("a"), assistant("hm", "Thinking"), assistant("b"), assistant("c")]
    value.append({"role": "assistant", "content": {"file": FILE}})
    assert ChatbotReader([], has_prompt=False)(value) == Snapshot("b\n\nc", "hm", (FILE,))


def test_answer_that_grows_is_found_in_a_value_that_changes_in_place() -> None:
    """As differences change it."""
    finder = ChatbotReader(sent("a", "b", "c"), has_prompt=True)
    value = full("a", "b", "c", "")
    for text in ("o", "on", "one"):
        value[-1]["content"] = text
        assert finder(value).text == text
    value.append(assistant("two"))
    assert finder(value).text == "one\n\ntwo"


def test_files_in_pairs_are_found() -> None:
    """As an object, or as a list of path and description."""
    finder = ChatbotReader([], has_prompt=False)
    assert finder([["a", ["/p.png", "alt"]]]).files == ({"path": "/p.png"},)
    assert finder([["a", {"file": FILE, "alt_text": None}], [None, "b"]]) == Snapshot(
        "b", "", (FILE,)
    )
    assert finder([[["/q.png"], None], [None, ["/p.png", "x"]]]).files == ({"path": "/p.png"},)


@pytest.mark.parametrize("value", [None, [], [["a"]], [["a", "b", "c"]], [["a", None], "x"]])
def test_value_that_is_no_history_has_no_answer(value: Any) -> None:
    """Nothing is made up of it."""
    assert ChatbotReader([], has_prompt=False)(value) == Snapshot("", "")


def test_messages_without_a_role_are_the_answer() -> None:
    """Only the user's are not."""
    assert find([], ["a", {"content": "b"}, None], has_prompt=False) == "a\n\nb"
