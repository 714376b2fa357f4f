"""Text from a service cannot steer a terminal, whichever command shows it."""

from __future__ import annotations

import errno
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from langchain_g4f.cli.terminal import is_of_output, one_line, printable
from langchain_g4f.testing import Sandbox
from tests.unit.cli.command import answer_at, header, login_file, shown

STEERING = (
    "\x1b]0;title\x07 \x1b]52;c;Y29weQ==\x07 \x1b]8;;https://link.example\x07 \x1b[2J \x9b2J \x7f"
    " \u202egnp.exe\u202c \u2067x\u2069 \u200f\u061c shown"
)
OBEYED = ("\x1b]", "\x1b[2J", "\x07", "\x9b", "\x7f", *"\u202e\u202c\u2067\u2069\u200f\u061c")
_REORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

EVERY_PROVIDER = [
    pytest.param("huggingchat", marks=pytest.mark.proves("fault:62:HC")),
    pytest.param("phi4", marks=pytest.mark.proves("fault:62:PH")),
    pytest.param("flowgpt", marks=pytest.mark.proves("fault:62:FG")),
]


def harmless(*arguments: str) -> str:
    """What a terminal gets from a command that shows `STEERING`: it obeys none of it."""
    seen = shown(*arguments)
    assert "gnp.exe" in seen
    assert [each for each in OBEYED if each in seen] == []
    return seen


@pytest.mark.parametrize("provider", EVERY_PROVIDER)
def test_answers_and_errors_steer_no_terminal(services: dict[str, Any], provider: str) -> None:
    """Each server repeats the question; then it quotes the text in a refusal."""
    seen = harmless("chat", "--provider", provider, STEERING)
    assert "\ufffd]52;c;Y29weQ==\ufffd" in seen
    answer_at(services[provider], "", JSONResponse({"detail": STEERING, "error": STEERING}, 400))
    harmless("chat", "--provider", provider, "hello")
    harmless("doctor", "--provider", provider)


@pytest.mark.proves("fault:62:HC")
def test_name_of_a_user_steers_no_terminal(members: Sandbox, tmp_path: Path) -> None:
    """The name cannot add a line that looks like ours, either."""
    forged = f"ada {STEERING}\nSaved in /nowhere"
    answer_at(members, "/api/v2/user", JSONResponse({"json": {"username": forged}}))
    path = tmp_path / "cookies"
    path.write_text(header(members.login("ada")))
    for arguments in (["login", "--cookies", str(path)], ["whoami"], ["doctor"]):
        assert "\nSaved in /nowhere" not in harmless(*arguments)
    assert login_file(members.base_url).path.exists()


@pytest.mark.proves("fault:62:HC")
def test_name_of_a_model_steers_no_terminal(services: dict[str, Any]) -> None:
    """Each name is one line of the list."""
    models = {"json": [{"id": f"one\n{STEERING}"}, {"id": "two"}]}
    answer_at(services["huggingchat"], "/models", JSONResponse(models))
    assert len(harmless("models").splitlines()) == 2
    harmless("doctor", "--provider", "huggingchat")


def test_printable_replaces_all_that_controls_and_reorders() -> None:
    """Every control character but tab and line feed, and every change of the text direction."""
    everything = list(map(chr, range(sys.maxunicode + 1)))
    controls = {each for each in everything if unicodedata.category(each) in {"Cc", "Cs"}}
    reordering = {each for each in everything if unicodedata.bidirectional(each) in _REORDERING}
    marks = {"\u061c", "\u200e", "\u200f"}
    replaced = {each for each in everything if printable(each) == "\ufffd"} - {"\ufffd"}
    assert replaced >= (controls - set("\t\n\r")) | reordering | marks
    assert {unicodedata.category(each) for each in replaced} == {"Cc", "Cf", "Cs"}
    assert printable("one\r\ntwo\rthree") == "one\ntwothree"


def test_printable_keeps_text() -> None:
    """Letters of all scripts and their joiners, tabs and line ends stay."""
    text = "ä\t漢\n🙂\u200d🏴\U000e0067\U000e007f שלום نیم\u200cفاصله e\u0301\xad\u2028"
    assert printable(text) == text
    assert one_line(" a\n\n b\t\x1b c\u2028d ") == "a b \ufffd c d"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (BrokenPipeError(errno.EPIPE, "left"), True),
        (OSError(errno.ENOSPC, "full", "a file"), False),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), False),
    ],
)
def test_failure_of_the_output_is_told_from_others(error: OSError, expected: bool) -> None:
    """A full disk under a file of the user is another matter."""
    assert is_of_output(error) is expected
