"""How an answer is shown, without a server."""

from __future__ import annotations

import asyncio
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest
from langchain_core.messages import AIMessageChunk

from langchain_g4f import ChatGradioSpace
from langchain_g4f.cli.screen import Screen
from langchain_g4f.core.events import Progress
from tests.unit.cli.command import FakeTerminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def _said(text: str) -> AIMessageChunk:
    return AIMessageChunk(content=text)


def _thought(text: str) -> AIMessageChunk:
    return AIMessageChunk(content="", additional_kwargs={"reasoning_content": text})


def _last(**metadata: object) -> AIMessageChunk:
    return AIMessageChunk(content="", response_metadata=metadata, chunk_position="last")


def _show(*chunks: AIMessageChunk, reasoning: bool | None = None) -> Screen:
    """Show an answer and return the screen."""

    async def stream() -> AsyncIterator[AIMessageChunk]:
        for chunk in chunks:
            yield chunk

    screen = Screen(reasoning=reasoning)
    asyncio.run(screen.follow(stream()))
    return screen


def _shown_at_terminal(*chunks: AIMessageChunk) -> str:
    with redirect_stdout(FakeTerminal()) as terminal:
        _show(*chunks)
    return terminal.getvalue()


@pytest.mark.proves("promise:command-one-shot")
def test_screen_pipe_gets_the_answer_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    """Away from a terminal every character of the answer arrives as it was sent."""
    pieces = ["\n a\tb", "\x1b[31m", "\r\n\n", "  [bold]:smile:", "é😀\u2028", "\n"]
    screen = _show(*map(_said, pieces), _last(title="A title"))
    assert capsys.readouterr().out == "".join(pieces)

    assert screen.message is not None
    assert screen.message.text == "".join(pieces)
    assert screen.message.response_metadata == {"title": "A title"}


@pytest.mark.proves("promise:command-one-shot")
def test_screen_terminal_does_not_obey_the_service() -> None:
    """Control characters are replaced; tabs, lines and markup stay as they are."""
    shown = _shown_at_terminal(_said("a\tb \x1b]0;title\x07"), _said("\r\n[bold]:smile:"), _last())
    assert "a\tb \ufffd]0;title\ufffd\n[bold]:smile:\n" in shown
    assert "\x1b]" not in shown


@pytest.mark.proves("fault:62:HC", "fault:62:PH", "fault:62:FG")
def test_screen_terminal_obeys_no_sequence_that_comes_in_pieces() -> None:
    """Each character is replaced by itself, so the ends of the chunks do not matter."""
    shown = _shown_at_terminal(*map(_said, "a\x1b]0;title\x07\r\n\u202eb\ud800"), _last())
    assert shown.endswith("a\ufffd]0;title\ufffd\n\ufffdb\ufffd\n")
    shown = _shown_at_terminal(_thought("\x1b]0;title\x07"), _said("a"), _last())
    assert "\ufffd]0;title\ufffd" in shown
    assert "\x1b]" not in shown


def test_screen_reasoning_at_a_terminal_beside_a_piped_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The answer in a file stays as it came; the reasoning on the terminal is made safe."""
    aside = FakeTerminal()
    screen = Screen(reasoning=True, aside=aside)
    for chunk in (_thought("\x1b]0;title\x07"), _said("\x1b[1ma"), _last()):
        screen.show(chunk)
    screen.end()
    assert aside.getvalue() == "\ufffd]0;title\ufffd\n\n"
    assert capsys.readouterr().out == "\x1b[1ma\n"


@pytest.mark.proves("promise:command-reasoning")
def test_screen_terminal_drops_empty_lines_around_reasoning() -> None:
    """One empty line stands between reasoning and answer, however many the model sends."""
    chunks = [_thought("\n\nhm"), _thought("\n"), _said("\n\n"), _said("yes"), _last()]
    shown = _shown_at_terminal(*chunks)
    assert shown.endswith("\x1b[2mhm\x1b[0m\n\nyes\n")


@pytest.mark.parametrize(
    ("metadata", "note"),
    [
        ({"finish_reason": "interrupted"}, "[the answer was stopped]"),
        ({"finish_reason": "length"}, "[the answer was cut at the service's limit]"),
        ({"restarted": True}, "[the service started over"),
    ],
)
def test_screen_irregular_end_is_noted(
    capsys: pytest.CaptureFixture[str], metadata: dict[str, object], note: str
) -> None:
    """An answer that is cut or replaced is noted on standard error, on its own line."""
    _show(_said("half an"), _last(**metadata))
    out, err = capsys.readouterr()
    assert out == "half an\n"
    assert err.startswith(note)


@pytest.mark.proves("promise:progress-callback")
def test_screen_retry_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason for a wait goes to standard error; other progress is not shown."""
    screen = Screen()
    screen.progress(Progress("retry", "no answer"))
    screen.progress(Progress("title", "A title"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "[trying again: no answer]\n"


NOTICE = Progress("log", "scaled down", {"level": "warning", "title": "Picture"})
PROGRESS = [
    (Progress("queued", "place 2 of 3", {"rank": 1, "queue_size": 3}), "place 2 of 3", True),
    (Progress("queued", "place 1 of 1", {"rank": 0, "queue_size": 1}), "place 1 of 1", False),
    (Progress("upload", "0 of 9 bytes", {"sent": 0, "total": 9}), "0 of 9 bytes", False),
    (Progress("upload", "9 of 9 bytes", {"sent": 9, "total": 9}), "9 of 9 bytes", True),
    (Progress("waking", "a/b is sleeping", {"stage": "SLEEPING"}), "a/b is sleeping", True),
    (
        Progress("progress", "Reading", {"index": 1, "length": 4, "unit": "pages"}),
        "Reading 1 of 4 pages",
        False,
    ),
    (Progress("progress", "Reading", {"index": None, "length": None}), "Reading", False),
    (Progress("identity_unavailable", "no GPU token"), "no GPU token", True),
    (NOTICE, "Picture: scaled down", True),
    (Progress("log", "scaled down", {"title": ""}), "scaled down", True),
]


@pytest.mark.proves("promise:progress-callback")
@pytest.mark.parametrize(("progress", "said", "lasts"), PROGRESS)
def test_screen_progress_away_from_a_terminal_is_a_line_where_it_lasts(
    capsys: pytest.CaptureFixture[str], progress: Progress, said: str, lasts: bool
) -> None:
    """A log gets a line for an event, unless the next event says more."""
    Screen().progress(progress)
    assert capsys.readouterr() == ("", f"[{said}]\n" if lasts else "")


@pytest.mark.proves("promise:progress-callback")
@pytest.mark.parametrize(("progress", "said", "lasts"), PROGRESS)
def test_screen_progress_at_a_terminal_is_shown_while_one_waits(
    capsys: pytest.CaptureFixture[str], progress: Progress, said: str, lasts: bool
) -> None:
    """Momentary progress stands beside the spinner, other progress on a line; both are safe."""
    with redirect_stdout(FakeTerminal()) as terminal:
        screen = Screen()
        screen.begin()
        screen.progress(Progress(progress.kind, f"\x1b]0;{progress.message}", progress.data))
        assert screen._waiting is not None  # the spinner turns on
        screen.end()
    shown = terminal.getvalue() + capsys.readouterr().err
    assert said.removesuffix(" 1 of 4 pages").rpartition(": ")[2] in shown
    assert "\x1b]" not in shown


@pytest.mark.proves("promise:progress-callback", "promise:command-one-shot")
def test_screen_progress_in_the_middle_leaves_the_answer_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A notice between two pieces is shown, and a pipe gets no additional line end."""
    screen = Screen()
    screen.show(_said("one "))
    screen.progress(NOTICE)
    screen.show(_said("two"))
    screen.end()
    out, err = capsys.readouterr()
    assert out == "one two\n"
    assert err == "[Picture: scaled down]\n"

    with redirect_stdout(FakeTerminal()) as terminal:
        screen = Screen()
        screen.show(_said("one "))
        screen.progress(NOTICE)
    assert terminal.getvalue() == "one \n"


@pytest.mark.proves("promise:silent-restart")
@pytest.mark.parametrize(
    ("said", "shown", "note"),
    [
        (["half"], "half\nThe whole.\n", "this is the final text"),
        (["half", "The whole."], "halfThe whole.\n", "only the last attempt is the answer"),
    ],
)
def test_screen_final_text_is_shown_once_and_is_the_answer(
    capsys: pytest.CaptureFixture[str], said: list[str], shown: str, note: str
) -> None:
    """The final text is shown unless it was already, and is the text of the message."""
    screen = _show(*map(_said, said), _last(restarted=True, final_text="The whole."))
    out, err = capsys.readouterr()
    assert out == shown
    assert note in err
    assert screen.message is not None
    assert screen.message.text == "The whole."


@pytest.mark.proves("promise:everything-yielded")
def test_screen_file_of_an_answer_is_named_with_its_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file is a line on standard error, and an answer without text is an answer."""
    block = {
        "type": "image",
        "url": "http://127.0.0.1/file=a.png",
        "extras": {"filename": "a.png"},
        "index": "lc_block_1",
    }
    file = AIMessageChunk(
        content="",
        additional_kwargs={"files": [block]},
        response_metadata={"model_provider": ChatGradioSpace.provider},
    )
    screen = _show(file, _last())
    assert capsys.readouterr() == ("", "[image: a.png, http://127.0.0.1/file=a.png]\n")
    assert screen.message is not None
