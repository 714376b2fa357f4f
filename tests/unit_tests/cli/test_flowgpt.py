"""The command and FlowGPT, on its sandbox."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from langchain_g4f import ChatFlowGpt, testing
from langchain_g4f.cli import demo
from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo import steps
from langchain_g4f.cli.providers import DEFAULT
from langchain_g4f.testing import FlowGptSandbox, Reply
from tests.unit_tests.cli.terminal import Terminal

TOKEN = "a-token-of-somebody"


@pytest.fixture
def server() -> Iterator[FlowGptSandbox]:
    """A server that echoes."""
    with FlowGptSandbox() as sandbox:
        yield sandbox


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, arguments)


def chat(server: FlowGptSandbox, *arguments: str) -> Result:
    """Run `chat` with FlowGPT on `server`."""
    return run("chat", "--provider", "flowgpt", "--base-url", server.base_url, *arguments)


@pytest.mark.proves("promise:command-options", "promise:command-one-shot")
def test_sandbox_of_flowgpt_answers_and_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reached directly and anonymously, whatever the environment holds."""
    served: list[FlowGptSandbox] = []

    class Watched(FlowGptSandbox):
        def start(self) -> None:
            served.append(self)
            super().start()

    monkeypatch.setattr(testing, "FlowGptSandbox", Watched)
    monkeypatch.setenv("FLOWGPT_TOKEN", TOKEN)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    result = run("chat", "--provider", "flowgpt", "--sandbox", "hello")
    assert (result.stdout, result.stderr) == ("Echo (gpt-3.5-turbo, turn 1): hello\n", "")
    ((request,),) = (sandbox.requests for sandbox in served)
    assert request.headers["authorization"] == "Bearer null"


@pytest.mark.proves("promise:command-options")
def test_chat_with_flowgpt_takes_a_model_and_a_system_prompt(server: FlowGptSandbox) -> None:
    """A name of ours is translated into the service's."""
    result = chat(server, "--model", "gemini", "--system", "Be brief.", "hello")
    assert result.stdout == "Echo (google-gemini, turn 1): hello\n"
    (request,) = server.requests
    assert (request.json["system"], request.status) == ("Be brief.", 200)


@pytest.mark.proves("promise:command-interactive")
def test_conversation_with_flowgpt_sends_what_was_said(server: FlowGptSandbox) -> None:
    """The service keeps nothing, so each question goes with the history."""
    options = ["--provider", "flowgpt", "--base-url", server.base_url]
    with Terminal("chat", *options) as terminal:
        terminal.expect("> ")
        terminal.enter("I am Ada\n")
        terminal.expect("turn 1): I am Ada")
        terminal.expect("> ")
        terminal.enter("who am I?\n")
        terminal.expect("turn 2): who am I?")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    greeting, *said = server.requests[-1].json["history"]
    assert greeting["role"] == "assistant"
    assert [message["role"] for message in said] == ["user", "assistant"]


@pytest.mark.proves("promise:command-one-shot")
@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("[[error:429]] hello", "answered with 429"),
        ("[[error:403]] hello", "this machine's clock is wrong"),
        ("[[error-mid:500]] hello", "FlowGPT reported an error"),
        ("[[empty]]", "ended the answer without a word"),
    ],
)
def test_chat_failure_of_flowgpt_is_one_line(
    server: FlowGptSandbox, question: str, said: str
) -> None:
    """What went wrong is one line, and the exit code is 1."""
    result = chat(server, "--timeout", "2", question)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("langchain-g4f: ")


@pytest.mark.proves("promise:login-required")
def test_anonymous_caller_who_is_turned_away_learns_of_the_token() -> None:
    """Where a member's token comes from, and where it goes, is told step by step."""
    with FlowGptSandbox(login_required=True) as closed:
        result = chat(closed, "hello")
    assert result.exit_code == 1
    assert "anonymous use may be closed" in result.stderr
    assert "Log in with a browser: https://flowgpt.com" in result.stderr
    assert "FLOWGPT_TOKEN=... langchain-g4f chat --provider flowgpt" in result.stderr


@pytest.mark.proves("promise:command-models")
def test_models_of_flowgpt_are_the_known_ones_and_it_says_so() -> None:
    """There is no list to ask for, so nobody is asked, and nothing is passed off as one."""
    result = run("models", "--provider", "flowgpt")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == list(ChatFlowGpt.models)
    assert result.stderr == (
        "[https://flowgpt.com has no model list; these are the models we know of]\n"
    )


@pytest.mark.proves("promise:command-models")
def test_chat_with_an_unknown_model_warns_in_a_line(server: FlowGptSandbox) -> None:
    """The warning of the library is for people here, without the place in our code."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = chat(server, "--model", "gpt-9", "hello")
    warning, error = result.stderr.splitlines()
    assert warning == "[FlowGPT: 'gpt-9' is not a known model]"
    assert error.endswith("answered with 400: unknown model gpt-9")


@pytest.mark.proves("obligation:flowgpt:10")
def test_command_talks_to_flowgpt_only_where_it_is_named() -> None:
    """It was last seen to answer in 2024: nobody gets there by default, and the demo says it."""
    assert DEFAULT != "flowgpt"
    assert "FlowGPT, which was last seen to answer in 2024" in demo.what_next("langchain-g4f")


@pytest.mark.proves("promise:demo")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AHEAD_S", 0.0, "the demo expected a request that is too old"),
        ("SIGNED", ("x-nowhere",), "the demo expected a request that is signed"),
        ("SIGNATURE_ANSWER", Reply(error=(500, "out of order")), "out of order"),
    ],
)
def test_demo_whose_signed_request_goes_wrong_fails(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, said: str
) -> None:
    """What is not as expected is named in one line, and the exit code is 1."""
    monkeypatch.setattr(steps, name, value)
    monkeypatch.setattr(demo, "STEPS", (("Signed", steps.show_signature),))
    result = run("demo")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "All as expected" not in result.stdout
