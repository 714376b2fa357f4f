"""Snapshots of an answer and its growth (docs/protocols/gradio-space.md, section 4)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from langchain_g4f.core.events import Event, File, FinalText, Finish, Progress, Reasoning, Text
from langchain_g4f.errors import (
    EmptyResponseError,
    MalformedStreamError,
    StreamInterruptedError,
    TooLargeError,
)
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer, OutputCollector
from langchain_g4f.providers.gradio_space.content import ChatbotReader, Snapshot, read_output
from tests.unit.providers.gradio_space.apps import assistant, user
from tests.unit.providers.gradio_space.replies import final_of, text_of

FILES = "https://app.example/gradio_api/file="
FILE: Any = {"path": "/srv/a/pic.png"}
REWRITTEN = Progress("rewritten", "the app has replaced what it had said")
UPDATE: Any = {"__type__": "update", "interactive": False}


def differ(before: Any = None, output: int = 0) -> AnswerDiffer:
    """A reader of the answer of an interface."""
    return AnswerDiffer(read_output, output, FILES, before)


def read(*values: Any) -> list[Event]:
    """The events of these snapshots; the last one is the end."""
    reading = differ()
    *before, last = values
    found = [event for value in before for event in reading.update([value])]
    return [*found, *reading.complete([last])]


HM, AHA = (assistant(text, "Thinking") for text in ("hm", "aha!"))
GIVEN = {"path": "/a/p", "orig_name": "pic.png", "mime_type": "image/png"}


@pytest.mark.proves("obligation:gradio-space:13", "obligation:gradio-space:14")
@pytest.mark.parametrize(
    ("values", "events"),
    [
        (["", "a", "a", "ab", "abc", "abc"], [Text("a"), Text("b"), Text("c")]),
        (["a", "abc"], [Text("a"), Text("bc")]),
        # a first snapshot that is replaced was a placeholder
        (["One.", "Let", "Let me"], [Text("Let"), Text(" me")]),
        # replaced text is not emitted, unless it begins with the emitted text again
        (["One", "T", "One t", "One two"], [Text("One"), REWRITTEN, Text(" two")]),
        (["One, two", "One, two, three", "Let", "Let me"],
         [Text("One, two, three"), REWRITTEN, FinalText("Let me")]),
        # a part that is taken back and comes again is no rewriting
        (["One", "One tow", "One t", "One two"],
         [Text("One"), Text(" tow"), REWRITTEN, FinalText("One two")]),
        (["One", "One two", "One t", "One two, three"], [*map(Text, ("One", " two", ", three"))]),
        (["One", "Two"], [Text("One"), REWRITTEN, FinalText("Two")]),
        (["One", ""], [Text("One"), REWRITTEN, FinalText("")]),
        # an update without a value changes nothing
        (["One", UPDATE, "One two", UPDATE], [Text("One"), Text(" two")]),
        ([UPDATE, UPDATE | {"value": "One"}, UPDATE], [Text("One")]),
        # thoughts
        (
            [[assistant("h", "T")], [HM], [HM, assistant("a")], [HM, assistant("ab")]],
            [Reasoning("h"), Reasoning("m"), Text("a"), Text("b")],
        ),
        ([[HM], [AHA], [assistant("a")]], [Reasoning("hm"), Text("a")]),
        # files, each once
        (
            ["a", ["a", {"path": "/a/p"}], ["a", {"path": "/a/p"}, {"path": "/a/q"}]],
            [Text("a"), File("p", "", f"{FILES}/a/p"), File("q", "", f"{FILES}/a/q")],
        ),
        ([GIVEN] * 3, [File("pic.png", "image/png", f"{FILES}/a/p")]),
    ],
)  # fmt: skip
def test_only_what_is_new_is_emitted(values: list[Any], events: list[Event]) -> None:
    """The last snapshot is the whole answer."""
    assert read(*values) == [*events, Finish()]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            {"path": "/srv/a/my pic#1.png", "url": "http://10.0.0.1:7860/file=x"},
            File("my%20pic%231.png", "image/png", f"{FILES}/srv/a/my%20pic%231.png"),
        ),
        (
            {"path": "https://cdn.example/p.png", "url": None, "mime_type": 7},
            File("p.png", "image/png", "https://cdn.example/p.png"),
        ),
        (
            {"path": "", "url": "https://cdn.example/p.png", "meta": {}},
            File("p.png", "image/png", "https://cdn.example/p.png"),
        ),
        (
            {"path": "", "url": "https://cdn.example/p.webp?key=1", "meta": {}},
            File("p.webp?key=1", "image/webp", "https://cdn.example/p.webp?key=1"),
        ),
        (
            {"path": "", "url": "https://[x/p.png", "orig_name": "https://[", "meta": {}},
            File("https://[", "image/png", "https://[x/p.png"),
        ),
        ({"path": "/a/x", "orig_name": "x.mp4"}, File("x.mp4", "video/mp4", f"{FILES}/a/x")),
        (
            {"component": "image", "value": {"path": "/a/x"}},
            File("x", "", f"{FILES}/a/x", kind="image"),
        ),
        (
            {"image": {"path": "/a/x"}, "caption": "A cat"},
            File("x", "", f"{FILES}/a/x", kind="image", about={"caption": "A cat"}),
        ),
    ],
)
@pytest.mark.proves("obligation:gradio-space:22")
def test_file_has_the_address_of_the_app(file: dict[str, Any], expected: File) -> None:
    """The server's own URL may name an internal host."""
    assert read(file, file) == [expected, Finish()]


PNG = b"\x89PNG\r\n\x1a\n"
PLOTLY: Any = {"type": "plotly", "plot": "{}"}
PICTURE: Any = {
    "type": "matplotlib",
    "plot": f"data:image/webp;base64,{base64.b64encode(PNG).decode()}",
}


@pytest.mark.parametrize(
    ("plot", "file"),
    [
        (PLOTLY, File("plotly.json", "application/json", data=b"{}")),
        (PICTURE, File("plot", "image/png", data=PNG)),
        (PICTURE | {"plot": "data:?"}, File("matplotlib.json", "application/json", data=b"data:?")),
    ],
)
def test_plot_is_a_file_at_the_end(plot: Any, file: File) -> None:
    """Its earlier states are not emitted; a picture is told by its bytes."""
    component = {"component": "plot", "value": plot}
    assert read(PLOTLY, component, component) == [file, Finish()]


@pytest.mark.parametrize("opening", ["<think>", "<thinking>"])
@pytest.mark.parametrize("cursor", ["", "▌"])
def test_think_element_is_reasoning(opening: str, cursor: str) -> None:
    """At the beginning of an answer, wherever it was cut; in the middle it is text."""
    closing = opening.replace("<", "</")
    whole = f"{opening}\nWell, 1 < 2.\n{closing}\n\nUse {opening} with {closing}."
    snapshots = [whole[:end] + cursor for end in range(1, len(whole))]
    found = read(*snapshots, whole)
    assert found[-1] == Finish()
    assert text_of(found) == f"Use {opening} with {closing}."
    assert "".join(e.text for e in found if isinstance(e, Reasoning)) == "Well, 1 < 2.\n"
    assert final_of(found) == []
    assert len(found) > 20


def test_think_element_that_is_taken_away_later_is_no_rewriting() -> None:
    """Some apps show thoughts while they come only; the final text has none either way."""
    thought = "<think>Let me see."
    assert read(thought, f"{thought} Yes.", "Hello", "Hello you") == [
        Reasoning("Let me see. Yes."),
        Text("Hello you"),
        Finish(),
    ]
    said = "</think>Hello you, my"
    found = read(thought, f"{thought} Yes.{said}", f"{thought} Yes.{said} dear", "Goodbye")
    assert final_of(found) == ["Goodbye"]
    found = read(
        thought, f"{thought} Yes.{said}", f"{thought} Yes.{said} dear", "<think>x</think>A"
    )
    assert final_of(found) == ["A"]


def test_number_of_elements_is_limited() -> None:
    """They are read again with every snapshot."""
    reading = AnswerDiffer(read_output, 0, FILES, tags=[("<t>", "</t>")])
    with pytest.raises(TooLargeError, match="more than 1000 parts"):
        list(reading.complete(["a<t>b</t>" * 1000]))


@pytest.mark.parametrize("size", [1, 3])
def test_tags_of_the_app_are_reasoning_anywhere(size: int) -> None:
    """Also where the app itself takes them out of its text."""
    whole = "So: [T]one[/T]\nHello [T]two[/T]you."
    tags = [("[T]", "[/T]")]
    reading = AnswerDiffer(read_output, 0, FILES, tags=tags)
    snapshots = [whole[:end] for end in range(1, len(whole), size)]
    found = [e for value in snapshots for e in reading.update([value])]
    found += reading.complete([whole])
    assert (text_of(found), final_of(found)) == ("So: Hello you.", [])
    assert "".join(e.text for e in found if isinstance(e, Reasoning)) == "onetwo"
    split = [["[T"], [assistant("on", "R")], [assistant("one[/", "R")]]
    end = [assistant("one", "R"), assistant("Hello")]
    reading = AnswerDiffer(read_output, 0, FILES, tags=tags)
    found = [e for value in [*split, end] for e in reading.update([value])]
    assert found == [Reasoning("on"), Reasoning("e"), Text("Hello")]


def test_outputs_of_the_end_hold_the_value_of_the_answer() -> None:
    """The next call continues with them."""
    reading = differ(output=1)
    list(reading.update([None, "One"]))
    assert not reading.outputs
    list(reading.complete([None, UPDATE]))
    assert reading.outputs == [None, "One"]
    collector = OutputCollector()
    assert [*collector.update([1]), *collector.outputs] == []
    assert [*collector.complete([1, 2])] == []
    assert collector.outputs == [1, 2]


@pytest.mark.parametrize("dots", ["...", "Thinking…"])
def test_placeholder_is_not_emitted(dots: str) -> None:
    """It was in the chatbot before the app answered; at the end it is the answer."""
    before: Any = [user("a"), assistant(dots)]
    reading = AnswerDiffer(ChatbotReader(before, has_prompt=True), 0, FILES, before)
    assert [*reading.update([before]), *reading.update([UPDATE])] == []
    assert not reading.visible
    assert list(reading.update([[user("a"), assistant("hi")]])) == [Text("hi")]
    reading = AnswerDiffer(ChatbotReader(before, has_prompt=True), 0, FILES, before)
    assert [*reading.update([before]), *reading.complete([before])] == [Text(dots), Finish()]


@pytest.mark.proves("obligation:gradio-space:15")
@pytest.mark.parametrize("value", ["", None, [], {"content": None}, {"path": "", "meta": {}}])
def test_empty_answer_is_an_error(value: Any) -> None:
    """A file without an address is no answer, either."""
    with pytest.raises(EmptyResponseError, match="answer is empty"):
        read(value, value)


@pytest.mark.proves("obligation:gradio-space:15")
def test_cancelled_answer_is_interrupted() -> None:
    """Before its first word it is an error."""
    reading = differ()
    list(reading.update(["a"]))
    assert list(reading.complete(None)) == [Finish("interrupted")]
    assert (reading.text, reading.outputs) == ("a", None)
    for handler in (differ(), OutputCollector()):
        with pytest.raises(StreamInterruptedError, match="before it had said anything"):
            list(handler.complete(None))


def test_missing_output_is_named() -> None:
    """By its number."""
    with pytest.raises(MalformedStreamError, match="'data' has 1 outputs, the answer is number 1"):
        list(differ(output=1).update([None]))
    with pytest.raises(MalformedStreamError, match="'data' has 0 outputs"):
        list(differ().complete([]))


# --- the answer in a chatbot ---------------------------------------------------------------------


def sent(*texts: str) -> Any:
    """A history as the caller sends it."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


def full(*texts: str) -> Any:
    """The same as an app returns it."""
    return [{**each, "metadata": None, "options": None} for each in sent(*texts)]


def parts(*texts: str) -> Any:
    """The same on Gradio 6."""
    content = [[{"type": "text", "text": text, "type_": None}] for text in texts]
    return [e | {"content": c} for e, c in zip(full(*texts), content, strict=True)]


def pairs(*texts: str) -> Any:
    """The same in pairs."""
    return [[*texts[at : at + 2], None][:2] for at in range(0, len(texts), 2)]


@pytest.mark.parametrize(
    ("before", "value", "has_prompt", "text"),
    [
        # the app returns what it was sent, and the answer
        ([], full("a", "b"), False, "b"),
        *[(s("a", "b", "c"), s("a", "b", "c", "d"), True, "d") for s in (full, parts, pairs)],
        *[(s("a", "b"), s("a", "b", "c", "d"), False, "d") for s in (full, parts, pairs)],
        *[(sent("a", "b"), s("a", "b", "c", "d"), False, "d") for s in (sent, full, parts)],
        *[(sent("a", "b"), s("a", "b"), False, "") for s in (sent, full, parts)],
        (sent("a\n  b ", " c"), full("a\nb", "c"), False, ""),  # Gradio strips blanks
        # the message alone
        (full("a", "b"), full("a", "b", "c"), False, ""),
        (full("a"), full("a"), True, ""),
        (pairs("a", "b"), [["a", "b"], ["c", None]], False, ""),
        (pairs("a", "b"), [["a", "b"], ["c", ""]], False, ""),
        # placeholders of the preparation
        (full("a", "..."), full("a", "the answer"), True, "the answer"),
        (full("a", ""), full("a", "the answer"), True, "the answer"),
        (pairs("a", "..."), pairs("a", "the answer"), True, "the answer"),
        ([assistant("...")], [assistant("hi")], True, "hi"),
        # an app that does not show the user's messages
        (full("a", "b"), [*full("a", "b"), assistant("d")], False, "d"),
        ([assistant("hello")], [assistant("hello"), assistant("d")], False, "d"),
        ([assistant("hello")], [assistant("hello")], False, ""),
        # an app that keeps one exchange, or rewrites the message
        (full("a", "ok"), full("b", "ok"), False, "ok"),
        (full("a & b"), full("a &amp; b", "c"), True, "c"),
        (full("a & b", "c"), full("a &amp; b", "c", "d", "e"), False, "e"),
        # other shapes
        ([], ["a", {"content": "b"}, None], False, "a\n\nb"),
        *[([], v, False, "") for v in (None, [], [["a"]], [["a", "b", "c"]], [["a", None], "x"])],
    ],
)
def test_answer_is_what_follows_the_newest_message(
    before: Any, value: Any, *, has_prompt: bool, text: str
) -> None:
    """Messages that were sent are recognized, and are no part of it."""
    assert ChatbotReader(before, has_prompt=has_prompt)(value).text == text


@pytest.mark.parametrize("has_prompt", [False, True])
def test_app_may_drop_its_oldest_messages(has_prompt: bool) -> None:
    """Some or all of them; an old answer is never taken for the new one."""
    before = full("a", "b", "c", "d", *["e"] * has_prompt)
    for kept in (0, 2, 4):
        old, new = full("a", "b", "c", "d")[4 - kept :], full("e", "f")
        find = ChatbotReader(before, has_prompt=has_prompt)
        assert find([*old, *new[:1]]).text == ""
        assert find([*old, *new]).text == "f"
        assert find([*old, *new, assistant("g")]).text == "f\n\ng"
        assert has_prompt or find(old).text == ""


def test_answer_has_several_messages_thoughts_and_files() -> None:
    """It is found in a value that grows in place, too."""
    value: Any = [user("a"), HM, assistant("b"), assistant("c")]
    value.append({"role": "assistant", "content": {"file": FILE}})
    assert ChatbotReader([], has_prompt=False)(value) == Snapshot("b\n\nc", "hm", (FILE,))
    find, value = ChatbotReader(sent("a", "b", "c"), has_prompt=True), full("a", "b", "c", "")
    for text in ("o", "on", "one"):
        value[-1]["content"] = text
        assert find(value).text == text
    value.append(assistant("two"))
    assert find(value).text == "one\n\ntwo"


def test_pairs_may_hold_files() -> None:
    """As an object, or as a list of path and description."""
    find = ChatbotReader([], has_prompt=False)
    assert find([["a", ["/p.png"]]]).files == ({"path": "/p.png"},)
    assert find([["a", {"file": FILE}], [None, "b"]]) == Snapshot("b", "", (FILE,))
    assert find([[["/q.png"], None], [None, ["/p.png", "x"]]]).files == (
        {"path": "/p.png", "about": {"alt_text": "x"}},
    )
