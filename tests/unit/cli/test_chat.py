"""`langchain-g4f chat` with one question, away from a terminal."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from langchain_g4f.cli.demo.steps import make_png
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.gradio_standin import GradioStandin
from tests.unit.cli.command import CLOSED, refused, run

ECHO = "Echo (sandbox/text-small, turn 1): "
THOUGHTS = "First I look at the question. Then I answer it."
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + bytes(16) + b"data\0\0\0\0"
PHI4 = ("--provider", "phi4")
FLOWGPT = ("--provider", "flowgpt")

one_shot = pytest.mark.proves("promise:command-one-shot")
options = pytest.mark.proves("promise:command-options")


# -- the answer ------------------------------------------------------------------


@one_shot
@options
@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        ("huggingchat", f"{ECHO}hello\n"),
        ("phi4", "Turn 1. You said: hello\n"),
        ("flowgpt", "Echo (gpt-3.5-turbo, turn 1): hello\n"),
    ],
)
def test_answer_is_all_that_standard_output_gets(
    services: object, provider: str, answer: str
) -> None:
    """The provider is chosen by name; the exit code is 0."""
    done = run("chat", "--provider", provider, "hello")
    assert (done.exit_code, done.stdout, done.stderr) == (0, answer, "")


@options
def test_model_and_system_prompt_reach_the_server(server: Sandbox, flowgpt: FlowGptSandbox) -> None:
    """Each service gets them in its own way, and the model by its own name."""
    done = run("chat", "--model", "sandbox/reasoner", "--system", "Be kind.", "hello")
    assert done.stdout == "Echo (sandbox/reasoner, turn 1): hello\n"
    system, user = server.prompts[-1]
    assert (system["role"], "Be kind." in system["content"]) == ("system", True)
    assert user == {"role": "user", "content": "hello"}
    done = run("chat", *FLOWGPT, "--model", "gemini", "--system", "Be brief.", "hello")
    assert done.stdout == "Echo (google-gemini, turn 1): hello\n"
    assert flowgpt.requests[0].json["system"] == "Be brief."


@one_shot
@options
def test_gradio_app_at_an_address_gets_the_system_prompt() -> None:
    """Other inputs of the app keep their defaults."""
    with GradioStandin("chat_interface") as app:
        place = ["--provider", "gradio", "--base-url", app.base_url, "--api-name", "chat"]
        done = run("chat", *place, "--system", "Be kind.", "[[history]]")
    assert "System: 'Be kind.'. Temperature: 0.7." in done.stdout


@options
def test_space_alone_is_enough(phi4: GradioStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--space` implies the provider, unless another is named."""
    where = "langchain_g4f.chat_models.gradio_space.space_url"
    monkeypatch.setattr(where, {"owner/name": phi4.base_url}.__getitem__)
    for named in ((), PHI4):
        done = run("chat", *named, "--space", "owner/name", "hi")
        assert done.stdout == "Turn 1. You said: hi\n"
    assert run("models", "--space", "owner/name").stdout == "owner/name\n"


@pytest.mark.proves("promise:command-reasoning")
@pytest.mark.parametrize(
    ("option", "thoughts"), [(None, ""), ("--no-reasoning", ""), ("--reasoning", THOUGHTS)]
)
def test_reasoning_goes_to_standard_error_if_wanted(
    server: Sandbox, option: str | None, thoughts: str
) -> None:
    """A pipe gets the answer alone."""
    done = run("chat", *filter(None, [option]), "[[think]] hello")
    assert (done.stdout, done.stderr.strip()) == (f"{ECHO}hello\n", thoughts)


@pytest.mark.proves("promise:command-reasoning")
def test_reasoning_without_an_answer_is_noted(server: Sandbox) -> None:
    """Standard output stays empty."""
    done = run("chat", "[[think-only]]")
    assert (done.stdout, done.stderr) == ("", "[there is reasoning, but no answer]\n")


@pytest.mark.proves("promise:progress-callback")
def test_place_in_the_queue_and_notices_go_to_standard_error() -> None:
    """They explain the wait; standard output gets the answer alone."""
    with GradioStandin(ahead=2) as app:
        done = run("chat", *PHI4, "--base-url", app.base_url, "[[log]] hello")
    assert done.stdout == "Turn 1. You said: hello\n"
    assert done.stderr.splitlines()[:3] == [
        "[place 3 of 3 in the queue, about 2 s]",
        "[place 2 of 2 in the queue, about 2 s]",
        "[ZeroGPU queue: Waiting for a GPU to become available]",
    ]


@one_shot
@pytest.mark.proves("promise:silent-restart")
def test_replaced_answer_is_shown_again_and_saved(phi4: GradioStandin, tmp_path: Path) -> None:
    """The final text follows the withdrawn one, and is the one in the file."""
    path = tmp_path / "talk.json"
    done = run("chat", *PHI4, "--save", path, "[[retract]] hello")
    assert done.stdout == "Turn 1. You said: hello\nLet me start again. Done.\n"
    assert "the service replaced its answer" in done.stderr
    _, answer = json.loads(path.read_text())["messages"]
    assert answer["data"]["content"] == "Let me start again. Done."


# -- files and web search --------------------------------------------------------


@options
@pytest.mark.proves("promise:media-forms")
def test_images_and_text_files_reach_the_model(server: Sandbox, tmp_path: Path) -> None:
    """`--image`, repeated for each file, sends the exact bytes under the file's name."""
    files = {"a.png": make_png(2), "b.png": make_png(3), "note.txt": b"about trees"}
    given: list[str | Path] = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        given += ["--image", tmp_path / name]
    done = run("chat", *given, "what is this?")
    assert (done.exit_code, done.stderr) == (0, "")
    text, *images = server.prompts[-1][-1]["content"]
    assert [part["data"] for part in images] == [files["a.png"], files["b.png"]]
    assert "about trees" in text["text"]
    assert text["text"].endswith("what is this?")
    sent = [file.filename for file in server.requests[-1].files]
    assert sent == [f"base64;{name}" for name in files]


@options
@pytest.mark.proves("promise:media-forms")
def test_image_and_sound_reach_a_gradio_app(phi4: GradioStandin, tmp_path: Path) -> None:
    """They are uploaded first; standard error shows how many bytes."""
    files = {"a.png": make_png(2), "b.wav": WAV}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    given = ["--image", str(tmp_path / "a.png"), "--file", str(tmp_path / "b.wav")]
    done = run("chat", *PHI4, *given, "what is this?")
    total = sum(map(len, files.values()))
    assert done.stderr == f"[{total} of {total} bytes uploaded]\n"
    assert [(f.filename, f.content) for r in phi4.requests for f in r.files] == [*files.items()]


@options
@pytest.mark.proves("promise:media-refused")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.png", "missing.png: No such file"),
        (".", "Is a directory"),
        ("empty.png", "'empty.png' is empty"),
        ("a.png", "takes no images; those that do: omni, sandbox/vision-tools"),
    ],
)
def test_image_that_cannot_be_sent_is_one_line(
    server: Sandbox, tmp_path: Path, name: str, said: str
) -> None:
    """A file that cannot be read, and a model that takes no images; no question is sent."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "a.png").write_bytes(make_png(2))
    given = ["--model", "sandbox/text-small", "--image", str(tmp_path / name)]
    assert said in refused("chat", *given, "what is this?")
    assert server.prompts == []


@options
@pytest.mark.proves("promise:server-options")
def test_web_search_is_asked_for() -> None:
    """`--web-search` is in the message, and is off without it."""
    with Sandbox(generation="legacy") as sandbox:
        for given in (["--web-search"], []):
            done = run("chat", "--base-url", sandbox.base_url, *given, "what is new?")
            assert done.exit_code == 0
    sends = [json.loads(r.form["data"]) for r in sandbox.requests if "data" in r.form]
    assert [data["web_search"] for data in sends] == [True, False]


# -- failures --------------------------------------------------------------------


@one_shot
@pytest.mark.proves("promise:closest-models", "promise:server-options")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--model", "sandbox/reasner", "hello"], "the closest are: sandbox/reasoner"),
        (["--web-search", "what is new?"], "lists no server for web search"),
        ([*PHI4, "[[quota]] hello"], "the GPU quota is used up"),
        ([*PHI4, "[[error]] hello"], "Model error: The model refused this request."),
        ([*PHI4, "[[crash]] hello"], "does not say why"),
        ([*PHI4, "[[empty]]"], "its answer is empty"),
        ([*FLOWGPT, "[[error:403]] hello"], "this machine's clock is wrong"),
        ([*FLOWGPT, "[[empty]]"], "ended the answer without a word"),
    ],
)
def test_failure_of_the_service_is_one_line(services: object, given: list[str], said: str) -> None:
    """The exit code is 1."""
    assert said in refused("chat", *given)


@one_shot
@pytest.mark.parametrize(
    ("given", "came", "said"),
    [
        (["--timeout", "0.5", "[[hang:3]] [[long:9]]"], "w1 w2 w3\n", "0.5 s"),
        ([*FLOWGPT, "[[error-mid:500]] hello"], "Echo (", "FlowGPT reported an error"),
        (["--base-url", f"{CLOSED}/chat", "hello"], "", "connect"),
    ],
)
def test_failed_answer_leaves_what_came(
    services: object, given: list[str], came: str, said: str
) -> None:
    """The last line says why it ended."""
    done = run("chat", *given)
    assert done.exit_code == 1
    assert done.stdout.startswith(came)
    assert done.stdout[-1:] in ("", "\n")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("langchain-g4f: ")
    assert said in last


@options
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--base-url", "huggingface.co/chat"], "http://"),
        (["--base-url", CLOSED, "--sandbox"], "--base-url and --sandbox name two servers"),
        (["--space", "a/b", *PHI4, "--sandbox"], "--space and --sandbox name two servers"),
        (["--sandbox", "--profile", "work"], "--profile: the sandbox has no accounts"),
        (["--provider", "huggingchat", "--space", "a/b"], "--space is not for huggingchat"),
        (["--api-name", "chat"], "--api-name is not for huggingchat"),
        (["--provider", "gradio"], "--provider gradio needs --space owner/name, --base-url URL or"),
        (["--space", "name"], "expected 'owner/name'"),
        ([*PHI4, "--web-search"], "--web-search: Phi-4 cannot search the web"),
    ],
)
def test_options_that_cannot_work_are_one_line(given: list[str], said: str) -> None:
    """They contradict each other, or name no server."""
    assert said in refused("chat", *given, "hello")


@pytest.mark.proves("promise:login-required")
def test_refused_caller_learns_how_to_log_in(
    members: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login page and the way to pass the cookies are shown; with cookies it works."""
    without = run("chat", "hello")
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=expired")
    expired = run("chat", "hello")
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={members.login()['hf-chat']}")
    assert run("chat", "hello").stdout == f"{ECHO}hello\n"
    assert (without.exit_code, expired.exit_code) == (1, 1)
    assert f"{members.base_url}/login" in without.stderr
    assert "HUGGINGCHAT_COOKIES='hf-chat=...; token=...'" in without.stderr
    assert f"HUGGINGCHAT_BASE_URL={members.base_url}" in without.stderr
    assert "refused" not in without.stderr
    assert "refused the login of the environment" in expired.stderr
    assert "expired" not in expired.stderr


@pytest.mark.proves("promise:login-required")
def test_anonymous_caller_who_is_refused_learns_of_the_token() -> None:
    """The steps say where the token of a FlowGPT member comes from, and where it is sent."""
    with FlowGptSandbox(login_required=True) as closed:
        done = run("chat", *FLOWGPT, "--base-url", closed.base_url, "hello")
    assert done.exit_code == 1
    assert "anonymous use may be closed" in done.stderr
    assert "Log in with a browser: https://flowgpt.com" in done.stderr
    assert "FLOWGPT_TOKEN=... langchain-g4f chat --provider flowgpt" in done.stderr


@pytest.mark.proves("promise:command-models")
def test_warning_is_a_line_without_its_place_in_our_code(flowgpt: FlowGptSandbox) -> None:
    """The error of the unknown model follows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("chat", *FLOWGPT, "--model", "gpt-9", "hello")
    warning, error = done.stderr.splitlines()
    assert warning == "[FlowGPT: 'gpt-9' is not a known model]"
    assert error.endswith("answered with 400: unknown model gpt-9")
