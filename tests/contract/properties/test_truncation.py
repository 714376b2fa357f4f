"""Property 4: an answer that was cut off never passes for a complete one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.core.events import Finish
from langchain_g4f.text.think import without_reasoning
from tests.contract.properties.answers import EVENTS, LINES, Answer, cuts, decode, good_answers

GOOD = good_answers()
CUT_OFF = st.sampled_from(GOOD).flatmap(
    lambda answer: st.tuples(st.just(answer), st.integers(0, len(answer.told) - 1))
)


def _has_final_answer(prefix: bytes, kind: str) -> bool:
    """Whether a whole `finalAnswer` is in there; read without the code under test."""
    lines = prefix.decode(errors="replace").split("\n")
    if kind == EVENTS:  # an event counts once a blank line ends it
        blocks = "\n".join(lines).split("\n\n")[:-1]
        lines = [line[6:] for block in blocks for line in block.split("\n") if line[:6] == "data: "]
    return any(_type(line) == "finalAnswer" for line in lines)


def _type(line: str) -> object:
    try:
        return json.loads(line.strip(" \0"))["type"]
    except (ValueError, KeyError):
        return None


@pytest.mark.proves("property:4", "fault:15:HC", "obligation:huggingchat:10")
@given(case=CUT_OFF, data=st.data())
def test_answer_cut_off_anywhere_finishes_only_with_its_final_answer(
    case: tuple[Answer, int], data: st.DataObject
) -> None:
    """Neither as stopped nor otherwise; and what was said until then is what was said."""
    answer, length = case
    prefix = answer.told[:length]
    part = decode(answer.decoder(), data.draw(cuts(prefix)))
    whole = decode(answer.decoder(), [answer.told])
    assert part.finished == bool(part.finishes) == _has_final_answer(prefix, answer.kind)
    open_end = decode(answer.decoder(), [prefix], close=False)
    assert open_end.events == whole.events[: len(open_end.events)]
    assert whole.text.startswith(open_end.text)


@pytest.mark.proves("property:4")
@pytest.mark.parametrize("answer", GOOD, ids=lambda answer: answer.name)
def test_good_answer_cut_off_at_its_line_ends_finishes_only_with_its_final_answer(
    answer: Answer,
) -> None:
    """The places where a cut looks most like an end."""
    ends = [at for at, byte in enumerate(answer.told) if byte in b"\n}"]
    for end in ends:
        for length in (end, end + 1):
            prefix = answer.told[:length]
            finishes = decode(answer.decoder(), [prefix]).finishes
            assert ("stop" in finishes) == _has_final_answer(prefix, answer.kind)


@pytest.mark.proves("property:4", "obligation:huggingchat:11")
@given(
    tokens=st.lists(st.text("a <think>/\n", min_size=1, max_size=12), min_size=1, max_size=6),
    data=st.data(),
)
def test_made_up_answer_cut_off_anywhere_never_finishes(
    tokens: list[str], data: st.DataObject
) -> None:
    """Whatever is said, reasoning and half tags included; and whole it is the final answer."""
    said = "".join(tokens)
    updates = [
        *({"type": "stream", "token": token.ljust(16, "\0")} for token in tokens),
        {"type": "finalAnswer", "text": said.strip(), "interrupted": False},
    ]
    body = b"".join(json.dumps(update).encode() + b"\n" for update in updates)
    answer = Answer("made up", LINES, body)
    length = data.draw(st.integers(0, len(body) - 2))  # without its LF it is complete
    part = decode(answer.decoder(), data.draw(cuts(body[:length])))
    assert not part.finished
    assert not part.finishes
    whole = decode(answer.decoder(), data.draw(cuts(body)))
    assert whole.events[-1] == Finish("stop")
    assert whole.text.strip() == without_reasoning(said).strip()
