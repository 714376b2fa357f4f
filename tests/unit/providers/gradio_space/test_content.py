"""The shape of messages and files (docs/protocols/gradio-space.md, section 7)."""

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
    reasoning_tags,
)
from tests.unit.providers.gradio_space.apps import app, component

FILE: dict[str, Any] = {"path": "/srv/a/pic.png", "meta": {"_type": "gradio.FileData"}}
OTHER: dict[str, Any] = FILE | {"path": "/srv/b/s.wav"}


PICTURE = FILE | {"kind": "image"}
PLOT: dict[str, Any] = {"type": "plotly", "plot": "{}"}


def file_part(file: dict[str, Any]) -> dict[str, Any]:
    """A file as Gradio 5 has it in a message."""
    return {"file": file, "alt_text": None}


SAID = [
    ChatbotMessage("user", "What is it?", (FILE, OTHER)),
    ChatbotMessage("assistant", "A cat."),
    ChatbotMessage("user", "", (FILE,)),
    ChatbotMessage("assistant", ""),
    ChatbotMessage("assistant", "Or two."),
]
STRINGS: list[tuple[str, Any]] = [
    ("user", file_part(FILE)),
    ("user", file_part(OTHER)),
    ("user", "What is it?"),
    ("assistant", "A cat."),
    ("user", file_part(FILE)),
    ("assistant", ""),
    ("assistant", "Or two."),
]


@pytest.mark.proves("obligation:gradio-space:2")
def test_messages_have_the_shape_of_the_version() -> None:
    """Files come first, each as a message; a pair holds a text and its answer."""
    assert chatbot_value(SAID, "strings") == [
        {"role": role, "content": content} for role, content in STRINGS
    ]
    assert chatbot_value(SAID, "parts") == [
        {
            "role": role,
            "content": [
                {"type": "text", "text": content}
                if isinstance(content, str)
                else {"type": "file", **content}
            ],
        }
        for role, content in STRINGS
    ]
    assert chatbot_value([ChatbotMessage("assistant", "hello"), *SAID], "tuples") == [
        [None, "hello"],
        [file_part(FILE), None],
        [file_part(OTHER), None],
        ["What is it?", "A cat."],
        [file_part(FILE), None],
        [None, ""],
        [None, "Or two."],
    ]
    for shape in ("tuples", "strings", "parts"):
        assert chatbot_value([], shape) == []


def thought(text: str, title: str | None) -> Any:
    """A message with a title."""
    return {"content": text, "metadata": {"title": title}}


ELSEWHERE: Any = {"url": "https://x/y.png", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    ("value", "snapshot"),
    [
        *(
            (value, Snapshot("hi", ""))
            for value in (
                "hi",
                ["hi"],
                {"role": "assistant", "content": "hi"},
                [{"role": "assistant", "content": "hi"}],
                {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
                [{"type": "text", "text": "hi"}],
                {"text": "hi", "files": []},
                {"component": "markdown", "value": "hi", "props": {}},
                {"role": "assistant", "content": ["hi", None, ""]},
            )
        ),
        *(
            (value, Snapshot("", "", (FILE,)))
            for value in (
                FILE,
                {"content": [FILE]},
                {"content": file_part(FILE)},
                {"content": [{"type": "file", **file_part(FILE)}]},
                {"content": {"component": "file", "value": [FILE]}},
                {"text": "", "files": [FILE]},
            )
        ),
        *(
            (value, Snapshot("", "", (PICTURE,)))
            for value in (
                {"component": "image", "value": FILE},
                {"image": FILE, "caption": None},
                [{"image": FILE, "caption": None}],
                [{"component": "gallery", "value": [[FILE, None]]}],
            )
        ),
        *(
            (value, Snapshot("", "", (PICTURE | {"about": {"caption": "A cat"}},)))
            for value in (
                {"component": "gallery", "value": [[FILE, "A cat"]]},
                {"component": "gallery", "value": [{"image": FILE, "caption": "A cat"}]},
            )
        ),
        ({"content": file_part(FILE) | {"alt_text": "A cat"}},
         Snapshot("", "", (FILE | {"about": {"alt_text": "A cat"}},))),
        ({"component": "video", "value": {"video": FILE, "subtitles": OTHER}},
         Snapshot("", "", (FILE | {"kind": "video"}, OTHER))),
        ({"image": FILE, "annotations": [{"image": OTHER, "label": "cat"}]},
         Snapshot("", "", (PICTURE, OTHER | {"kind": "image", "about": {"label": "cat"}}))),
        ({"component": "plot", "value": PLOT}, Snapshot("", "", (PLOT,))),
        ({"label": "cat", "confidences": None}, Snapshot("cat", "")),
        ({"label": "cat", "confidences": [{"label": "cat", "confidence": 0.75},
                                          {"label": "dog", "confidence": 0.25}]},
         Snapshot("cat: 0.75\ndog: 0.25", "")),
        ({"label": None, "confidences": []}, Snapshot("", "")),
        ({"label": "a", "confidences": [{"label": "a", "confidence": 10**400}]},
         Snapshot(f"a: {10**400}", "")),
        ({"label": "a", "confidences": ["b"]},
         Snapshot('{"label": "a", "confidences": ["b"]}', "")),
        ({"component": "html", "value": "<b>hi</b>"}, Snapshot("<b>hi</b>", "")),
        ({"text": "hi", "score": 1}, Snapshot('{"text": "hi", "score": 1}', "")),
        (["a", "b"], Snapshot("a\n\nb", "")),
        ([{"content": "a"}, {"content": [{"type": "text", "text": "b"}]}], Snapshot("a\n\nb", "")),
        (True, Snapshot("true", "")),
        ({"answer": "é"}, Snapshot('{"answer": "é"}', "")),
        ({"url": "https://x"}, Snapshot('{"url": "https://x"}', "")),
        (ELSEWHERE, Snapshot("", "", (ELSEWHERE,))),
        (None, Snapshot("", "")),
        ([thought("hm", "T"), thought("aha", "U")], Snapshot("", "hm\n\naha")),
        ([thought("a", None), thought("b", ""), {"content": "c", "metadata": None}],
         Snapshot("a\n\nb\n\nc", "")),
    ],
)  # fmt: skip
def test_answer_is_read_in_any_shape(value: Any, snapshot: Snapshot) -> None:
    """An unknown part is shown as JSON, and a message with a title is a thought."""
    assert read_output(value) == snapshot


def test_tags_of_reasoning_are_those_of_the_chatbots() -> None:
    """Each has an opening and a closing tag; anything else is ignored."""
    given: Any = [["<r>", "</r>"], ["<r>", ""], ["<r>"], "rr", [1, 2], ["[T]", "[/T]"]]
    for tags, read in ((given, [("<r>", "</r>"), ("[T]", "[/T]")]), (None, []), ("<r>", [])):
        described = app([component(1, "chatbot", reasoning_tags=tags)], [])
        assert reasoning_tags(described) == read


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
def test_update_may_change_the_value(value: Any, before: Any, now: Any) -> None:
    """Without a value it changes something else, visibility for example."""
    assert applied(value, before) == now


def nested(depth: int, *, as_dict: bool) -> Any:
    """A value in a value, so many times."""
    value: Any = "a"
    for _ in range(depth):
        value = {"k": value} if as_dict else [value]
    return value


@pytest.mark.proves("fault:57:PH")
def test_number_of_parts_is_limited() -> None:
    """Nested values count, too, and are read without recursion."""
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
def test_number_of_messages_is_limited() -> None:
    """A long chatbot_value is no part of the answer."""
    sent: list[Any] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    sent *= MAX_MESSAGES // 2 - 1
    find = ChatbotReader(sent, has_prompt=False)
    new: list[Any] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]
    assert find([*sent, *new]).text == "b"
    with pytest.raises(TooLargeError, match=f"more than {MAX_MESSAGES} messages"):
        find([*sent, *new, *new])
