"""`langchain-g4f doctor` where all is well, what it prints, and what its options mean."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from langchain_g4f.cli.doctor.targets import choices
from langchain_g4f.testing import Sandbox
from langchain_g4f.testing.sandbox import Generation
from tests.gradio_standin import GradioStandin
from tests.unit_tests.cli.doctor import CLOSED, Server, examine, run

pytestmark = pytest.mark.proves("promise:command-doctor")

KEYS = [
    "provider",
    "address",
    "answers",
    "checks",
    "server",
    "login",
    "user",
    "models",
    "default_model",
    "model",
    "chunks",
    "first_token_ms",
    "problems",
]
CHECKS = ["reachable", "server", "signed_in", "models", "streaming"]


def test_doctor_where_all_answer_succeeds_with_a_row_for_each(services: dict[str, Any]) -> None:
    """Without options everybody with a known address is asked, and the exit code is 0."""
    found, code = examine()
    assert code == 0
    assert list(found) == ["huggingchat", "phi4", "flowgpt"]
    assert {name: each["server"] for name, each in found.items()} == {
        "huggingchat": "chat-ui current",
        "phi4": "Gradio 5.22.0",
        "flowgpt": None,
    }
    for name, each in found.items():
        assert each["answers"]
        assert each["address"] == services[name].base_url
        assert each["problems"] == []
        assert each["checks"]["reachable"] == each["checks"]["streaming"] == "ok"
        assert set(each["checks"].values()) == {"ok", "not asked"}
        assert each["chunks"] > 1
        assert 0 <= each["first_token_ms"] < 30_000
    assert (found["huggingchat"]["models"], found["huggingchat"]["default_model"]) == (4, "omni")
    assert found["phi4"]["default_model"] == "phi-4-multimodal"
    assert found["flowgpt"]["checks"]["models"] == "not asked"  # it has no list


@pytest.mark.parametrize(
    ("generation", "user"),
    [("current", "ada"), ("legacy", "(a user whose name the server does not tell)")],
)
def test_doctor_of_a_member_is_green_and_leaves_nothing_behind(
    generation: Generation, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generation and user are told, and the conversation of the question is deleted."""
    with Sandbox(generation=generation, login_required=True) as server:
        cookies = "; ".join(f"{n}={v}" for n, v in server.login("ada").items())
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", server.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", cookies)
        found, code = examine("--provider", "huggingchat")
        assert list(server.conversations) == []
        assert len(server.prompts) == 1
    assert code == 0
    assert found["huggingchat"]["checks"] == dict.fromkeys(CHECKS, "ok")
    assert found["huggingchat"]["server"] == f"chat-ui {generation}"
    assert (found["huggingchat"]["login"], found["huggingchat"]["user"]) == (True, user)


def test_json_of_doctor_has_the_same_keys_whatever_is_found(services: dict[str, Any]) -> None:
    """A program may rely on every key, in the good case as in the bad one."""
    found, code = examine("--provider", "huggingchat")
    (bad,) = examine("--provider", "huggingchat", "--base-url", CLOSED)[0].values()
    assert code == 0
    for each in (found["huggingchat"], bad):
        assert list(each) == KEYS
        assert list(each["checks"]) == CHECKS
    assert [list(problem) for problem in bad["problems"]] == [["check", "what", "advice"]]
    assert bad["server"] is bad["user"] is bad["models"] is bad["first_token_ms"] is None


@pytest.mark.proves("promise:command-options")
def test_doctor_checks_any_gradio_app_by_its_address() -> None:
    """`gradio` has no address of its own, and is checked where one is given."""
    with GradioStandin("chat_interface") as server:
        found, code = examine("--provider", "gradio", "--base-url", server.base_url)
    assert (code, list(found)) == (0, ["gradio"])
    assert found["gradio"]["server"] == "Gradio 5.22.0"
    assert found["gradio"]["checks"]["models"] == "ok"


@pytest.mark.proves("promise:command-options")
def test_doctor_asks_the_model_that_is_named(services: dict[str, Any]) -> None:
    """One that the service does not have is the answer's failure; the list is still shown."""
    found, code = examine("--provider", "huggingchat", "--model", "sandbox/vision-tools")
    assert (code, found["huggingchat"]["model"]) == (0, "sandbox/vision-tools")
    found, code = examine("--provider", "huggingchat", "--model", "sandbox/nobody")
    assert (code, found["huggingchat"]["checks"]["models"]) == (1, "ok")
    (problem,) = found["huggingchat"]["problems"]
    assert problem["check"] == "streaming"
    assert problem["advice"] == "choose one of its models with --model"


def test_doctor_looks_like_the_browser_that_is_named(services: dict[str, Any]) -> None:
    """`--impersonate` is seen by the server."""
    _, code = examine("--provider", "huggingchat", "--impersonate", "chrome")
    assert code == 0
    agents = {request.headers["user-agent"] for request in services["huggingchat"].requests}
    assert all("Chrome/" in agent for agent in agents)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--provider", "flowgpt", "--provider", "phi4", "--base-url", CLOSED],
            "--base-url is for one provider",
        ),
        (
            ["--provider", "flowgpt", "--provider", "phi4", "--model", "omni"],
            "--model is for one provider",
        ),
        (
            ["--provider", "flowgpt", "--provider", "phi4", "--profile", "work"],
            "--profile is for one provider",
        ),
        (["--sandbox", "--space", "owner/name"], "--space and --sandbox name two servers"),
        (["--sandbox", "--base-url", CLOSED], "--base-url and --sandbox name two servers"),
        (
            ["--provider", "flowgpt", "--provider", "phi4", "--space", "a/b"],
            "--space is for gradio",
        ),
        (["--provider", "flowgpt", "--space", "a/b"], "--space is not for flowgpt"),
        (["--provider", "gradio"], "--provider gradio needs"),
    ],
)
def test_doctor_with_options_that_leave_open_whom_they_mean_asks_nobody(
    options: list[str], said: str
) -> None:
    """It is one line on standard error, and no row."""
    result = run(*options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.proves("promise:command-options")
def test_doctor_of_a_space_checks_it_beside_the_others() -> None:
    """Without a Space `gradio` is left out; in the sandbox everybody has a server."""
    assert _chosen() == {"huggingchat": None, "phi4": None, "flowgpt": None}
    assert _chosen(space="a/b") == {
        "huggingchat": None,
        "phi4": None,
        "gradio": "a/b",
        "flowgpt": None,
    }
    assert _chosen("phi4", space="a/b") == {"phi4": "a/b"}
    assert [*_chosen(sandbox=True)] == ["huggingchat", "phi4", "gradio", "flowgpt"]


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize("option", ["base_url", "model", "profile"])
def test_doctor_of_what_one_provider_has_needs_no_provider(option: str) -> None:
    """An address, a model and an account are those of HuggingChat or of the Space, as in `chat`."""
    given: dict[str, Any] = {option: "x"}
    assert _chosen(**given) == {"huggingchat": None}
    assert _chosen(space="a/b", **given) == {"gradio": "a/b"}
    assert _chosen("phi4", **given) == {"phi4": None}


def _chosen(*names: str, sandbox: bool = False, **options: str) -> dict[str, str | None]:
    given = (options.get(name) for name in ("base_url", "space", "model", "profile"))
    return {choice.name: choice.space for choice in choices(names, *given, sandbox=sandbox)}


def test_doctor_of_an_unknown_provider_is_wrong_usage() -> None:
    """The exit code for wrong usage is 2."""
    result = run("--provider", "nobody")
    assert result.exit_code == 2
    assert "'nobody' is none of" in result.stderr


@pytest.mark.proves("promise:command-options")
def test_doctor_of_the_sandboxes_as_a_program_succeeds() -> None:
    """`--sandbox` starts the servers that are checked; standard output is JSON and nothing else."""
    options = ["--provider", "huggingchat", "--provider", "flowgpt", "--sandbox", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "langchain_g4f", "doctor", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [each["answers"] for each in json.loads(done.stdout)] == [True, True]


@pytest.mark.proves("promise:missing-extra")
@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("ModuleNotFoundError('no gradio', name='gradio')", '-e ".[sandbox-gradio]"'),
        ("SystemExit('this gradio is broken')", "this gradio is broken"),
    ],
)
def test_doctor_goes_on_where_a_sandbox_does_not_start(
    failure: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is not installed is a row of its own, with the pip command; the others are checked."""
    (tmp_path / "gradio.py").write_text(f"raise {failure}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found, code = examine("--provider", "huggingchat", "--provider", "phi4", "--sandbox")
    assert code == 1
    assert found["huggingchat"]["answers"]
    assert found["phi4"]["checks"] == dict.fromkeys(CHECKS, "skipped") | {"reachable": "FAIL"}
    assert said in found["phi4"]["problems"][0]["what"]


def test_doctor_asks_all_providers_at_once(services: dict[str, Any]) -> None:
    """Each of two servers answers when the other was asked, too."""
    one, two = services["huggingchat"], services["flowgpt"]
    asked, other_asked = threading.Event(), threading.Event()
    _hold(one, asked, until=other_asked)
    _hold(two, other_asked, until=asked)
    found, code = examine("--provider", "huggingchat", "--provider", "flowgpt", "--timeout", "20")
    assert code == 0, found


def _hold(server: Server, asked: threading.Event, *, until: threading.Event) -> None:
    """Let `server` say that it was asked, and answer when the other one was."""
    there = server._recorder._app

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.to_thread(until.wait, 20)
        await there(scope, receive, send)

    server._recorder._app = answer


def test_provider_that_fails_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a row of its own, and one red row is enough for exit code 1."""
    with Sandbox() as server:
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", server.base_url)
        monkeypatch.setenv("FLOWGPT_BASE_URL", CLOSED)
        found, code = examine("--provider", "flowgpt", "--provider", "huggingchat")
    assert code == 1
    assert [found[name]["answers"] for name in ("huggingchat", "flowgpt")] == [True, False]


def test_setting_that_cannot_be_used_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie file that is not there hinders its own provider."""
    monkeypatch.setenv("HUGGINGCHAT_COOKIE_FILE", str(Path("nowhere", "cookies.txt")))
    found, code = examine("--provider", "huggingchat")
    assert (code, found["huggingchat"]["checks"]["reachable"]) == (1, "FAIL")
    assert "cookies.txt" in found["huggingchat"]["problems"][0]["what"]
