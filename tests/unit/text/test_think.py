"""Reasoning, split out of streamed text."""

from __future__ import annotations

from collections import deque
from itertools import chain, combinations

import pytest

from langchain_g4f.core.events import Reasoning, Text
from langchain_g4f.text.think import ThinkSplitter, without_reasoning, without_think_elements
from tests.unit.timing import assert_grows

CASES = [
    ("plain", "", "plain"),
    ("", "", ""),
    ("<think>why</think>answer", "why", "answer"),
    ("<think>\n why \n</think>\n\nanswer\n", "why \n", "answer\n"),
    ("<think></think>answer", "", "answer"),
    ("<think> </think> answer", "", "answer"),
    ("<think>never closed", "never closed", ""),
    ("<think>never closed</thin", "never closed</thin", ""),
    ("<think>", "", ""),
    ("answer <think>afterthought</think> more", "", "answer <think>afterthought</think> more"),
    ("<think>a</think>b<think>c</think>d", "a", "b<think>c</think>d"),
    ("<think>a</think>\n<think>b</think> c", "ab", "c"),
    (" \n<think>a</think> b", "a", " \nb"),
    ("<th<think>a</think>", "", "<th<think>a</think>"),
    ("<think>a <think> b</think>c", "a <think> b", "c"),
    ("no</think>tag", "", "no</think>tag"),
    ("a < b <thin> <thinker> </ think>", "", "a < b <thin> <thinker> </ think>"),
    ("ends like a tag <thi", "", "ends like a tag <thi"),
    ("<<think>a<</think>b", "", "<<think>a<</think>b"),
    ("<think>a<</think>b", "a<", "b"),
    (" leading blank", "", " leading blank"),
    ("<THINK>no tag</THINK>", "", "<THINK>no tag</THINK>"),
]


def split(*pieces: str) -> tuple[str, str]:
    """Reasoning and text of the pieces."""
    splitter = ThinkSplitter()
    found = [event for piece in pieces for event in splitter.feed(piece)]
    found += splitter.close()
    assert all(event.text for event in found)
    reasoning = "".join(event.text for event in found if isinstance(event, Reasoning))
    return reasoning, "".join(event.text for event in found if isinstance(event, Text))


@pytest.mark.proves("obligation:huggingchat:12")
@pytest.mark.parametrize(("text", "reasoning", "answer"), CASES)
def test_text_cut_anywhere_is_split_in_the_same_way(text: str, reasoning: str, answer: str) -> None:
    """Tags do not align with the pieces they come in."""
    assert split(text) == (reasoning, answer)
    assert split(*text) == (reasoning, answer)
    for first, second in combinations(range(len(text) + 1), 2):
        assert split(text[:first], text[first:second], text[second:]) == (reasoning, answer)


TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[T]", "[/T]"))


@pytest.mark.parametrize(
    ("text", "reasoning", "answer", "anywhere"),
    [
        ("<think>a</think><thinking>b</think></thinking> [T]c[/T]d", "ab</think>c", "d", False),
        ("<thinker>a", "", "<thinker>a", False),
        ("a [T]b[/T]", "", "a [T]b[/T]", False),
        ("a [T]b[/T]  c<think>d</think>[T]e", "bde", "a c", True),
        ("a [ <th [T", "", "a [ <th [T", True),
    ],
)
def test_other_tags_are_split_in_the_same_way(
    text: str, reasoning: str, answer: str, *, anywhere: bool
) -> None:
    """Wherever the text is cut; anywhere in it, if that is wanted."""
    for size in range(1, len(text) + 1):
        splitter = ThinkSplitter(TAGS, anywhere=anywhere)
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        found = [*chain.from_iterable(map(splitter.feed, pieces)), *splitter.close()]
        assert "".join(e.text for e in found if isinstance(e, Reasoning)) == reasoning
        assert "".join(e.text for e in found if isinstance(e, Text)) == answer


@pytest.mark.parametrize("anywhere", [False, True])
def test_time_for_many_elements_is_linear(anywhere: bool) -> None:
    """They are looked for once."""

    def read(count: int) -> None:
        splitter = ThinkSplitter(TAGS, anywhere=anywhere)
        deque(splitter.feed("<think>a</think> " * count), 0)

    assert_grows(read, 2_000, 16_000, less_than=12, least_s=0.02)


def test_text_flows_without_delay() -> None:
    """Only what may be the beginning of the expected tag waits."""
    splitter = ThinkSplitter()
    assert list(splitter.feed(" <th")) == [Text(" ")]
    assert list(splitter.feed("ink>five <think")) == [Reasoning("five <think")]
    assert list(splitter.feed("six </")) == [Reasoning("six ")]
    assert list(splitter.feed("think> <thi")) == []
    assert list(splitter.feed("s one <th")) == [Text("<this one <th")]
    assert list(splitter.close()) == []


@pytest.mark.proves("obligation:huggingchat:12")
def test_each_round_may_begin_with_reasoning() -> None:
    """After tools of the service, the model thinks again; in the text of a round it does not."""
    splitter = ThinkSplitter()
    rounds = ["<think>a</think>b<think>", "<think>c</think>d", "<think>e", "<think>f</think>"]
    events = [event for said in rounds for event in [*splitter.feed(said), *splitter.begin_round()]]
    assert events == [
        *[Reasoning("a"), Text("b<think>")],
        *[Reasoning("c"), Text("d")],
        *[Reasoning("e"), Reasoning("f")],
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a <think>b</think> c <think>d", "a c "),
        ("<think>a</think>", ""),
        ("a</think>", "a</think>"),
    ],
)
def test_elements_are_left_out_wherever_they_stand(text: str, left: str) -> None:
    """Where it is not known how a text came about."""
    assert without_think_elements(text) == left


@pytest.mark.parametrize(("text", "reasoning", "answer"), CASES)
def test_without_reasoning_is_the_answer(text: str, reasoning: str, answer: str) -> None:
    """The same for a whole text."""
    assert without_reasoning(text) == answer
