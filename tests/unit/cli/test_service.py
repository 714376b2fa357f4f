"""Providers, their sandboxes, and `langchain-g4f models`."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f import ChatGradioSpace, testing
from langchain_g4f.cli.providers import DEFAULT
from langchain_g4f.errors import AuthenticationError, MissingDependencyError
from langchain_g4f.providers.registry import PROVIDERS, ProviderEntry
from langchain_g4f.testing import Sandbox
from tests.gradio_standin import GradioStandin
from tests.unit.cli.command import CLOSED, refused, run

ECHO = "Echo (sandbox/text-small, turn 1): "
PHI4 = ("--provider", "phi4")
FLOWGPT = ("--provider", "flowgpt")

options = pytest.mark.proves("promise:command-options")


def test_unknown_provider_is_wrong_usage() -> None:
    """The message lists the known ones; the exit code is 2."""
    for command in (
        ["chat", "--provider", "x", "hi"],
        ["doctor", "--provider", "x"],
        ["login", "x"],
    ):
        done = run(*command)
        assert done.exit_code == 2
        assert "'x' is not a provider" in done.stderr
        assert all(name in done.stderr for name in PROVIDERS)


@options
def test_provider_joins_with_its_name(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with nothing but the name works; a missing sandbox is reported."""
    row = ProviderEntry("ChatHuggingChat", "langchain_g4f.chat_models.huggingchat")
    monkeypatch.setitem(PROVIDERS, "third", row)
    third = ["--provider", "third", "--base-url", server.base_url]
    assert run("chat", *third, "hi").stdout == f"{ECHO}hi\n"
    assert run("models", *third).stdout.startswith("omni\n")
    assert "there is no sandbox for third" in refused("chat", *third[:2], "--sandbox", "hi")
    assert next(iter(PROVIDERS)) == DEFAULT


@options
@pytest.mark.parametrize(
    ("provider", "sandbox", "answer"),
    [
        ("huggingchat", "Sandbox", f"{ECHO}hi\n"),
        ("flowgpt", "FlowGptSandbox", "Echo (gpt-3.5-turbo, turn 1): hi\n"),
        ("phi4", "GradioSpace", "Turn 1. You said: hi\n"),
        ("gradio", "GradioSpace", "You said: hi\n"),
    ],
)
def test_sandbox_gets_no_credentials_and_no_proxy(
    monkeypatch: pytest.MonkeyPatch, provider: str, sandbox: str, answer: str
) -> None:
    """It is reached directly and anonymously, whatever the environment holds."""
    started: list[Any] = []
    real: Any = lambda app, pace_s: GradioStandin(app)  # noqa: E731
    if sandbox != "GradioSpace":
        real = getattr(testing, sandbox)

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(testing, sandbox, start, raising=False)
    for name in ("HUGGINGCHAT_COOKIES", "FLOWGPT_TOKEN", "HF_TOKEN"):
        monkeypatch.setenv(name, "hf_not_for_the_sandbox")
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    done = run("chat", "--provider", provider, "--sandbox", "hi")
    assert (done.stdout, done.stderr) == (answer, "")
    (server,) = started
    assert all("hf_not" not in str(request.headers) for request in server.requests)


@pytest.mark.proves("promise:missing-extra")
@pytest.mark.parametrize(
    "failure", [MissingDependencyError("install it"), RuntimeError("it printed nothing")]
)
def test_sandbox_that_does_not_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A missing extra, or a Gradio server that ends at the start."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(testing, "GradioSpace", fail, raising=False)
    for command in (["chat", *PHI4, "--sandbox", "hi"], ["models", *PHI4, "--sandbox"]):
        assert refused(*command) == f"langchain-g4f: {failure}\n"


# -- models ----------------------------------------------------------------------


@pytest.mark.proves("promise:command-models")
def test_models_are_a_line_each_with_the_default_first(server: Sandbox, phi4: object) -> None:
    """Unlisted ones are left out."""
    done = run("models")
    assert done.exit_code == 0
    listed = ["omni", "sandbox/text-small", "sandbox/vision-tools", "sandbox/reasoner"]
    assert done.stdout.splitlines() == listed
    assert run("models", "--sandbox").stdout == done.stdout
    assert run("models", *PHI4).stdout.splitlines()[:2] == ["phi-4-multimodal", "phi-4"]


@pytest.mark.proves("promise:command-models")
def test_models_of_a_service_without_a_list_are_the_known_ones() -> None:
    """No request is sent, and standard error says that there is no list."""
    done = run("models", *FLOWGPT)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "gpt-3.5-turbo")
    said = "[https://flowgpt.com has no model list; these are the models we know of]\n"
    assert done.stderr == said


@pytest.mark.proves("promise:command-models")
@pytest.mark.parametrize("provider", ["huggingchat", "phi4"])
def test_models_of_an_unreachable_server_are_one_line(provider: str) -> None:
    """No list is made up."""
    said = refused("models", "--provider", provider, "--base-url", CLOSED, "--timeout", "0.5")
    assert said.startswith(f"langchain-g4f: {CLOSED} did not list its models: ")


@pytest.mark.proves("promise:login-required", "promise:command-models")
def test_models_for_members_only_say_how_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list is a failure, too."""

    def refuse(*_: object) -> None:
        raise AuthenticationError("the app wants a token", provider="gradio_space")

    monkeypatch.setattr(ChatGradioSpace, "get_models", refuse)
    done = run("models", "--space", "owner/name")
    assert done.exit_code == 1
    assert "langchain-g4f login gradio --token" in done.stderr
    monkeypatch.setattr(ChatGradioSpace, "get_models", lambda *_: [])
    monkeypatch.setattr(ChatGradioSpace, "describe", lambda *_: "Gradio 6")
    said = refused("models", "--space", "owner/name")
    assert said == "langchain-g4f: owner/name has no models\n"


@pytest.mark.proves("promise:command-models")
def test_inputs_of_an_app_are_listed_after_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, so that standard output has the models alone."""
    monkeypatch.setattr(ChatGradioSpace, "get_models", lambda *_: ["a"])
    said = "Gradio 6\ninput temperature: slider, 0.7 by default"
    monkeypatch.setattr(ChatGradioSpace, "describe", lambda *_: said)
    done = run("models", "--space", "owner/name")
    assert (done.exit_code, done.stdout) == (0, "a\n")
    assert done.stderr == "[input temperature: slider, 0.7 by default]\n"
