"""The command at a real terminal."""

from __future__ import annotations

import pytest

from langchain_g4f.testing import Sandbox
from tests.unit.cli.terminal import CTRL_C, CTRL_D, Terminal

DIM = "\x1b[2m"


@pytest.mark.proves("promise:command-interactive")
def test_conversation_second_question_knows_the_first(g4f_sandbox: Sandbox) -> None:
    """Each question is asked with what was said before it, and /exit ends well."""
    with Terminal("chat", "--base-url", g4f_sandbox.base_url) as terminal:
        terminal.expect("> ")
        terminal.enter("my name is Ada\n")
        terminal.expect("turn 1): my name is Ada")
        terminal.expect("> ")
        terminal.enter("what is my name?\n")
        terminal.expect("what is my name?")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    asked = str(g4f_sandbox.prompts[-1])
    assert "my name is Ada" in asked
    assert "what is my name?" in asked


@pytest.mark.proves("promise:command-interactive")
def test_conversation_commands_are_not_sent(g4f_sandbox: Sandbox) -> None:
    """One that exists is obeyed, one that does not is refused, and a slash can be sent."""
    with Terminal("chat", "--base-url", g4f_sandbox.base_url) as terminal:
        terminal.expect("> ")
        terminal.enter("/help\n")
        assert "/exit, /quit, Ctrl-D: end the conversation" in terminal.expect("> ")
        for question in ("/sytsem be kind", "/etc/passwd is what?", "/Exit"):
            terminal.enter(f"{question}\n")
            word = question.split()[0]
            refused = f"{word} is no command, and was not sent; /help shows them, /{word} asks"
            assert refused in terminal.expect("\n> ")
        for question, asked in (("//etc is what?", "/etc is what?"), ("/ and // ?", "/ and // ?")):
            terminal.enter(f"{question}\n")
            terminal.expect(f"): {asked}")
            terminal.expect("> ")
        terminal.enter("/quit\n")
        assert terminal.exit_code() == 0
    said = [m["content"] for m in g4f_sandbox.prompts[-1] if m["role"] == "user"]
    assert said == ["/etc is what?", "/ and // ?"]


@pytest.mark.proves("promise:command-interactive", "promise:cancel-stops")
def test_conversation_ctrl_c_stops_the_answer_only(g4f_sandbox: Sandbox) -> None:
    """Ctrl-C stops the answer on the server and gives the prompt back; Ctrl-D leaves."""
    with Terminal("chat", "--base-url", g4f_sandbox.base_url) as terminal:
        terminal.expect("> ")
        terminal.enter("[[long:5000]] [[pace:10]]\n")
        terminal.expect("w3 w4")
        terminal.enter(CTRL_C)
        terminal.expect("[stopped]")
        terminal.expect("> ")
        terminal.enter(CTRL_D)
        assert terminal.exit_code() == 0
    assert [r.path for r in g4f_sandbox.requests][-1].endswith("/stop-generating")
    assert "w4000" not in terminal.seen


@pytest.mark.proves("promise:command-interactive")
def test_conversation_two_ctrl_c_at_the_prompt_leave() -> None:
    """The first Ctrl-C at the prompt says how to leave, the second leaves with code 130."""
    with Terminal("chat", "--sandbox") as terminal:
        terminal.expect("> ")
        terminal.enter(CTRL_C)
        terminal.expect("Ctrl-C once more to leave")
        terminal.expect("> ")
        terminal.enter(CTRL_C)
        assert terminal.exit_code() == 130
    assert "Traceback" not in terminal.seen


@pytest.mark.proves("promise:command-interactive")
def test_conversation_failed_question_is_reported_and_forgotten(g4f_sandbox: Sandbox) -> None:
    """A failure is one line, the conversation goes on, and the failed question is not repeated."""
    with Terminal("chat", "--base-url", g4f_sandbox.base_url) as terminal:
        terminal.expect("> ")
        terminal.enter("[[error:402]] a failing one\n")
        terminal.expect("langchain-g4f: ")
        terminal.expect("> ")
        terminal.enter("hello again\n")
        terminal.expect("turn 1): hello again")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    assert "Traceback" not in terminal.seen


@pytest.mark.proves("promise:command-interactive", "promise:login-required")
def test_conversation_without_login_ends() -> None:
    """Where no question can be answered before a login, the conversation ends and says so."""
    with (
        Sandbox(login_required=True) as sandbox,
        Terminal("chat", "--base-url", sandbox.base_url) as terminal,
    ):
        terminal.expect("> ")
        terminal.enter("hello\n")
        terminal.expect(f"{sandbox.base_url}/login")
        assert terminal.exit_code() == 1


@pytest.mark.proves("promise:command-reasoning")
def test_terminal_shows_reasoning_dimmed(g4f_sandbox: Sandbox) -> None:
    """At a terminal, reasoning stands dimmed before the answer, which is not dimmed."""
    with Terminal("chat", "--base-url", g4f_sandbox.base_url, "[[think]] hello") as terminal:
        assert terminal.exit_code() == 0
    before, answer = terminal.seen.split("Echo", 1)
    assert f"{DIM}First" in before
    assert DIM not in answer
    assert answer.rstrip().endswith("turn 1): hello")


@pytest.mark.proves("promise:command-one-shot")
def test_terminal_ctrl_c_ends_one_question_with_130(g4f_sandbox: Sandbox) -> None:
    """Ctrl-C during a single question stops it on the server and exits with code 130."""
    question = "[[long:5000]] [[pace:10]]"
    with Terminal("chat", "--base-url", g4f_sandbox.base_url, question) as terminal:
        terminal.expect("w3 w4")
        terminal.enter(CTRL_C)
        assert terminal.exit_code() == 130
    assert "Traceback" not in terminal.seen
    assert [r.path for r in g4f_sandbox.requests][-1].endswith("/stop-generating")


@pytest.mark.proves("promise:demo")
def test_terminal_demo_shows_a_progress_bar() -> None:
    """At a terminal, the demo shows its twenty streams as a bar with a rate."""
    with Terminal("demo") as terminal:
        assert terminal.exit_code() == 0, terminal.seen
    assert "tokens/s" in terminal.seen
    assert "20/20 done" in terminal.seen
