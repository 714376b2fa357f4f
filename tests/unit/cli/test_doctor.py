"""`langchain-g4f doctor` where services answer: what it checks, prints, and its options mean."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from langchain_g4f import ChatGradioSpace, testing
from langchain_g4f.cli.doctor import _COLUMNS, choose, write_table
from langchain_g4f.cli.doctor.checks import Examination, Finding
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.errors import MissingDependencyError
from langchain_g4f.testing import FlowGptSandbox, Reply, Sandbox
from langchain_g4f.testing.sandbox import Generation
from tests.gradio_standin import GradioStandin
from tests.servers.gradio.hub import Hub
from tests.unit.cli.command import (
    CANARY,
    CLOSED,
    FakeTerminal,
    Server,
    answer_at,
    examine,
    refused,
    run,
    shown,
)

KEY = "hf_made_up"

pytestmark = pytest.mark.proves("promise:command-doctor")

KEYS = [
    *("provider", "address", "answers", "checks", "server", "login", "user"),
    *("gpu_seconds_left", "models"),
    *("default_model", "model", "chunks", "first_token_ms", "problems"),
]
CHECKS = ["reachable", "server", "signed_in", "models", "streaming"]


def test_doctor_succeeds_where_all_answer(services: dict[str, Any]) -> None:
    """Without options, every provider with a known address is checked."""
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
    """It shows the user, and deletes the conversation of the question."""
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


@pytest.mark.proves("promise:command-options")
def test_doctor_checks_any_gradio_app_by_its_address() -> None:
    """`gradio` has no address of its own, and is checked where one is given."""
    with GradioStandin("chat_interface") as server:
        found, code = examine("--provider", "gradio", "--base-url", server.base_url)
    assert (code, list(found)) == (0, ["gradio"])
    assert found["gradio"]["server"] == "Gradio 5.22.0"
    assert found["gradio"]["checks"]["models"] == "ok"


@pytest.mark.proves("promise:command-options")
def test_doctor_asks_the_named_model_like_the_named_browser(services: dict[str, Any]) -> None:
    """An unknown model is a failure of the answer; the list is still shown."""
    given = ["--provider", "huggingchat", "--impersonate", "chrome", "--model"]
    found, code = examine(*given, "sandbox/vision-tools")
    assert (code, found["huggingchat"]["model"]) == (0, "sandbox/vision-tools")
    agents = {request.headers["user-agent"] for request in services["huggingchat"].requests}
    assert all("Chrome/" in agent for agent in agents)
    found, code = examine(*given, "sandbox/unknown")
    assert (code, found["huggingchat"]["checks"]["models"]) == (1, "ok")
    (problem,) = found["huggingchat"]["problems"]
    assert problem["check"] == "streaming"
    assert problem["advice"] == "choose one of its models with --model"


def test_doctor_asks_all_providers_at_once(services: dict[str, Any]) -> None:
    """Each of two servers answers only after the other was asked, too."""
    one, two = services["huggingchat"], services["flowgpt"]
    asked, other_asked = threading.Event(), threading.Event()
    _hold(one, asked, until=other_asked)
    _hold(two, other_asked, until=asked)
    found, code = examine("--provider", "huggingchat", "--provider", "flowgpt", "--timeout", "20")
    assert code == 0, found


def _hold(server: Server, asked: threading.Event, *, until: threading.Event) -> None:
    """Let `server` say that it was asked, and answer when the other one was."""
    before = server._recorder._app

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.to_thread(until.wait, 20)
        await before(scope, receive, send)

    server._recorder._app = answer


# -- options ---------------------------------------------------------------------


def chosen(*names: str, sandbox: bool = False, **options: str) -> dict[str, str | None]:
    """The providers to check, with their Spaces."""
    given = (options.get(name) for name in ("base_url", "space", "model", "profile"))
    return {choice.name: choice.space for choice in choose(names, *given, sandbox=sandbox)}


@pytest.mark.proves("promise:command-options")
def test_space_is_checked_beside_the_others() -> None:
    """Without a Space `gradio` is left out; in the sandbox every provider has a server."""
    three: dict[str, str | None] = {"huggingchat": None, "phi4": None, "flowgpt": None}
    assert chosen() == three
    assert chosen(space="a/b") == three | {"gradio": "a/b"}
    assert chosen("phi4", space="a/b") == {"phi4": "a/b"}
    assert [*chosen(sandbox=True)] == ["huggingchat", "phi4", "gradio", "flowgpt"]


@pytest.mark.proves("promise:command-options")
@pytest.mark.parametrize("option", ["base_url", "model", "profile"])
def test_option_of_one_provider_needs_no_provider(option: str) -> None:
    """It is for the provider that `chat` would use, and contradicts two providers."""
    given: dict[str, Any] = {option: "x"}
    assert chosen(**given) == {"huggingchat": None}
    assert chosen(space="a/b", **given) == {"gradio": "a/b"}
    assert chosen("phi4", **given) == {"phi4": None}
    name = option.replace("_", "-")
    with pytest.raises(CommandError, match=f"--{name} is for one provider, and several are named"):
        chosen("phi4", "flowgpt", **given)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sandbox", "--space", "owner/name"], "--space and --sandbox name two servers"),
        (["--sandbox", "--base-url", CLOSED], "--base-url and --sandbox name two servers"),
        (
            ["--provider", "flowgpt", "--provider", "phi4", "--space", "a/b"],
            "--space is for gradio; add --provider gradio",
        ),
        (["--provider", "flowgpt", "--space", "a/b"], "--space is not for flowgpt"),
        (["--provider", "gradio"], "--provider gradio needs"),
    ],
)
def test_contradicting_options_are_one_line(options: list[str], said: str) -> None:
    """No service is asked, and there is no table."""
    assert said in refused("doctor", *options)


# -- rows of services that cannot be asked ---------------------------------------


@pytest.mark.proves("promise:missing-extra", "promise:command-options")
@pytest.mark.parametrize("failure", [MissingDependencyError("install it"), RuntimeError("broken")])
def test_sandbox_that_does_not_start_is_a_row(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other sandboxes are checked."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(testing, "GradioSpace", fail, raising=False)
    names = ("huggingchat", "phi4", "flowgpt")
    options = [option for name in names for option in ("--provider", name)]
    found, code = examine(*options, "--sandbox")
    assert code == 1
    assert [found[name]["answers"] for name in names] == [True, False, True]
    assert found["phi4"]["checks"] == dict.fromkeys(CHECKS, "skipped") | {"reachable": "FAIL"}
    assert found["phi4"]["problems"][0]["what"] == str(failure)


def test_setting_that_cannot_be_used_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing cookie file hinders its own provider."""
    monkeypatch.setenv("HUGGINGCHAT_COOKIE_FILE", str(Path("nowhere", "cookies.txt")))
    found, code = examine("--provider", "huggingchat")
    assert (code, found["huggingchat"]["checks"]["reachable"]) == (1, "FAIL")
    assert "cookies.txt" in found["huggingchat"]["problems"][0]["what"]


# -- the report ------------------------------------------------------------------


def test_table_says_in_words_what_its_colours_say(services: dict[str, Any]) -> None:
    """A row for each provider; below the table, one line for what is wrong and what to do."""
    services["flowgpt"].stop()
    done = run("doctor", "--timeout", "5")
    assert done.exit_code == 1
    rows = _rows(done.stdout)
    assert rows["provider"][0] == "reachable"
    reachable, server, user, models, streaming, first_token = rows["huggingchat"]
    assert (reachable, server, user) == ("ok", "ok chat-ui current", "not asked anonymous")
    assert models == "ok 4 models omni"
    assert re.fullmatch(r"ok \d+ chunks", streaming)
    assert re.fullmatch(r"\d+ ms", first_token)
    models = "not asked 13 models gpt-3.5-turbo"
    away = ["FAIL", "not asked", "not asked anonymous", models, "skipped", "-"]
    assert rows["flowgpt"] == away
    below = done.stdout.splitlines()[-1]
    assert below.startswith("flowgpt: could not connect to 127.0.0.1:")
    assert below.endswith("What to do: check the address, the network and the proxy.")
    assert "\x1b" not in done.stdout


def _rows(table: str) -> dict[str, list[str]]:
    """The cells of each provider, the lines of a cell joined."""
    head, _, rest = table.lstrip("\n ").partition("\n")
    starts = [head.index(title) for title in _COLUMNS]
    rows: dict[str, list[str]] = {}
    name = ""
    for line in [head, *rest.partition("\n\n")[0].splitlines()[1:]]:
        found, *cells = (line[a:b].strip() for a, b in pairwise([*starts, None]))
        name = found or name
        above = rows.get(name, [""] * len(cells))
        rows[name] = [f"{a} {b}".strip() for a, b in zip(above, cells, strict=True)]
    return rows


def test_table_at_a_terminal_is_coloured() -> None:
    """While it waits, it names the providers; a failure is red."""
    seen = shown("doctor", "--provider", "flowgpt", "--base-url", CLOSED)
    assert "asking flowgpt" in seen
    assert "\x1b[1;31mFAIL" in seen


@pytest.mark.parametrize(("token", "left"), [(KEY, 1810), ("another", None)])
def test_gpu_time_that_is_left_is_told(token: str, left: int | None) -> None:
    """To the owner of a token; a Hub that does not say is no reason to fail."""
    with GradioStandin() as app, Hub(token=token) as hub:
        model = ChatGradioSpace(
            base_url=app.base_url, hub_url=hub.url, api_key=KEY, zerogpu_token="x", timeout=5.0
        )
        finding = Finding("gradio", address=app.base_url)
        asyncio.run(Examination(model, finding, 5.0).run())
    assert finding.checks["streaming"] == "ok"
    assert finding.as_json()["gpu_seconds_left"] == left
    if left is None:
        return
    with redirect_stdout(FakeTerminal()) as terminal:
        write_table([finding])
    told = " ".join(terminal.getvalue().split())
    assert "gradio: GPU seconds left: 1810 of 2400; all of it again at 2100-01-02 03:04" in told


def test_report_at_a_narrow_terminal_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column of the table is there, a line for each, within the width of the screen."""
    monkeypatch.setenv("COLUMNS", "40")
    finding = Finding("huggingchat", server="chat-ui current", models=4, default_model="omni")
    finding.checks = dict.fromkeys(finding.checks, "ok")
    with redirect_stdout(FakeTerminal()) as terminal:
        write_table([finding])
    lines = re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).splitlines()
    told = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines if line.strip())
    assert list(told) == list(_COLUMNS)
    assert told["server"] == "ok, chat-ui current"
    assert told["models"] == "ok, 4 models, omni"
    assert max(map(len, lines)) <= 40


def test_json_has_the_same_keys_whatever_is_found() -> None:
    """Also where nothing is reachable."""
    (bad,) = examine("--provider", "huggingchat", "--base-url", CLOSED)[0].values()
    for each in (Finding("phi4").as_json(), bad):
        assert list(each) == KEYS
        assert list(each["checks"]) == CHECKS
    assert [list(problem) for problem in bad["problems"]] == [["check", "what", "advice"]]
    assert bad["server"] is bad["user"] is bad["models"] is bad["first_token_ms"] is None


def test_credential_that_a_service_repeats_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the table nor the JSON holds a cookie or a token."""
    secret = f"{CANARY}-token"
    said = Reply("", error=(500, f"who is {secret}?"))
    with Sandbox(reply=said) as chat_ui, FlowGptSandbox(reply=said) as flowgpt:
        for name, server in (("HUGGINGCHAT", chat_ui), ("FLOWGPT", flowgpt)):
            monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        monkeypatch.setenv("HUGGINGCHAT_COOKIES", f"hf-chat={secret}; token=also-{secret}")
        monkeypatch.setenv("FLOWGPT_TOKEN", flowgpt.login(CANARY))
        answer_at(chat_ui, "/api/v2/user", JSONResponse({"json": {"username": f"ada {secret}"}}))
        for options in (["--json"], []):
            done = run("doctor", "--provider", "huggingchat", "--provider", "flowgpt", *options)
            assert done.exit_code == 1
            assert "ada **********" in done.stdout
            assert CANARY not in done.output


def test_text_of_a_service_is_neither_markup_nor_control_characters() -> None:
    """Names and errors are shown as text, also in a file."""
    with Sandbox(reply=Reply("", error=(500, "[bold]broken\x1b[31m\u202e"))) as server:
        name = "[red]\x1b[31mred\nmodel\u202e[/red]"
        answer_at(server, "/models", JSONResponse({"json": [{"id": name}]}))
        done = run("doctor", "--base-url", server.base_url, "--model", "omni")
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[red]" in done.stdout
    assert "[bold]broken" in done.stdout
