"""`langchain-g4f chat` away from a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from langchain_g4f.cli.app import app
from langchain_g4f.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

THOUGHTS = "First I look at the question. Then I answer it."


@pytest.fixture
def chat(g4f_sandbox: Sandbox) -> Callable[..., Result]:
    """Run `chat` against the sandbox."""

    def run(*arguments: str, piped: str | None = None) -> Result:
        command = ["chat", "--base-url", g4f_sandbox.base_url, *arguments]
        return CliRunner().invoke(app, command, input=piped)

    return run


@pytest.mark.proves("promise:command-one-shot")
def test_chat_with_question_prints_the_answer(chat: Callable[..., Result]) -> None:
    """The answer is all that standard output gets, and the exit code is 0."""
    result = chat("hello there")
    assert result.exit_code == 0
    assert result.stdout == "Echo (sandbox/text-small, turn 1): hello there\n"
    assert result.stderr == ""


@pytest.mark.proves("promise:command-one-shot")
def test_chat_question_is_read_from_a_pipe(chat: Callable[..., Result]) -> None:
    """Without an argument, standard input is the question."""
    result = chat(piped="two\nlines\n")
    assert result.exit_code == 0
    assert result.stdout == "Echo (sandbox/text-small, turn 1): two\nlines\n"


@pytest.mark.proves("promise:command-one-shot")
def test_chat_without_any_question_says_so(chat: Callable[..., Result]) -> None:
    """An empty pipe is no question."""
    result = chat(piped="\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("langchain-g4f: no question")


@pytest.mark.proves("promise:command-options")
def test_chat_with_sandbox_needs_no_server() -> None:
    """`--sandbox` brings the server along."""
    result = CliRunner().invoke(app, ["chat", "--sandbox", "hi"])
    assert result.exit_code == 0
    assert result.stdout == "Echo (sandbox/text-small, turn 1): hi\n"


@pytest.mark.proves("promise:command-options")
def test_chat_with_sandbox_ignores_credentials_and_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is reached directly, and without what the environment has for HuggingChat."""
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "not a cookie")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    result = CliRunner().invoke(app, ["chat", "--sandbox", "hi"])
    assert result.stdout == "Echo (sandbox/text-small, turn 1): hi\n"


@pytest.mark.proves("promise:command-options")
def test_chat_model_and_system_reach_the_server(
    chat: Callable[..., Result], g4f_sandbox: Sandbox
) -> None:
    """`--model` answers, and `--system` is its system prompt."""
    result = chat("--model", "sandbox/reasoner", "--system", "Be kind.", "hello")
    assert result.stdout == "Echo (sandbox/reasoner, turn 1): hello\n"
    system, user = g4f_sandbox.prompts[-1]
    assert system["role"] == "system"
    assert "Be kind." in system["content"]
    assert user == {"role": "user", "content": "hello"}


@pytest.mark.proves("promise:command-options")
def test_chat_timeout_ends_a_silent_answer(chat: Callable[..., Result]) -> None:
    """`--timeout` is in seconds; what came until then is shown, then one line says why it ended."""
    result = chat("--timeout", "0.5", "[[hang:3]] [[long:9]]")
    assert result.exit_code == 1
    assert result.stdout == "w1 w2 w3\n"
    assert result.stderr.startswith("langchain-g4f: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.proves("promise:command-reasoning")
@pytest.mark.parametrize("options", [[], ["--no-reasoning"]])
def test_chat_away_from_a_terminal_leaves_reasoning_out(
    chat: Callable[..., Result], options: list[str]
) -> None:
    """Reasoning is not shown where nobody asked for it."""
    result = chat(*options, "[[think]] hello")
    assert result.stdout == "Echo (sandbox/text-small, turn 1): hello\n"
    assert result.stderr == ""


@pytest.mark.proves("promise:command-reasoning")
def test_chat_with_reasoning_puts_it_on_standard_error(chat: Callable[..., Result]) -> None:
    """`--reasoning` shows it apart from the answer, which a pipe still gets alone."""
    result = chat("--reasoning", "[[think]] hello")
    assert result.stdout == "Echo (sandbox/text-small, turn 1): hello\n"
    assert result.stderr.strip() == THOUGHTS


@pytest.mark.proves("promise:command-reasoning")
def test_chat_with_nothing_but_reasoning_says_so(chat: Callable[..., Result]) -> None:
    """An answer without text is not passed over in silence."""
    result = chat("[[think-only]]")
    assert result.stdout == ""
    assert "no answer" in result.stderr


@pytest.mark.proves("promise:command-one-shot")
def test_chat_broken_answer_keeps_what_came() -> None:
    """When the connection breaks for good, the part that came stands, and the exit code is 1."""
    with Sandbox(generation="legacy") as sandbox:  # it cannot be taken up again there
        command = ["chat", "--base-url", sandbox.base_url, "[[drop:3]] [[long:9]]"]
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert result.stdout.startswith("w1 w2 w3")
    assert result.stdout.endswith("\n")
    assert result.stderr.startswith("langchain-g4f: ")


@pytest.mark.proves("promise:closest-models")
def test_chat_unknown_model_names_the_closest(chat: Callable[..., Result]) -> None:
    """A misspelt model is answered with those that exist."""
    result = chat("--model", "sandbox/reasner", "hello")
    assert result.exit_code == 1
    assert "sandbox/reasoner" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.proves("promise:login-required")
def test_chat_without_login_says_how_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login address and the way to pass the cookies are shown; with cookies it works."""
    with Sandbox(login_required=True) as sandbox:
        command = ["chat", "--base-url", sandbox.base_url, "hello"]
        refused = CliRunner().invoke(app, command)
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=expired")
        expired = CliRunner().invoke(app, command)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={sandbox.login()['hf-chat']}")
        answered = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    assert f"{sandbox.base_url}/login" in refused.stderr
    assert "HUGGINGCHAT_COOKIES='hf-chat=...; token=...'" in refused.stderr
    assert f"HUGGINGCHAT_BASE_URL={sandbox.base_url}" in refused.stderr
    assert "refused" not in refused.stderr
    assert expired.exit_code == 1
    assert "refused the login of the environment" in expired.stderr
    assert "expired" not in expired.stderr
    assert answered.stdout == "Echo (sandbox/text-small, turn 1): hello\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--base-url", "huggingface.co/chat"], "http://"),
        (["--base-url", "http://127.0.0.1:1/chat"], "connect"),
        (["--base-url", "http://127.0.0.1:1/chat", "--sandbox"], "two servers"),
    ],
)
@pytest.mark.proves("promise:command-options")
def test_chat_impossible_server_is_one_line(options: list[str], said: str) -> None:
    """An address that cannot work gives a message that ends with a reason, and exit code 1."""
    result = CliRunner().invoke(app, ["chat", *options, "hello"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr.splitlines()[-1]
