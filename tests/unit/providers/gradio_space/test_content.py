"""How messages and files look (docs/protocols/gradio-space.md, section 7)."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.errors import TooLargeError
from langchain_g4f.providers.gradio_space.content import (
    MAX_MESSAGES,
    MAX_PARTS,
    ChatbotMessage,
    ChatbotReader,
    Snapshot,
    applied,
    chatbot_value,
    read_output,
)

FILE: dict[str, Any] = {"path": "/srv/a/pic.png", "meta": {"_type": "gradio.FileData"}}
OTHER: dict[str, Any] = FILE | {"path": "/srv/b/s.wav"}


def file_part(file: dict[str, Any]) -> dict[str, Any]:
    """A file as Gradio 5 has it in a message."""
    return {"file": file, "alt_text": None}


SAID = [
    ChatbotMessage("user", "What is it?", (FILE, OTHER)),
    ChatbotMessage("assistant", "A cat."),
    ChatbotMessage("user", "", (FILE,)),
    ChatbotMessage("assistant", ""),
]


@pytest.mark.proves("obligation:gradio-space:2")
def test_messages_of_gradio_5_have_text_or_a_file() -> None:
    """Each file is a message of its own, before the text."""
    assert chatbot_value(SAID, "strings") == [
        {"role": "user", "content": file_part(FILE)},
        {"role": "user", "content": file_part(OTHER)},
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": file_part(FILE)},
        {"role": "assistant", "content": ""},
    ]


@pytest.mark.proves("obligation:gradio-space:2")
def test_messages_of_gradio_6_have_a_list_of_parts() -> None:
    """A bare text fails there, without a reason."""
    assert chatbot_value(SAID, "parts") == [
        {"role": "user", "content": [{"type": "file", **file_part(FILE)}]},
        {"role": "user", "content": [{"type": "file", **file_part(OTHER)}]},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
        {"role": "user", "content": [{"type": "file", **file_part(FILE)}]},
        {"role": "assistant", "content": [{"type": "text", "text": ""}]},
    ]


@pytest.mark.proves("obligation:gradio-space:2")
def test_messages_of_older_apps_are_pairs() -> None:
    """A file stands alone; the answer stands beside the text it answers."""
    assert chatbot_value(SAID, "tuples") == [
        [file_part(FILE), None],
        [file_part(OTHER), None],
        ["What is it?", "A cat."],
        [file_part(FILE), None],
        [None, ""],
    ]


def test_answers_that_follow_each_other_are_pairs_of_their_own() -> None:
    """None of them is lost, nor is one that nobody asked for."""
    said = [
        ChatbotMessage("assistant", "hello"),
        ChatbotMessage("user", "a"),
        *[ChatbotMessage("assistant", x) for x in "bc"],
    ]
    assert chatbot_value(said, "tuples") == [[None, "hello"], ["a", "b"], [None, "c"]]


@pytest.mark.parametrize("shape", ["tuples", "strings", "parts"])
def test_no_messages_are_an_empty_chatbot(shape: Any) -> None:
    """Never null."""
    assert chatbot_value([], shape) == []


TEXT = Snapshot("hi", "")


@pytest.mark.parametrize(
    "value",
    [
        "hi",
        ["hi"],
        {"role": "assistant", "content": "hi"},
        [{"role": "assistant", "content": "hi"}],
        {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
        [{"type": "text", "text": "hi"}],
        {"text": "hi"},
        {"text": "hi", "files": []},
        {"component": "markdown", "value": "hi", "props": {}},
        {"role": "assistant", "content": ["hi", None, ""]},
    ],
)
def test_text_is_found_in_any_shape(value: Any) -> None:
    """An interface's function gives text, a message, or several."""
    assert read_output(value) == TEXT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", "b"], "a\n\nb"),
        ([{"content": "a"}, {"content": [{"type": "text", "text": "b"}]}], "a\n\nb"),
        (7, "7"),
        (True, "true"),
        ({"answer": "é"}, '{"answer": "é"}'),
        (None, ""),
        ([], ""),
        ("", ""),
    ],
)
def test_what_is_no_message_is_shown_as_it_is(value: Any, text: str) -> None:
    """Nothing of an answer is dropped."""
    assert read_output(value) == Snapshot(text, "")


@pytest.mark.parametrize(
    "value",
    [
        FILE,
        [FILE],
        {"content": FILE},
        {"content": [FILE]},
        {"content": file_part(FILE)},
        {"content": [{"type": "file", **file_part(FILE)}]},
        {"content": {"component": "image", "value": FILE}},
        {"text": "", "files": [FILE]},
    ],
)
def test_file_is_found_in_any_shape(value: Any) -> None:
    """It is no part of the text."""
    assert read_output(value) == Snapshot("", "", (FILE,))


def test_file_that_is_elsewhere_has_an_address_and_no_path() -> None:
    """It is told by its `meta`; an object with an address alone is none."""
    there: Any = {"url": "https://x/y.png", "meta": {"_type": "gradio.FileData"}}
    assert read_output(there).files == (there,)
    assert read_output({"url": "https://x"}).files == ()


def test_message_with_a_title_is_a_thought() -> None:
    """A title that is empty is none."""
    value: Any = [
        {"content": "hm", "metadata": {"title": "Thinking"}},
        {"content": "aha", "metadata": {"title": "Thinking more"}},
        {"content": "a", "metadata": {"title": None}},
        {"content": "b", "metadata": {"title": ""}},
        {"content": "c", "metadata": None},
    ]
    assert read_output(value) == Snapshot("a\n\nb\n\nc", "hm\n\naha")


@pytest.mark.parametrize(
    ("value", "before", "now"),
    [
        ("x", "y", "x"),
        (None, "y", None),
        ({"text": "x"}, "y", {"text": "x"}),
        ({"__type__": "update"}, "y", "y"),
        ({"__type__": "update", "visible": False}, None, None),
        ({"__type__": "update", "value": None}, "y", None),
        ({"__type__": "update", "value": "x"}, "y", "x"),
    ],
)
def test_update_changes_what_it_names(value: Any, before: Any, now: Any) -> None:
    """A component may be hidden, say, and keep its value."""
    assert applied(value, before) == now


def nested(depth: int, *, as_dict: bool) -> Any:
    """A value in a value, so many times."""
    value: Any = "a"
    for _ in range(depth):
        value = {"k": value} if as_dict else [value]
    return value


@pytest.mark.proves("fault:57:PH")
def test_answer_has_so_many_parts_and_no_more() -> None:
    """Wherever they stand; what is nested counts, too, and is no deep recursion."""
    texts: Any = ["a"] * MAX_PARTS
    assert read_output(texts).text == "\n\n".join(texts)
    too_many: list[Any] = [
        [*texts, "a"],
        [{"content": texts}],
        [{"content": {"text": "a", "files": [FILE] * MAX_PARTS}}],
        [{"content": {"k": texts}}],
        nested(5_000, as_dict=False),
        nested(5_000, as_dict=True),
        [{"component": "html", "value": nested(5_000, as_dict=False)}],
    ]
    for value in too_many:
        with pytest.raises(TooLargeError, match=f"more than {MAX_PARTS} parts"):
            read_output(value)


@pytest.mark.proves("fault:57:PH")
def test_chatbot_has_so_many_messages_and_no_more() -> None:
    """A long chatbot_value is no part of the answer."""
    sent: list[Any] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    sent *= MAX_MESSAGES // 2 - 1
    find = ChatbotReader(sent, has_prompt=False)
    new: list[Any] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]
    assert find([*sent, *new]).text == "b"
    with pytest.raises(TooLargeError, match=f"more than {MAX_MESSAGES} messages"):
        find([*sent, *new, *new])
