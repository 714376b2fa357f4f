"""The fast path: an answer that only grows is read without its snapshots."""

from __future__ import annotations

import copy
import json
import random
import tracemalloc
from collections import deque
from itertools import pairwise
from typing import Any

import pytest

from langchain_g4f.core.events import Event, FinalText, Finish, Text
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.errors import TooLargeError
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder
from tests.unit.providers.gradio_space.apps import assistant, user
from tests.unit.providers.gradio_space.replies import completed, events, generating, text_of
from tests.unit.timing import assert_grows

HEAD = ResponseHead(200, Headers([("content-type", "text/event-stream")]))
SENT: Any = [user("a"), assistant("earlier"), user("hello")]


def reader() -> AnswerDiffer:
    """Read what follows the question in the first output."""
    return AnswerDiffer(ChatbotReader(SENT, has_prompt=True), 0, "https://app.example/file=", SENT)


def decode(reading: AnswerDiffer, *messages: Any) -> list[Event]:
    """The events of a stream."""
    decoder = QueueDecoder(HEAD, "e", reading, 1 << 20)
    return list(decoder.feed(events(*messages).body))


def append(text: str, *path: Any) -> list[Any]:
    """The edit that lets a text grow."""
    return ["append", list(path), text]


def test_text_that_grows_is_emitted_piece_by_piece() -> None:
    """In a chatbot, and as the output itself."""
    edits = [append(word, 3, "content") for word in (" two", " three")]
    steps = [generating([edit], []) for edit in edits]
    end = completed([*SENT, assistant("one two three")], None)
    found = decode(reader(), generating([*SENT, assistant("one")], None), *steps, end)
    assert found == [*map(Text, ("one", " two", " three")), Finish()]
    steps = [generating([append(word)]) for word in (" two", " three")]
    found = decode(AnswerDiffer(read_output, 0, ""), generating("one"), *steps)
    assert found == [*map(Text, ("one", " two", " three"))]


GROW = [append(" two", 3, "content")]
ELSEWHERE: list[Any] = [
    ([append("!", 1, "content")], []),
    ([append("!", 2, "content")], []),
    ([], [append("!")]),
    ([append("", 3, "content")], []),
    ([], []),
]


@pytest.mark.parametrize(
    ("shown", "edits", "text"),
    [
        # growth of an earlier message, of another output, or none at all
        *(
            ([assistant("one")], [(GROW, []), edits, (GROW, [])], "one two two")
            for edits in ELSEWHERE
        ),
        # growth in two places at once, in one output or in two
        (
            [assistant("one"), assistant("eins")],
            [([*GROW, append(" zwei", 4, "content")], [append("!")])],
            "",
        ),
        ([assistant("one")], [(GROW, [append("!")])], "one two"),
        # a thought grows beside the answer
        (
            [assistant("hm", "T"), assistant("one")],
            [([append(" two", 4, "content")], []), ([append(" aha", 3, "content")], []),
             ([append(" three", 4, "content")], []), ([append(" three", 4, "content")], [])],
            "one two three three",
        ),
    ],
)  # fmt: skip
def test_other_growth_is_no_text_of_the_answer(shown: Any, edits: list[Any], text: str) -> None:
    """Only growth at the end of the answer is emitted directly."""
    steps = [generating(*each) for each in edits]
    assert text_of(decode(reader(), generating([*SENT, *shown], "x"), *steps)) == text


def differences(old: Any, new: Any, path: list[Any]) -> list[Any]:
    """What a server sends for a change, as section 4 has it."""
    if old == new:
        return []
    if isinstance(old, str) and isinstance(new, str) and new.startswith(old):
        return [["append", path, new[len(old) :]]]
    if isinstance(old, dict) and isinstance(new, dict):
        return [e for key in old for e in differences(old[key], new[key], [*path, key])]
    if isinstance(old, list) and isinstance(new, list):
        pairs = enumerate(zip(old, new, strict=False))
        found = [e for at, (a, b) in pairs for e in differences(a, b, [*path, at])]
        found += [["add", [*path, at], new[at]] for at in range(len(old), len(new))]
        return found + [["delete", [*path, at], None] for at in range(len(new), len(old))]
    return [["replace", path, new]]


def change(messages: Any, rng: random.Random) -> Any:
    """Another state of a chatbot; mostly, its last message grows."""
    new = copy.deepcopy(messages)
    what = rng.choice(["grow"] * 8 + ["message", "thought", "retract", "drop", "first", "same"])
    match what:
        case "grow":
            new[-1]["content"] += rng.choice([" a", " b", "\n", ""])
        case "message":
            new.append(assistant(rng.choice(["", "c"])))
        case "thought":
            new.append(assistant("t", "Thinking"))
        case "retract":
            new[-1]["content"] = "again"
        case "drop" if len(new) > len(SENT) + 1:
            new.pop()
        case "first":
            new[0]["content"] += "!"
    return new


@pytest.mark.proves("obligation:gradio-space:14")
@pytest.mark.parametrize("seed", range(60))
def test_differences_tell_the_same_as_snapshots(seed: int) -> None:
    """Whatever an app does to its chatbot."""
    rng = random.Random(seed)
    states = [[*SENT, assistant(rng.choice(["", "x", "some words"]))]]
    for _ in range(30):
        states.append(change(states[-1], rng))
    slow = reader()
    expected = [event for state in states for event in slow.update([json.loads(json.dumps(state))])]
    expected += slow.complete([states[-1]])
    steps = [generating(differences(a, b, [])) for a, b in pairwise(states)]
    fast = reader()
    found = decode(fast, generating(states[0]), *steps, completed(states[-1]))
    assert joined(found) == joined(expected)
    assert (fast.text, fast.visible) == (slow.text, slow.visible)


def joined(found: list[Event]) -> list[Event]:
    """The events, texts that follow each other as one, for an empty piece says nothing."""
    merged: list[Event] = []
    for event in found:
        if isinstance(event, Text) and merged and isinstance(merged[-1], Text):
            merged[-1] = Text(merged[-1].text + event.text)
        else:
            merged.append(event)
    assert sum(isinstance(event, FinalText) for event in merged) <= 1
    return merged


def many_parts(count: int) -> bytes:
    """An answer of so many parts, and 400 small edits of it."""
    texts: Any = ["a"]
    small = [generating([append("x", 3, "content", 0)])] * 400
    return events(generating([*SENT, assistant(texts * count)]), *small).body


def refuse(body: bytes) -> None:
    """Read this until it is refused."""
    decoder = QueueDecoder(HEAD, "e", reader(), 1 << 23)
    pieces = (body[at : at + 4096] for at in range(0, len(body), 4096))
    with pytest.raises(TooLargeError):
        deque((event for piece in pieces for event in decoder.feed(piece)), maxlen=0)


@pytest.mark.proves("fault:57:PH")
def test_time_grows_with_the_bytes_and_not_with_what_they_edit() -> None:
    """An answer of very many parts, and one of eight times as many."""
    bodies = {count: many_parts(count) for count in (75_000, 600_000)}
    assert_grows(lambda count: refuse(bodies[count]), 75_000, 600_000, less_than=12, least_s=0.02)


@pytest.mark.proves("fault:57:PH")
def test_memory_for_very_many_parts_is_a_few_times_their_bytes() -> None:
    """Four times at most."""
    body = many_parts(600_000)
    tracemalloc.start()
    try:
        refuse(body)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()
