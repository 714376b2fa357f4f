"""Stop strings, and how much has to wait for them."""

from __future__ import annotations

from itertools import combinations

import pytest

from langchain_g4f.text.stop import StopCutter, held_back

CASES = [
    ("plain text", ("END",), "plain text", False),
    ("before END after", ("END",), "before ", True),
    ("END", ("END",), "", True),
    ("ends with EN", ("END",), "ends with EN", False),
    ("EEND", ("END",), "E", True),
    ("one\n\ntwo", ("\n\n", "two"), "one", True),
    ("b then a", ("a", "b"), "", True),
    ("aab", ("ab", "b"), "a", True),
    ("xabcy", ("abcd", "bc"), "xa", True),
    ("xabcy", ("abc", "bc"), "x", True),
    ("abab!", ("aba!", "bab"), "a", True),
    ("", ("END",), "", False),
    ("text", (), "text", False),
]


def cut(pieces: list[str], stop: tuple[str, ...]) -> tuple[str, bool]:
    """What is shown of the pieces, and whether a stop string was found."""
    cutter = StopCutter(stop)
    shown = "".join(cutter.feed(piece) for piece in pieces)
    return shown + cutter.close(), cutter.stopped


@pytest.mark.parametrize(("text", "stop", "shown", "stopped"), CASES)
def test_text_cut_anywhere_stops_at_the_same_place(
    text: str, stop: tuple[str, ...], shown: str, stopped: bool
) -> None:
    """The string that is complete first counts, wherever pieces begin and end."""
    assert cut([text], stop) == (shown, stopped)
    assert cut([*text], stop) == (shown, stopped)
    for first, second in combinations(range(len(text) + 1), 2):
        pieces = [text[:first], text[first:second], text[second:]]
        assert cut(pieces, stop) == (shown, stopped)


def test_nothing_is_shown_after_the_stop() -> None:
    """Whatever else the service sends."""
    cutter = StopCutter(("END",))
    assert cutter.feed("a END b") == "a "
    assert cutter.stopped
    assert cutter.feed("more") == ""
    assert cutter.feed("EN") == ""
    assert cutter.close() == ""


def test_text_flows_without_delay() -> None:
    """Only what may be the beginning of a stop string waits."""
    cutter = StopCutter(("\n\n", "END"))
    assert cutter.feed("one E") == "one "
    assert cutter.feed("very two\n") == "Every two"
    assert cutter.feed("three") == "\nthree"
    assert cutter.feed("EN") == ""
    assert cutter.close() == "EN"
    assert cutter.close() == ""
    assert not cutter.stopped


@pytest.mark.parametrize(
    ("text", "markers", "length"),
    [
        ("abc", (), 0),
        ("abc", ("x",), 0),
        ("abc", ("cd",), 1),
        ("abc", ("abcd",), 3),
        ("abc", ("abc",), 0),
        ("aa", ("aaa",), 2),
        ("abc", ("cx", "bcx"), 2),
        ("", ("x",), 0),
    ],
)
def test_held_back_is_the_longest_beginning_of_a_marker(
    text: str, markers: tuple[str, ...], length: int
) -> None:
    """A whole marker is no beginning of one."""
    assert held_back(text, markers) == length
