"""An answer that grows is read without looking at all of it, and nobody can tell."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_g4f.codecs.gradio_diff import apply_diff
from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Headers, ResponseHead
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import ChatbotReader, read_output
from langchain_g4f.providers.gradio_space.stream import QueueDecoder

HEAD = ResponseHead(200, Headers([("content-type", "text/event-stream")]))
USER: dict[str, Any] = {"role": "user", "content": "?"}
PATHS: dict[str, list[list[Any]]] = {
    "parts": [[1, "content", 0, "text"], [1, "content", 1, "text"], [2, "content", 0, "text"]],
    "strings": [[1, "content"], [2, "content"], [3, "content"]],
    "interface": [[]],
}

_texts = st.sampled_from(["", "a", "b", "ab", "\n\n", "\n\na", "aa\n\n"])


def assistant(content: Any, title: str | None = None) -> dict[str, Any]:
    """A message; one with a title is a thought."""
    return {"role": "assistant", "content": content, "metadata": {"title": title}}


@st.composite
def _answers(draw: st.DrawFn) -> tuple[str, Any, list[list[Any]]]:
    """A kind of app, what it shows first, and the edits that follow, one list an event."""
    kind = draw(st.sampled_from(sorted(PATHS)))
    one, two, three, title = (draw(_texts) for _ in range(4))
    shown: Any = one
    if kind == "parts":
        parts = [{"type": "text", "text": text} for text in (one, two)]
        shown = [USER, assistant(parts), assistant([{"type": "text", "text": three}], title)]
    elif kind == "strings":
        shown = [USER, assistant(one, title), assistant(two), assistant(three)]
    edit = st.tuples(
        st.sampled_from(["append"] * 5 + ["replace"]), st.sampled_from(PATHS[kind]), _texts
    ).map(list)
    # the same place over and over, as apps do, and now and then something else
    edits = st.lists(edit, max_size=2) | edit.map(lambda each: [each])
    runs = st.tuples(edits, st.integers(1, 4)).map(lambda run: [run[0]] * run[1])
    events = st.lists(runs, max_size=5).map(lambda found: [each for run in found for each in run])
    return kind, shown, draw(events)


def reader(kind: str) -> AnswerDiffer:
    """Read what an app of this kind shows."""
    if kind == "interface":
        return AnswerDiffer(read_output, 0, "files/")
    return AnswerDiffer(ChatbotReader([USER], has_prompt=True), 0, "files/", [USER])


def event(data: list[Any]) -> bytes:
    """An event as it is sent."""
    message = {"msg": "process_generating", "event_id": "e", "output": {"data": data}}
    return b"data: " + json.dumps(message).encode() + b"\n\n"


def thought_and_answer(
    thought: str, said: str, *appended: tuple[int, str]
) -> tuple[str, Any, list[list[Any]]]:
    """A thought before the answer, and what is appended to which message."""
    shown = [USER, assistant(thought, "Thinking"), assistant(said)]
    return "strings", shown, [[["append", [at, "content"], text]] for at, text in appended]


@pytest.mark.proves("obligation:gradio-space:14")
@example(answer=thought_and_answer("a", "ab", (1, "b"), (1, "c")), nothing=[])
@example(answer=thought_and_answer("", "a", (1, "a"), (1, "b")), nothing=[])
@example(answer=thought_and_answer("a", "b", (2, "c"), (2, "d"), (1, "e")), nothing=[[]])
@given(answer=_answers(), nothing=st.sampled_from([[], [[]], [[], []]]))
def test_growth_read_from_edits_is_that_of_the_snapshots(
    answer: tuple[str, Any, list[list[Any]]], nothing: list[Any]
) -> None:
    """Event by event, a reader that is told what was appended gives what one that looks gives."""
    kind, shown, events = answer
    decoder = QueueDecoder(HEAD, "e", reader(kind), 1 << 20)
    looking = reader(kind)
    found: list[list[Event]] = [list(decoder.feed(event([shown, *nothing])))]
    expected = [list(looking.update([shown]))]
    for edits in events:
        found.append(list(decoder.feed(event([edits, *nothing]))))
        shown = apply_diff(deepcopy(shown), deepcopy(edits))
        expected.append(list(looking.update([shown])))
    assert found == expected
