"""The scripted model: what `echo` obeys and how answers are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_g4f.testing import Prompt, Reply, echo
from langchain_g4f.testing.script import Split, Splitter, ask, inline_tokens


def prompt(text: str, *, reasons: bool = False) -> Prompt:
    """Return a first turn saying `text`."""
    return Prompt("m", [{"role": "user", "content": text}], reasons=reasons)


def test_echo_repeats_model_turn_and_text_without_directives() -> None:
    """The answer names the model, the turn and the user's text."""
    assert echo(prompt("Hello [[pace:5]] there")).text == "Echo (m, turn 1): Hello  there"


def test_prompt_counts_turns_on_the_branch_and_finds_texts() -> None:
    """System text, last user text and turn come from the messages."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": [{"type": "text", "text": "three"}]},
    ]
    asked = Prompt("m", messages)
    assert (asked.system, asked.text, asked.turn) == ("Be brief.", "three", 2)


def test_echo_mentions_how_many_images_it_got() -> None:
    """Images anywhere on the branch are counted, and their bytes are at hand."""
    image = {"type": "image", "mime_type": "image/png", "data": b"png"}
    parts = [{"type": "text", "text": "Look"}, image]
    asked = Prompt("m", [{"role": "user", "content": parts}])
    assert echo(asked).text == "Echo (m, turn 1): Look [images: 1]"
    assert asked.images == [b"png"]


@pytest.mark.parametrize(
    ("directive", "text"),
    [
        ("[[long:3]]", "w1 w2 w3"),
        ("[[say:just this]]", "just this"),
        ("[[empty]]", ""),
    ],
)
def test_echo_says_what_a_directive_asks_for(directive: str, text: str) -> None:
    """Directives replace the echo."""
    assert echo(prompt(f"x {directive}")).text == text


def test_echo_of_the_messages_is_json_with_images_in_base64() -> None:
    """`[[echo]]` shows exactly what the model received."""
    image = {"type": "image", "mime_type": "image/png", "data": b"png"}
    messages = [{"role": "user", "content": [{"type": "text", "text": "[[echo]]"}, image]}]
    said = json.loads(echo(Prompt("m", messages)).text)
    assert said[0]["content"][1] == {**image, "data": "cG5n"}


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("[[pace:20]]", {"pace_s": 0.02}),
        ("[[error:402]]", {"error": (402, "402 backend says 402"), "error_after": None}),
        ("[[error-mid:503]]", {"error": (503, "503 backend says 503"), "error_after": 3}),
        ("[[drop]]", {"drop_after": 3}),
        ("[[drop:0]]", {"drop_after": 0}),
        ("[[restart:1]]", {"restart_after": 1}),
        ("[[hang]]", {"hang_after": 0}),
        ("[[slow-title]]", {"slow_title": True}),
        ("[[provider:together]]", {"provider": "together"}),
    ],
)
def test_echo_turns_a_directive_into_a_fault(directive: str, expected: dict[str, object]) -> None:
    """Each fault is a field of the reply."""
    reply = echo(prompt(f"x {directive}"))
    assert {name: getattr(reply, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "reasons", "told"),
    [
        ("a [[think]]", False, "<think>First I look at the question. Then I answer it.</think>"),
        ("a", True, "<think>First I look at the question. Then I answer it.</think>"),
        ("a [[think-inline]]", False, "<think>Inline thoughts come first.</think>"),
    ],
)
def test_reasoning_is_text_in_tags_before_the_answer(text: str, reasons: bool, told: str) -> None:
    """Thoughts come first, for models that always think also unasked."""
    reply = echo(prompt(text, reasons=reasons))
    said = "".join(inline_tokens(reply, Splitter()))
    assert said == f"{told}Echo (m, turn 1): a"


def test_unclosed_reasoning_leaves_tag_and_answer_out() -> None:
    """`[[think-only]]` never gets to the answer."""
    said = "".join(inline_tokens(echo(prompt("a [[think-only]]")), Splitter()))
    assert said == "<think>First I look at the question. Then I answer it."


def test_words_are_cut_before_their_leading_space() -> None:
    """Tokens look like the recorded ones: the space belongs to the word behind it."""
    assert Splitter()("one two\nthree  ") == ["one", " two", "\nthree", "  "]


@pytest.mark.proves("promise:sandbox-deterministic")
def test_random_cuts_are_short_complete_and_the_same_every_time() -> None:
    """Random tokens have 1 to 8 characters and depend on seed and text alone."""
    text = "Zażółć gęślą jaźń \N{GRINNING FACE} and some more words"
    cut = Splitter("random", 1)
    assert "".join(cut(text)) == text
    assert {len(token) for token in cut(text)} <= set(range(1, 9))
    assert cut(text) == Splitter("random", 1)(text) != Splitter("random", 2)(text)


@pytest.mark.parametrize("mode", ["words", "random"])
def test_no_text_makes_no_token(mode: Split) -> None:
    """An empty answer is no tokens, not an empty one."""
    assert Splitter(mode)("") == []


def test_scripts_may_return_text_reply_or_tokens() -> None:
    """The three forms of an answer mean the same to the wire."""
    assert ask(lambda _: "hi", prompt("x")) == Reply("hi")
    assert ask(lambda _: Reply("hi"), prompt("x")) == Reply("hi")
    assert list(inline_tokens(ask(lambda _: ["h", "i"], prompt("x")), Splitter())) == ["h", "i"]
