"""A conversation at a terminal: whole runs at a real one, and single questions without a server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.cli import chat
from langchain_g4f.cli.conversation import Conversation
from langchain_g4f.cli.screen import Screen
from langchain_g4f.errors import AuthenticationError, G4FError, ServerError
from langchain_g4f.testing import Sandbox
from tests.unit.cli.command import CTRL_C, FakeTerminal, Terminal, run, shown

pytestmark = pytest.mark.proves("promise:command-interactive")


# -- whole runs ------------------------------------------------------------------


@pytest.mark.proves("promise:cancel-stops")
def test_conversation_at_a_terminal(server: Sandbox) -> None:
    """Ctrl-C stops an answer, and twice at the prompt ends the command; a failure is one line."""
    with Terminal("chat") as terminal:
        terminal.expect("> ")
        terminal.enter("my name is Ada\n")
        terminal.expect("turn 1): my name is Ada")
        terminal.expect("> ")
        terminal.enter("[[error:402]] a failing one\n")
        terminal.expect("langchain-g4f: ")
        terminal.expect("> ")
        terminal.enter("[[long:5000]] [[pace:10]]\n")
        terminal.expect("w3 w4")
        terminal.enter(CTRL_C)
        terminal.expect("[stopped]")
        terminal.expect("> ")
        terminal.enter("what is my name?\n")
        terminal.expect("what is my name?")
        terminal.expect("> ")
        terminal.enter(CTRL_C)
        terminal.expect("Ctrl-C once more to leave")
        terminal.expect("> ")
        terminal.enter(CTRL_C)
        assert terminal.exit_code() == 130
    assert any(request.path.endswith("/stop-generating") for request in server.requests)
    assert "w4000" not in terminal.seen
    assert "Traceback" not in terminal.seen
    asked = str(server.prompts[-1])
    assert "my name is Ada" in asked
    assert "a failing one" not in asked


@pytest.mark.proves("promise:command-one-shot", "promise:interrupted-answers")
def test_ctrl_c_ends_one_question_and_keeps_what_came(server: Sandbox, tmp_path: Path) -> None:
    """The exit code is 130, the server is told to stop, and the conversation can be continued."""
    path = tmp_path / "talk.json"
    with Terminal("chat", "--save", path, "[[long:5000]] [[pace:10]]") as terminal:
        terminal.expect("w3 w4")
        terminal.enter(CTRL_C)
        assert terminal.exit_code() == 130
    assert "Traceback" not in terminal.seen
    assert server.requests[-1].path.endswith("/stop-generating")
    assert "turn 2): and then?" in run("chat", "--save", path, "and then?").stdout
    assert len(server.conversations) == 1
    assert len(json.loads(path.read_text())["messages"]) == 4


@pytest.mark.proves("promise:command-reasoning")
def test_terminal_shows_reasoning_dimmed(server: Sandbox) -> None:
    """It stands before the answer, which is not dimmed."""
    before, answer = shown("chat", "[[think]] hello").split("Echo", 1)
    assert "\x1b[2mFirst" in before
    assert "\x1b[2m" not in answer
    assert answer.rstrip().endswith("turn 1): hello")


# -- without a server ------------------------------------------------------------


class FakeModel:
    """Repeats the last question; a question in `failures` fails."""

    def __init__(self, failures: dict[str, BaseException]) -> None:
        self.failures = failures
        self.asked: list[list[BaseMessage]] = []

    async def astream(self, messages: list[BaseMessage]) -> AsyncIterator[AIMessageChunk]:
        self.asked.append(messages)
        question = messages[-1].text
        yield AIMessageChunk(content="You said: ")
        if question in self.failures:
            raise self.failures[question]
        yield AIMessageChunk(content=question, chunk_position="last")


Converse = Callable[..., tuple[list[list[BaseMessage]], str]]


@pytest.fixture
def converse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Converse:
    """Hold a conversation; return the calls of the model, and what a terminal shows."""

    def hold(
        *typed: str | BaseException,
        failures: dict[str, BaseException] | None = None,
        conversation: Conversation | None = None,
    ) -> tuple[list[list[BaseMessage]], str]:
        lines: Iterator[str | BaseException] = iter([*typed, EOFError()])

        def read(prompt: str = "") -> str:
            line = next(lines)
            if isinstance(line, BaseException):
                raise line
            return line

        monkeypatch.setattr("builtins.input", read)
        model = FakeModel(failures or {})
        with redirect_stdout(FakeTerminal()) as terminal:
            chat.converse(cast("ChatHuggingChat", model), Screen(), conversation or Conversation())
        return model.asked, terminal.getvalue() + capsys.readouterr().err

    return hold


def texts(messages: list[BaseMessage]) -> list[str]:
    """The texts of the messages."""
    return [message.text for message in messages]


def test_commands_are_not_sent(converse: Converse) -> None:
    """A known one is obeyed, an unknown one refused; two slashes send a question with one."""
    unknown = ["/sytsem be kind", "/etc/passwd is what?", "/Exit"]
    sent = ["//etc is what?", "/ and // ?"]
    asked, seen = converse("/help", "", *unknown, *sent, "/quit", "never asked")
    assert "/exit, /quit, Ctrl-D: end the conversation" in seen
    for word in ("/sytsem", "/etc/passwd", "/Exit"):
        assert f"[{word} is not a command, and was not sent; see /help, or ask /{word}]" in seen
    assert [messages[-1].text for messages in asked] == ["/etc is what?", "/ and // ?"]


def test_interrupted_answer_stays_and_a_failed_question_goes(converse: Converse) -> None:
    """The next question is sent with what was answered, and nothing else."""
    failures: dict[str, BaseException] = {"one": KeyboardInterrupt(), "two": ServerError("broken")}
    asked, seen = converse("one", "two", "three", KeyboardInterrupt(), "/exit", failures=failures)
    assert texts(asked[-1]) == ["one", "You said: ", "three"]
    assert "[stopped]" in seen
    assert "langchain-g4f: broken\n" in seen
    assert "Ctrl-C once more to leave" in seen


def test_error_that_every_question_would_meet_ends_the_conversation(converse: Converse) -> None:
    """A login that is missing, for example."""
    error = AuthenticationError("log in first")
    with pytest.raises(G4FError, match="log in first"):
        converse("one", "two", failures={"one": error})


def test_files_go_with_questions_until_one_is_answered(converse: Converse) -> None:
    """A failed question does not lose them; later ones find them in the history."""
    file: dict[str, Any] = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    failures: dict[str, BaseException] = {"one": ServerError("broken")}
    conversation = Conversation(files=[file])
    asked, _ = converse("one", "two", "three", failures=failures, conversation=conversation)
    with_file = [
        [message.text for message in messages if isinstance(message.content, list)]
        for messages in asked
    ]
    assert all(file in messages[0].content for messages in asked)
    assert with_file == [["one"], ["two"], ["two"]]


def test_continued_conversation_says_how_long_it_is(converse: Converse) -> None:
    """Its questions are sent along."""
    earlier = Conversation([HumanMessage("one"), AIMessage("yes")])
    asked, seen = converse("two", conversation=earlier)
    assert "Continuing after 1 answered question." in seen
    assert texts(asked[0]) == ["one", "yes", "two"]


def test_prompt_away_from_a_terminal_is_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output gets the answers alone."""
    monkeypatch.setattr("builtins.input", iter(["hello", "/exit"]).__next__)
    model = cast("ChatHuggingChat", FakeModel({}))
    chat.converse(model, Screen(), Conversation())
    assert capsys.readouterr() == ("You said: hello\n", "> > ")
