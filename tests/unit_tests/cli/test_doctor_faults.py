"""`langchain-g4f doctor` where a part of a service is broken: that part's cell is red, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from langchain_g4f.cli.doctor.findings import Name
from langchain_g4f.providers import flowgpt as provider
from langchain_g4f.testing import FlowGptSandbox, Reply, Sandbox
from langchain_g4f.testing.sandbox import Generation
from tests.gradio_standin import GradioStandin
from tests.unit_tests.cli.doctor import CLOSED, Server, answer_at, examine

pytestmark = pytest.mark.proves("promise:command-doctor")

LOST = "skipped"
FOUR_WORDS = "one two three four"
SPACE = "owner/name"


def checks(name: str, server: Server, *options: str) -> tuple[dict[Name, str], dict[str, Any], int]:
    """How each check went, all that was found, and the exit code."""
    found, code = examine("--provider", name, "--base-url", server.base_url, *options)
    return found[name]["checks"], found[name], code


@pytest.fixture(params=["current", "legacy"])
def generation(request: pytest.FixtureRequest) -> Generation:
    """Both generations of chat-ui."""
    found: Generation = request.param
    return found


@pytest.mark.parametrize("name", ["huggingchat", "phi4", "gradio", "flowgpt"])
def test_closed_port_is_not_reachable_and_the_rest_is_skipped(name: str) -> None:
    """What cannot be found out is neither good nor bad."""
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


@pytest.mark.proves("promise:login-required")
def test_login_that_is_wanted_is_the_red_cell(generation: Generation) -> None:
    """Nobody is signed in: the models are listed all the same, and the way in is told."""
    with Sandbox(generation=generation, login_required=True) as server:
        found, more, code = checks("huggingchat", server)
    assert code == 1
    assert found == {
        "reachable": "ok",
        "server": "ok",
        "signed_in": "FAIL",
        "models": "ok",
        "streaming": LOST,
    }
    assert more["models"] > 1
    (problem,) = more["problems"]
    assert problem["what"] == f"{server.base_url} wants a login"
    way_in = f"log in: langchain-g4f login huggingchat --base-url {server.base_url}"
    assert problem["advice"] == way_in


@pytest.mark.proves("promise:login-required")
@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_session_that_has_expired_is_told_even_where_anybody_is_answered(
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
    assert (found["signed_in"], found["streaming"]) == ("FAIL", LOST if required else "ok")
    (problem,) = more["problems"]
    assert "nobody is signed in" in problem["what"]
    assert "does not know the one that is used" in problem["what"]
    assert problem["advice"] == "log in: langchain-g4f login huggingchat"


def test_operator_who_wants_a_login_for_every_path_is_understood() -> None:
    """What the server is stays unknown, and the first reason that is told is the login."""
    with Sandbox() as server:
        answer_at(server, "", RedirectResponse("/authorize", 302))
        found, more, code = checks("huggingchat", server)
    assert (code, found["reachable"], found["server"]) == (1, "ok", LOST)
    assert (found["signed_in"], found["streaming"]) == ("FAIL", LOST)
    assert more["problems"][0]["what"] == f"{server.base_url} wants a login"


@pytest.mark.parametrize("broken", [JSONResponse({"json": []}), Response("no list", 500)])
def test_list_of_models_that_is_broken_leaves_a_named_model_usable(broken: Response) -> None:
    """Only who has to choose from the list is hindered by it."""
    with Sandbox() as server:
        answer_at(server, "/models", broken)
        found, _, code = checks("huggingchat", server)
        assert (code, found["models"], found["streaming"]) == (1, "FAIL", "FAIL")
        found, more, code = checks("huggingchat", server, "--model", "omni")
    assert (code, found["models"], found["streaming"]) == (0, "FAIL", "ok")
    assert [problem["check"] for problem in more["problems"]] == ["models"]


def test_list_without_any_model_is_a_failure() -> None:
    """A server that lists nothing for everybody to use cannot be asked."""
    with Sandbox() as server:
        entry = {"id": "secret/model", "unlisted": True}
        answer_at(server, "/models", JSONResponse({"json": [entry]}))
        found, more, _ = checks("huggingchat", server, "--model", "omni")
    assert found["models"] == "FAIL"
    assert more["problems"][0]["what"] == "the list of models is empty"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(FOUR_WORDS, error=(500, "out of order"), error_after=2),
        Reply(FOUR_WORDS, error=(None, "terminated"), error_after=2),
    ],
)
@pytest.mark.parametrize("make", [Sandbox, FlowGptSandbox])
def test_stream_that_breaks_is_the_red_cell(
    make: type[Sandbox | FlowGptSandbox], reply: Reply
) -> None:
    """What had come is counted, and the time to it is known."""
    name = "huggingchat" if make is Sandbox else "flowgpt"
    with make(reply=reply) as server:
        found, more, code = checks(name, server)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")
    assert "FAIL" not in {found["server"], found["signed_in"], found["models"]}
    assert more["chunks"] > 0
    assert more["first_token_ms"] is not None


def test_connection_that_is_cut_in_the_answer_is_the_red_cell() -> None:
    """It broke, which is no matter of the network being away."""
    with Sandbox(generation="legacy", reply=Reply(FOUR_WORDS, drop_after=2)) as server:
        found, more, code = checks("huggingchat", server)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")
    assert "cuts answers" in more["problems"][0]["advice"]


def test_connection_that_breaks_later_does_not_unsay_that_it_was_reached() -> None:
    """The first answer has shown that somebody is there."""
    with Sandbox() as server:
        answer_at(server, "/conversation", _hang_up)
        found, _, code = checks("huggingchat", server)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")


async def _hang_up(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["extensions"]["sandbox.close"]()


def test_app_that_fails_is_the_red_cell() -> None:
    """A Gradio app is described, and does not answer."""
    with GradioStandin("phi4") as server:
        answer_at(server, "/queue/join", Response("Internal Server Error", 500))
        found, _, code = checks("phi4", server)
    assert (code, found["server"], found["models"], found["streaming"]) == (1, "ok", "ok", "FAIL")


@pytest.mark.parametrize("make", [Sandbox, FlowGptSandbox])
def test_empty_answer_is_the_red_cell(make: type[Sandbox | FlowGptSandbox]) -> None:
    """An answer that says nothing is none."""
    name = "huggingchat" if make is Sandbox else "flowgpt"
    with make(reply="") as server:
        found, more, code = checks(name, server)
    assert (code, found["streaming"]) == (1, "FAIL")
    assert "ask again, or choose another model" in more["problems"][0]["advice"]


def test_reasoning_without_an_answer_is_the_red_cell() -> None:
    """Thoughts count for the time to the first token, and are no answer."""
    with Sandbox(models=["a-model"], reply=Reply("", reasoning="I think so.")) as server:
        found, more, code = checks("huggingchat", server)
    assert (code, found["streaming"]) == (1, "FAIL")
    assert more["first_token_ms"] is not None


@pytest.mark.parametrize("make", [Sandbox, FlowGptSandbox])
def test_first_token_that_does_not_come_in_time_is_the_red_cell(
    make: type[Sandbox | FlowGptSandbox],
) -> None:
    """Everything before it is well, and it is not waited for any longer."""
    name = "huggingchat" if make is Sandbox else "flowgpt"
    with make(reply=Reply(FOUR_WORDS, hang_after=0)) as server:
        found, more, code = checks(name, server, "--timeout", "1.5")
        server.wait_until(lambda: not server.busy)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")
    assert more["first_token_ms"] is None
    assert more["problems"][0]["advice"] == "ask again later, or with a longer --timeout"


def test_check_that_outlives_the_clocks_of_the_model_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However a server spreads its bytes, a check has an end, and the server is told to stop."""
    monkeypatch.setattr("langchain_g4f.cli.doctor.checks.GRACE_S", -4.5)
    with Sandbox(reply=Reply(FOUR_WORDS, hang_after=2)) as server:
        found, more, code = checks("huggingchat", server, "--timeout", "5")
        server.wait_until(lambda: not server.busy)
    assert (code, found["streaming"]) == (1, "FAIL")
    assert more["problems"][0]["what"] == "it was not over within 5 s"


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[GradioStandin]:
    """The page that stands where the app of a Space was."""
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
    """Its stage is named, and whether waiting helps."""
    answer_at(asleep, f"/api/spaces/{SPACE}/runtime", JSONResponse({"stage": stage}))
    found, more, code = checks("gradio", asleep, "--space", SPACE, "--timeout", "2")
    assert code == 1
    assert found == dict.fromkeys(found, LOST) | {"reachable": "FAIL"}
    (problem,) = more["problems"]
    assert stage in problem["what"]
    assert problem["advice"] == advice


def test_space_that_is_private_or_misspelled_is_told_as_either(asleep: GradioStandin) -> None:
    """The Hub does not say which, so both ways out are named."""
    refused = JSONResponse({"error": "Invalid username or password."}, 401)
    answer_at(asleep, f"/api/spaces/{SPACE}/runtime", refused)
    found, more, code = checks("gradio", asleep, "--space", SPACE)
    assert (code, found["server"]) == (1, "FAIL")
    problem = more["problems"][0]
    assert f"there is no Space '{SPACE}', or it is private" in problem["what"]
    assert "check the address" in problem["advice"]
    assert "langchain-g4f login gradio --token" in problem["advice"]


def test_signature_that_is_refused_is_the_red_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """FlowGPT is there, and does not take what it is sent."""
    monkeypatch.setattr(provider, "sign", lambda *_: "0" * 32)
    with FlowGptSandbox() as server:
        found, more, code = checks("flowgpt", server)
    assert (code, found["streaming"], found["reachable"]) == (1, "FAIL", "ok")
    (problem,) = more["problems"]
    assert "403" in problem["what"]
    assert problem["advice"] == "check the account, and this machine's clock"


def test_clock_that_is_wrong_is_a_matter_of_the_login() -> None:
    """FlowGPT says the same to a stranger and to a clock, so both are named."""
    with FlowGptSandbox(clock=lambda: 0.0) as server:
        found, more, code = checks("flowgpt", server)
    assert (code, found["signed_in"], found["streaming"]) == (1, "FAIL", LOST)
    assert "flowgpt --token" in more["problems"][0]["advice"]
    assert "check this machine's clock" in more["problems"][0]["advice"]


def test_website_of_another_kind_is_no_chat_service() -> None:
    """Something answers, and it is told what it is not."""
    with GradioStandin("phi4") as server:
        found, more, code = checks("huggingchat", server)
    assert (code, found["reachable"], found["server"]) == (1, "ok", "FAIL")
    assert "no chat-ui server" in more["problems"][0]["what"]
    assert "huggingchat:" not in more["problems"][0]["what"], "the report names it already"


def test_server_that_accepts_and_is_silent_is_not_reachable() -> None:
    """A connection alone is no answer."""
    with Sandbox() as server:
        server._recorder._app = _say_nothing
        found, _, code = checks("huggingchat", server, "--timeout", "0.3")
    assert code == 1
    assert found == dict.fromkeys(found, LOST) | {"reachable": "FAIL"}


async def _say_nothing(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
