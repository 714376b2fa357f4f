"""What a service says steers no terminal, whichever command shows it."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from langchain_g4f.cli.terminal import one_line, printable
from langchain_g4f.testing import Sandbox
from tests.unit_tests.cli.accounts import closed, file_of, header, home
from tests.unit_tests.cli.doctor import answer_at
from tests.unit_tests.cli.terminal import Terminal

__all__ = ["closed", "home"]

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


def shown(*arguments: str) -> str:
    """What a terminal is given by the command; it must have been told of `STEERING`."""
    with Terminal(*arguments) as terminal:
        terminal.exit_code()
    assert "gnp.exe" in terminal.seen
    return terminal.seen


def assert_harmless(text: str) -> None:
    """A terminal obeys nothing of `STEERING` in this, and shows it in its order."""
    assert [each for each in OBEYED if each in text] == []


@pytest.mark.parametrize("provider", EVERY_PROVIDER)
def test_answer_steers_no_terminal(services: dict[str, Any], provider: str) -> None:
    """Each of the servers repeats the question."""
    seen = shown("chat", "--provider", provider, STEERING)
    assert_harmless(seen)
    assert "\ufffd]52;c;Y29weQ==\ufffd" in seen


@pytest.mark.parametrize("provider", EVERY_PROVIDER)
@pytest.mark.parametrize("command", ["chat", "doctor"])
def test_error_steers_no_terminal(services: dict[str, Any], provider: str, command: str) -> None:
    """The text of a refusal is quoted, in the error and in the table."""
    answer_at(services[provider], "", JSONResponse({"detail": STEERING, "error": STEERING}, 400))
    question = ["hello"] if command == "chat" else []
    assert_harmless(shown(command, "--provider", provider, *question))


@pytest.mark.proves("fault:62:HC")
def test_name_of_a_user_steers_no_terminal(closed: Sandbox, tmp_path: Path) -> None:
    """Nor does it forge a line of ours."""
    forged = f"ada {STEERING}\nSaved in /nowhere"
    answer_at(closed, "/api/v2/user", JSONResponse({"json": {"username": forged}}))
    path = tmp_path / "cookies"
    path.write_text(header(closed.login("ada")))
    for arguments in (["login", "--cookies", str(path)], ["whoami"], ["doctor"]):
        seen = shown(*arguments)
        assert_harmless(seen)
        assert "\nSaved in /nowhere" not in seen
    assert file_of(closed.base_url).path.exists()


@pytest.mark.proves("fault:62:HC")
def test_name_of_a_model_steers_no_terminal(services: dict[str, Any]) -> None:
    """A name is one line of the list, whatever is in it."""
    models = {"json": [{"id": f"one\n{STEERING}"}, {"id": "two"}]}
    answer_at(services["huggingchat"], "/models", JSONResponse(models))
    seen = shown("models")
    assert_harmless(seen)
    assert len(seen.splitlines()) == 2
    assert_harmless(shown("doctor", "--provider", "huggingchat"))


def test_printable_replaces_all_that_controls_and_reorders() -> None:
    """Every control character but tab and line feed, and whatever changes the direction."""
    everything = list(map(chr, range(sys.maxunicode + 1)))
    controls = {each for each in everything if unicodedata.category(each) in {"Cc", "Cs"}}
    reordering = {each for each in everything if unicodedata.bidirectional(each) in _REORDERING}
    marks = {"\u061c", "\u200e", "\u200f"}
    replaced = {each for each in everything if printable(each) == "\ufffd"} - {"\ufffd"}
    assert replaced >= (controls - set("\t\n\r")) | reordering | marks
    assert {unicodedata.category(each) for each in replaced} == {"Cc", "Cf", "Cs"}
    assert printable("one\r\ntwo\rthree") == "one\ntwothree"


def test_printable_keeps_text() -> None:
    """Letters of all scripts and what joins them, tabs and line ends are no control characters."""
    text = "ä\t漢\n🙂\u200d🏴\U000e0067\U000e007f שלום نیم\u200cفاصله e\u0301\xad\u2028"
    assert printable(text) == text
    assert one_line(" a\n\n b\t\x1b c\u2028d ") == "a b \ufffd c d"
