"""The command and the providers besides HuggingChat, on a stand-in for a Gradio server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import langchain_g4f
from langchain_g4f import testing
from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo.image import make_png
from langchain_g4f.cli.providers import DEFAULT, PROVIDERS, Provider
from langchain_g4f.providers import registry
from tests.gradio_standin import GradioStandin
from tests.unit.cli.terminal import Terminal

WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + bytes(16) + b"data\0\0\0\0"


@pytest.fixture
def phi4() -> Iterator[GradioStandin]:
    """A server with an app built like the Phi-4 Space."""
    with GradioStandin() as server:
        yield server


def run(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def chat(server: GradioStandin, *arguments: str | Path) -> Result:
    """Run `chat` with Phi-4 on `server`."""
    return run("chat", "--provider", "phi4", "--base-url", server.base_url, *arguments)


def asked(server: GradioStandin) -> list[str]:
    """The messages that were written into the box."""
    return [r.json["data"][1]["text"] for r in server.requests if r.path.endswith("/run/predict")]


@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_of_the_registry_is_a_chat_model_of_the_package(name: str) -> None:
    """Each name leads to an exported class, and the default is the first."""
    row = registry.PROVIDERS[name]
    assert PROVIDERS[name].chat_model is getattr(langchain_g4f, row.chat_model)
    assert row.chat_model in langchain_g4f.__all__
    assert next(iter(PROVIDERS)) == next(iter(registry.PROVIDERS)) == DEFAULT


@pytest.mark.proves("promise:command-options")
def test_provider_joins_with_its_name(
    g4f_sandbox: testing.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of its class is enough; what it lacks is said."""
    monkeypatch.setitem(registry.PROVIDERS, "third", registry.PROVIDERS["huggingchat"])
    monkeypatch.setitem(PROVIDERS, "third", Provider("third"))
    server = ["--provider", "third", "--base-url", g4f_sandbox.base_url]
    assert run("chat", *server, "hi").stdout == "Echo (sandbox/text-small, turn 1): hi\n"
    assert run("models", *server).stdout.startswith("omni\n")
    none = run("chat", "--provider", "third", "--sandbox", "hi")
    assert none.stderr == "langchain-g4f: there is no sandbox for third\n"


@pytest.mark.proves("promise:command-options", "promise:command-one-shot")
def test_chat_with_phi4_prints_the_answer_and_nothing_else(phi4: GradioStandin) -> None:
    """The provider is chosen by name; who does not wait is told of no queue."""
    result = chat(phi4, "hello there")
    assert result.exit_code == 0
    assert result.stdout == "Turn 1. You said: hello there\n"
    assert result.stderr == ""


@pytest.mark.proves("promise:command-options", "promise:media-forms")
def test_chat_with_phi4_sends_pictures_and_sound(phi4: GradioStandin, tmp_path: Path) -> None:
    """The very bytes are uploaded first, and how far is told on standard error."""
    files = {"a.png": make_png(2), "b.wav": WAV}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in files]
    result = chat(phi4, "--image", paths[0], "--file", paths[1], "what is this?")
    assert "File 1: a.png" in result.stdout
    assert "File 2: b.wav" in result.stdout
    total = sum(map(len, files.values()))
    assert result.stderr == f"[{total} of {total} bytes uploaded]\n"
    sent = [(f.filename, f.content) for r in phi4.requests for f in r.files]
    assert sent == list(files.items())


@pytest.mark.proves("promise:progress-callback")
def test_chat_tells_the_place_in_the_queue_and_the_apps_notices() -> None:
    """Who waits is told why, on standard error; standard output gets the answer alone."""
    with GradioStandin(ahead=2) as server:
        result = chat(server, "[[log]] hello")
    assert result.stdout == "Turn 1. You said: hello\n"
    assert result.stderr.splitlines()[:3] == [
        "[place 3 of 3 in the queue, about 2 s]",
        "[place 2 of 2 in the queue, about 2 s]",
        "[ZeroGPU queue: Waiting for a GPU to become available]",
    ]


@pytest.mark.proves("promise:progress-callback")
def test_terminal_shows_the_place_in_the_queue_beside_the_spinner() -> None:
    """At a terminal the place is gone when the answer comes; notices stay."""
    with (
        GradioStandin(ahead=1) as server,
        Terminal(
            "chat", "--provider", "phi4", "--base-url", server.base_url, "[[hang:0.5]] hi"
        ) as terminal,
    ):
        terminal.expect("place 1 of 1 in the queue")
        assert terminal.exit_code() == 0
    assert terminal.seen.rstrip().endswith("Turn 1. You said: hi")
    assert "[place" not in terminal.seen


@pytest.mark.proves("promise:command-one-shot", "promise:silent-restart")
def test_chat_rewritten_answer_is_shown_again_and_kept(phi4: GradioStandin, tmp_path: Path) -> None:
    """Where the app takes back what it had said, its last version follows, and is what is kept."""
    path = tmp_path / "talk.json"
    result = chat(phi4, "--save", path, "[[retract]] hello")
    assert result.stdout == "Turn 1. You said: hello\nLet me start again. Done.\n"
    assert "took back what it had said" in result.stderr
    _, answer = json.loads(path.read_text())["messages"]
    assert answer["data"]["content"] == "Let me start again. Done."


@pytest.mark.proves("promise:command-one-shot")
@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("[[quota]] hello", "the GPU quota is used up"),
        ("[[error]] hello", "Model error: The model refused this request."),
        ("[[crash]] hello", "does not say why"),
        ("[[empty]]", "its answer is empty"),
    ],
)
def test_chat_failure_of_the_app_is_one_line(phi4: GradioStandin, question: str, said: str) -> None:
    """What the app says went wrong is one line, and the exit code is 1."""
    result = chat(phi4, question)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.proves("promise:command-interactive")
def test_conversation_with_phi4_goes_on_in_the_session(phi4: GradioStandin) -> None:
    """Of the second question only what is new is sent: the app remembers the first."""
    with Terminal("chat", "--provider", "phi4", "--base-url", phi4.base_url) as terminal:
        terminal.expect("> ")
        terminal.enter("I am Ada\n")
        terminal.expect("Turn 1. You said: I am Ada")
        terminal.expect("> ")
        terminal.enter("who am I?\n")
        terminal.expect("Turn 2. You said: who am I?")
        terminal.expect("> ")
        terminal.enter("/exit\n")
        assert terminal.exit_code() == 0
    assert asked(phi4) == ["I am Ada", "who am I?"]


@pytest.mark.proves("promise:command-options")
def test_space_alone_is_enough(phi4: GradioStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--space` names the provider with it."""
    where = "langchain_g4f.chat_models.gradio_space.space_url"
    monkeypatch.setattr(where, {"owner/name": phi4.base_url}.__getitem__)
    assert run("chat", "--space", "owner/name", "hi").stdout == "Turn 1. You said: hi\n"
    assert run("models", "--space", "owner/name").stdout == "owner/name\n"
    copy = run("chat", "--provider", "phi4", "--space", "owner/name", "hi")
    assert copy.stdout == "Turn 1. You said: hi\n"


@pytest.mark.proves("promise:command-options")
def test_gradio_app_at_an_address_is_talked_to() -> None:
    """Any Gradio app goes by its address; its own inputs have their defaults."""
    with GradioStandin("chat_interface") as server:
        options = ["--provider", "gradio", "--base-url", server.base_url, "--api-name", "chat"]
        result = run("chat", *options, "--system", "Be kind.", "[[history]]")
    assert "System: 'Be kind.'. Temperature: 0.7." in result.stdout


@pytest.mark.proves("promise:command-models")
def test_models_of_phi4_are_listed(phi4: GradioStandin) -> None:
    """The model comes first, then its other names."""
    result = run("models", "--provider", "phi4", "--base-url", phi4.base_url)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["phi-4-multimodal", "phi-4"]


@pytest.mark.proves("promise:command-models")
def test_models_of_an_unreachable_space_say_why() -> None:
    """Where the app does not answer, no list is made up, and the reason is told."""
    result = run("models", "--provider", "phi4", "--base-url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("langchain-g4f: http://127.0.0.1:1 does not tell its models: ")


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--provider", "phi4", "--space", "a/b", "--sandbox"], "--space and --sandbox name two"),
        (["--provider", "huggingchat", "--space", "a/b"], "--space is not for huggingchat"),
        (["--api-name", "chat"], "--api-name is not for huggingchat"),
        (["--provider", "gradio"], "--provider gradio needs --space owner/name, --base-url URL or"),
        (["--space", "name"], "expected 'owner/name'"),
        (["--provider", "phi4", "--web-search"], "--web-search: Phi-4 cannot search the web"),
    ],
)
def test_chat_impossible_options_are_one_line(options: list[str], said: str) -> None:
    """Options that do not go together are named in one line, before anything is asked."""
    result = run("chat", *options, "hello")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_provider_that_is_none_is_wrong_usage() -> None:
    """Those that exist are listed, and the exit code is that of wrong usage."""
    result = run("chat", "--provider", "nobody", "hello")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in PROVIDERS)
