"""Text that streams although its end changes (docs/protocols/gradio-space.md, section 4)."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest

from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.providers.gradio_space.answer import AnswerDiffer
from langchain_g4f.providers.gradio_space.content import read_output
from tests.unit.providers.gradio_space.replies import final_of, kinds_of, text_of
from tests.unit.timing import assert_grows

WORDS = [
    "Here ",
    "is ",
    "some ",
    "code:\n",
    "```py\n",
    "print(1)\n",
    "```\n",
    "Well, ",
    "that ",
    "is it.",
]
TEXTS = list(accumulate(WORDS))
CURSORS = ["▌", "|", "█", "...", "…", "_", " ▌", "●", "*Generating…*", "\n\n⏳ writing", "<b>_</b>"]
NOTES = ["Thinking...", "Thinking", "⏳", "*Generating…*", "...", "Please wait", "▌", "<i>dots</i>"]


def read(snapshots: list[str], final: str | None) -> list[Event]:
    """The events of an answer; None if the app cancels it."""
    reading = AnswerDiffer(read_output, 0, "")
    found = [event for text in snapshots for event in reading.update([text])]
    return [*found, *reading.complete(None if final is None else [final])]


def behind(snapshots: list[str]) -> int:
    """The largest number of characters of a plain answer that the caller has to wait for."""
    reading, said, found = AnswerDiffer(read_output, 0, ""), 0, []
    for text, snapshot in zip(TEXTS, snapshots, strict=True):
        said += len(text_of(list(reading.update([snapshot]))))
        found.append(len(text) - said)
    return max(found[1:])


@pytest.mark.parametrize("note", ["", *NOTES])
@pytest.mark.parametrize("cursor", ["", *CURSORS])
def test_text_streams_beside_cursors_and_after_notes(note: str, cursor: str) -> None:
    """Nothing of either is emitted, and nothing is held back but the end of a snapshot."""
    notes = [note] * (note != "")
    snapshots = [text + cursor for text in TEXTS]
    found = read(["", *notes, *notes, *snapshots], TEXTS[-1])
    assert text_of(found) == TEXTS[-1]
    assert (kinds_of(found), final_of(found)) == ([], [])
    assert len(found) >= len(TEXTS) - 1
    assert behind(snapshots) <= len(cursor)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("period", [1, 3])
@pytest.mark.parametrize("cursor", CURSORS[:8])
def test_text_streams_beside_a_cursor_that_blinks(cursor: str, period: int, first: int) -> None:
    """It is there or not, by turns."""
    shown = [at // period % 2 == first for at in range(len(TEXTS))]
    snapshots = [text + cursor * on for text, on in zip(TEXTS, shown, strict=True)]
    found = read(snapshots, TEXTS[-1])
    assert text_of(found) == TEXTS[-1]
    assert (kinds_of(found), final_of(found)) == ([], [])
    assert len(found) >= len(TEXTS) - 2


@pytest.mark.parametrize("cursor", ["", "▌"])
def test_text_streams_before_the_end_of_a_block(cursor: str) -> None:
    """The app closes the block of code until the model does."""
    snapshots = [text + cursor + "\n```" * (text.count("```") % 2) for text in TEXTS]
    found = read(snapshots, TEXTS[-1])
    assert text_of(found) == TEXTS[-1]
    assert (kinds_of(found), final_of(found)) == ([], [])
    assert len(found) >= 5


def test_note_that_counts_is_not_emitted() -> None:
    """Dots that become more, and seconds."""
    for notes in (
        ["Thinking", "Thinking.", "Thinking..", "Thinking...", "Thinking."],
        [f"⏳ Thinking ({seconds}s)" for seconds in range(8, 12)],
        ["⠋ Loading", "⠙ Loading", "⠹ Loading"],
    ):
        found = read([*notes, *TEXTS], TEXTS[-1])
        assert text_of(found) == TEXTS[-1]
        assert (kinds_of(found), len(found)) == ([], len(TEXTS) + 1)


@pytest.mark.parametrize("first", ["", "H", "Hello", "I'm ", "42", "你", " The"])
def test_plain_answer_waits_for_nothing(first: str) -> None:
    """Its first word is emitted at once, and so is every other one."""
    snapshots = [first, f"{first} one", f"{first} one, two", f"{first} one, two."]
    pieces = [first, " one", ", two", "."]
    reading = AnswerDiffer(read_output, 0, "")
    for snapshot, piece in zip(snapshots, pieces, strict=True):
        assert list(reading.update([snapshot])) == ([Text(piece)] if piece else [])


def test_long_first_snapshot_does_not_wait() -> None:
    """Except for its end, which may be a cursor; HTML may be an animation."""
    text = "word " * 50
    reading = AnswerDiffer(read_output, 0, "")
    assert len(text_of(list(reading.update([f"{text}▌"])))) > 200
    reading = AnswerDiffer(read_output, 0, "")
    assert list(reading.update([f"<div>{text}</div>"])) == []


def test_held_text_is_emitted_at_the_end() -> None:
    """Also if there is no regular end; a cursor is not."""
    assert read(["Hello you"], "Hello you") == [Text("Hello you"), Finish()]
    assert read(["Hello you"], None) == [Text("Hello you"), Finish("interrupted")]
    assert text_of(read(["Hello▌", "Hello you▌"], None)) == "Hello you"
    assert text_of(read(["Hello you*...*", "Hello you all*...*"], None)) == "Hello you all"
    assert read(["Thinking..."], "Thinking...") == [Text("Thinking..."), Finish()]


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_whatever_an_app_shows(seed: int) -> None:
    """What was emitted is the final text, or the final text is given separately."""
    rng = random.Random(seed)
    text, snapshots = "", []
    for _ in range(60):
        text += rng.choice(["a", " ", "b c", "\n", ".", "▌", "<think>", "</think>"])
        if rng.random() < 0.1:
            text = text[: rng.randrange(len(text))]
        snapshots.append(text + rng.choice(["", "", "▌", "...", "\n```"]))
    found = read(snapshots, text)
    whole = read([], text)
    assert (final_of(found) or [text_of(found)]) == [text_of(whole)]


def test_time_for_each_edit_is_linear_in_the_text() -> None:
    """An answer that is edited as a whole, 20 times a second for a minute, with a cursor."""

    def answer(size: int) -> None:
        text = "word " * (size // 5)
        reading = AnswerDiffer(read_output, 0, "")
        for at in range(1, 1201):
            list(reading.update([text[: at * size // 1200] + "▌"]))
        list(reading.complete([text]))
        assert len(reading.text) == size

    answer(6_000)
    assert_grows(answer, 60_000, 480_000, less_than=12, least_s=0.02)
