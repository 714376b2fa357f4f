"""`langchain-g4f doctor` where a part of a service is broken: that part's cell is red, in words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from langchain_g4f import errors
from langchain_g4f.cli.doctor.checks import Name, _advice_for
from langchain_g4f.providers import flowgpt as provider
from langchain_g4f.testing import FlowGptSandbox, Reply, Sandbox
from langchain_g4f.testing.sandbox import Generation
from tests.gradio_standin import GradioStandin
from tests.unit.cli.command import CLOSED, Server, answer_at, examine

pytestmark = pytest.mark.proves("promise:command-doctor")

SPACE = "owner/name"
WORDS = "one two three four"


def checks(name: str, server: Server, *options: str) -> tuple[dict[Name, str], dict[str, Any], int]:
    """The status of each check, everything that was found, and the exit code."""
    found, code = examine("--provider", name, "--base-url", server.base_url, *options)
    return found[name]["checks"], found[name], code


async def _say_nothing(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _hang_up(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["extensions"]["sandbox.close"]()


@pytest.mark.parametrize("name", ["huggingchat", "phi4", "gradio", "flowgpt"])
def test_closed_port_is_not_reachable_and_the_rest_is_skipped(name: str) -> None:
    """A check that cannot be made is neither good nor bad."""
    found, code = examine("--provider", name, "--base-url", CLOSED)
    result = found[name]
    assert (code, result["answers"]) == (1, False)
    assert result["checks"]["reachable"] == "FAIL"
    assert {*result["checks"].values()} <= {"FAIL", "skipped", "not asked"}
    assert [*result["checks"].values()].count("FAIL") == 1
    (problem,) = result["problems"]
    assert problem["check"] == "reachable"
    assert "could not connect to 127.0.0.1:1" in problem["what"]
    assert problem["advice"] == "check the address, the network and the proxy"


BROKEN = Reply(WORDS, error=(500, "out of order"), error_after=2)
ENDED = Reply(WORDS, error=(None, "terminated"), error_after=2)
UNLISTED = {"json": [{"id": "secret/model", "unlisted": True}]}
legacy = partial(Sandbox, generation="legacy")

FAULTS = [
    # provider, server, path and response there, options, red cell, problem, advice
    ("huggingchat", partial(GradioStandin, "phi4"), None, (), "server", "no chat-ui server", ""),
    ("huggingchat", Sandbox, ("/models", JSONResponse({"json": []})), (), "models", "", ""),
    ("huggingchat", Sandbox, ("/models", Response("no list", 500)), (), "models", "", ""),
    ("huggingchat", Sandbox, ("/models", JSONResponse(UNLISTED)), ("--model", "omni"), "models",
     "the list of models is empty", ""),
    ("huggingchat", partial(Sandbox, reply=BROKEN), None, (), "streaming", "out of order", ""),
    ("huggingchat", partial(Sandbox, reply=ENDED), None, (), "streaming", "terminated", ""),
    ("huggingchat", Sandbox, ("/conversation", _hang_up), (), "streaming", "", ""),
    ("huggingchat", partial(legacy, reply=Reply(WORDS, drop_after=2)), None, (), "streaming", "",
     "cuts answers off"),
    ("huggingchat", partial(Sandbox, reply=""), None, (), "streaming", "",
     "ask again, or choose another model"),
    ("huggingchat", partial(Sandbox, models=["a"], reply=Reply("", reasoning="hm")), None, (),
     "streaming", "", "ask again"),
    ("huggingchat", partial(Sandbox, reply=Reply(WORDS, hang_after=0)), None, ("--timeout", "1.5"),
     "streaming", "", "ask again later, or with a longer --timeout"),
    ("flowgpt", partial(FlowGptSandbox, reply=BROKEN), None, (), "streaming", "out of order", ""),
    ("flowgpt", partial(FlowGptSandbox, reply=""), None, (), "streaming", "", "ask again, or"),
    ("flowgpt", partial(FlowGptSandbox, clock=lambda: 0.0), None, (), "signed_in", "",
     "flowgpt --token"),
    ("phi4", partial(GradioStandin, "phi4"), ("/queue/join", Response("no", 500)), (), "streaming",
     "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "there", "options", "red", "what", "advice"), FAULTS)
def test_part_that_is_broken_is_the_red_cell(  # noqa: PLR0917 -- a row of the table
    name: str, make: Any, there: Any, options: tuple[str, ...], red: Name, what: str, advice: str
) -> None:
    """The service was reached all the same, and the problem names cause and remedy."""
    with make() as server:
        if there is not None:
            answer_at(server, *there)
        found, more, code = checks(name, server, *options)
    assert (found["reachable"], found[red]) == ("ok", "FAIL")
    assert code == (found["streaming"] != "ok")
    problem = next(each for each in more["problems"] if each["check"] == red)
    assert what in problem["what"]
    assert f"{name}:" not in problem["what"], "the report names it already"
    assert advice in problem["advice"]
    if red == "streaming":
        assert "FAIL" not in {found["server"], found["signed_in"], found["models"]}
        assert (more["first_token_ms"] is None) == (more["chunks"] == 0)


@pytest.mark.parametrize("make", [Sandbox, FlowGptSandbox])
def test_pieces_before_the_fault_are_counted(make: type[Sandbox | FlowGptSandbox]) -> None:
    """The time to the first one is known, too."""
    name = "huggingchat" if make is Sandbox else "flowgpt"
    with make(reply=BROKEN) as server:
        _, more, _ = checks(name, server)
    assert more["chunks"] > 0
    assert more["first_token_ms"] is not None


def test_broken_model_list_leaves_a_named_model_usable() -> None:
    """The exit code says whether there is an answer."""
    with Sandbox() as server:
        answer_at(server, "/models", Response("no list", 500))
        found, more, code = checks("huggingchat", server, "--model", "omni")
    assert (code, found["models"], found["streaming"]) == (0, "FAIL", "ok")
    assert [problem["check"] for problem in more["problems"]] == ["models"]


def test_server_that_accepts_and_is_silent_is_not_reachable() -> None:
    """A connection alone is not an answer."""
    with Sandbox() as server:
        server._recorder._app = _say_nothing
        found, _, code = checks("huggingchat", server, "--timeout", "0.3")
    assert code == 1
    assert found == dict.fromkeys(found, "skipped") | {"reachable": "FAIL"}


def test_check_that_outlives_the_clocks_of_the_model_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However a server spreads its bytes, a check has an end, and the server is told to stop."""
    monkeypatch.setattr("langchain_g4f.cli.doctor.checks.GRACE_S", -4.5)
    with Sandbox(reply=Reply(WORDS, hang_after=2)) as server:
        found, more, code = checks("huggingchat", server, "--timeout", "5")
        server.wait_until(lambda: not server.busy)
    assert (code, found["streaming"]) == (1, "FAIL")
    assert more["problems"][0]["what"] == "it was not finished within 5 s"


# -- logins ----------------------------------------------------------------------


@pytest.fixture(params=["current", "legacy"])
def generation(request: pytest.FixtureRequest) -> Generation:
    """Both generations of chat-ui."""
    found: Generation = request.param
    return found


@pytest.mark.proves("promise:login-required")
def test_missing_login_is_the_red_cell(generation: Generation) -> None:
    """The models are listed all the same, and the command to log in is shown."""
    with Sandbox(generation=generation, login_required=True) as server:
        found, more, code = checks("huggingchat", server)
    assert code == 1
    assert [*found.values()] == ["ok", "ok", "FAIL", "ok", "skipped"]
    assert more["models"] > 1
    (problem,) = more["problems"]
    assert problem["what"] == f"{server.base_url} requires a login"
    command = f"log in: langchain-g4f login huggingchat --base-url {server.base_url}"
    assert problem["advice"] == command


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_expired_session_is_red_even_where_everybody_gets_an_answer(
    generation: Generation, required: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code says whether there is an answer, and the cell that the login is worthless."""
    with Sandbox(generation=generation, login_required=required) as server:
        cookies = "; ".join(f"{n}={v}" for n, v in server.login("ada").items())
        monkeypatch.setenv("HUGGINGCHAT_BASE_URL", server.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", cookies)
        server.expire_sessions()
        found, more, exit_code = checks("huggingchat", server)
    assert exit_code == code
    assert (found["signed_in"], found["streaming"]) == ("FAIL", "skipped" if required else "ok")
    (problem,) = more["problems"]
    assert "no user is signed in" in problem["what"]
    assert "does not accept the login that is used" in problem["what"]
    assert problem["advice"] == "log in: langchain-g4f login huggingchat"


def test_login_for_every_path_is_understood() -> None:
    """The kind of server stays unknown, and the first problem is the login."""
    with Sandbox() as server:
        answer_at(server, "", RedirectResponse("/authorize", 302))
        found, more, code = checks("huggingchat", server)
    assert (code, found["reachable"], found["server"]) == (1, "ok", "skipped")
    assert (found["signed_in"], found["streaming"]) == ("FAIL", "skipped")
    assert more["problems"][0]["what"] == f"{server.base_url} requires a login"


def test_signature_that_is_refused_is_the_red_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """FlowGPT is reached, and refuses the request."""
    monkeypatch.setattr(provider, "sign", lambda *_: "0" * 32)
    with FlowGptSandbox() as server:
        found, more, code = checks("flowgpt", server)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")
    (problem,) = more["problems"]
    assert "403" in problem["what"]
    assert problem["advice"] == "check the account, and the clock of this machine"


# -- Spaces ----------------------------------------------------------------------


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[GradioStandin]:
    """The page that the Hub shows in place of a Space that does not run."""
    with GradioStandin("chat_interface") as server:
        answer_at(server, "", HTMLResponse("<h1>503</h1>", 503))
        monkeypatch.setenv("HF_ENDPOINT", server.base_url)
        yield server


@pytest.mark.parametrize(
    ("stage", "advice"),
    [
        ("SLEEPING", "ask again in a minute or with a longer --timeout: it is waking up"),
        ("PAUSED", "only the owner of the Space can start it"),
    ],
)
def test_space_that_does_not_run_is_not_reachable(
    asleep: GradioStandin, stage: str, advice: str
) -> None:
    """The problem names its stage, and whether waiting helps."""
    answer_at(asleep, f"/api/spaces/{SPACE}/runtime", JSONResponse({"stage": stage}))
    found, more, code = checks("gradio", asleep, "--space", SPACE, "--timeout", "2")
    assert code == 1
    assert found == dict.fromkeys(found, "skipped") | {"reachable": "FAIL"}
    (problem,) = more["problems"]
    assert stage in problem["what"]
    assert problem["advice"] == advice


def test_space_that_is_private_or_misspelled_is_told_as_either(asleep: GradioStandin) -> None:
    """The Hub does not say which, so both remedies are named."""
    denied = JSONResponse({"error": "Invalid username or password."}, 401)
    answer_at(asleep, f"/api/spaces/{SPACE}/runtime", denied)
    found, more, code = checks("gradio", asleep, "--space", SPACE)
    assert (code, found["server"]) == (1, "FAIL")
    problem = more["problems"][0]
    assert f"there is no Space '{SPACE}', or it is private" in problem["what"]
    assert "check the address" in problem["advice"]
    assert "langchain-g4f login gradio --token" in problem["advice"]


# -- advice ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (errors.ChallengeError, "--impersonate chrome"),
        (errors.QuotaExceededError, "until there is credit again"),
        (errors.RateLimitError, "wait a minute"),
        (errors.ModelNotFoundError, "with --model"),
        (errors.NotFoundError, "check the address"),
        (errors.PermissionDeniedError, "clock of this machine"),
        (errors.BadRequestError, "choose another model"),
        (errors.MalformedStreamError, "changed its protocol"),
        (errors.AppError, "tell the owner of the Space"),
        (errors.ConfigurationError, "change the settings"),
        (errors.ServerError, "the service itself has failed"),
    ],
)
def test_advice_fits_the_error(kind: type[errors.G4FError], advice: str) -> None:
    """A subclass has its own advice, not its base's."""
    assert advice in _advice_for(kind("it failed"))
