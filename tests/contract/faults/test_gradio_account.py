"""The caller's account on the Hub: its GPU time, and its token in the hands of an app's code."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from langchain_g4f.auth.store import CredentialFile, Credentials
from langchain_g4f.errors import (
    AuthenticationError,
    ConfigurationError,
    MalformedStreamError,
    QuotaExceededError,
)
from langchain_g4f.providers.gradio_space import provider as gradio_provider
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, ByteServer, Exchange, routes
from tests.contract.faults.harness import ask, by_call, by_turns, fail
from tests.contract.faults.registry import CANARY, PATIENT, PHI4
from tests.servers.gradio.hub import RESETS_AT, Hub

KEY = f"hf_{CANARY}"
USED_UP = "You have exceeded your GPU quota (60s requested vs. 56s left)."
SIGN_IN = "This action requires a logged in user. Please sign in and retry."


def app(*data: Action, version: str = "6.31.0", announced: Any = None) -> Action:
    """An app that answers so; its function "respond" announces that it takes a token, or not."""

    def config(exchange: Exchange) -> None:
        exchange.respond(200, gr.encode(gr.config(version=version)))

    endpoint = {"parameters": []} | ({"oauth_token": announced} if announced else {})
    info = {"named_endpoints": {"/respond": endpoint, "/add_message": {}}, "unnamed_endpoints": {}}
    good = {"config": config, "app_id": gr.app_id_ok, "predict": gr.predict_ok, "join": gr.join_ok}
    table: dict[Any, Any] = {PHI4.parts[name]: action for name, action in good.items()}
    table[PHI4.parts["data"]] = data or (gr.answer_ok,)
    return routes(table | {("GET", "^/gradio_api/info$"): gr.reply(info)})


def model_at(server: ByteServer, **settings: Any) -> ChatGradioSpace:
    """A model with a token, unless it is given another one."""
    settings = {"api_key": KEY, "zerogpu_token": "made-up", "timeout": PATIENT, **settings}
    return ChatGradioSpace(base_url=server.url, **settings)


def tokens(server: ByteServer) -> list[tuple[str, Any]]:
    """The token in the body of each call of a function."""
    calls = [each for each in tuple(server.requests) if each.method == "POST"]
    return [(each.path.rpartition("/")[2], gr.said(each).get("oauth_token")) for each in calls]


# -- GPU time -------------------------------------------------------------------------------------


@by_call
async def test_quota_is_what_the_hub_says(way: str) -> None:
    """In seconds, with the time in UTC."""
    with Hub(token=KEY) as hub:
        model = ChatMicrosoftPhi4(hub_url=hub.url, api_key=SecretStr(KEY))
        quota = await model.aquota() if way == "ainvoke" else model.quota()
        assert hub.asked == ["quota"]
    assert (quota.base, quota.current) == (2400, 1810)
    assert quota.resets_at == datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_quota_without_an_account_is_an_error() -> None:
    """An anonymous caller has none that the Hub would tell; an app elsewhere has no Hub."""
    with Hub(token=KEY) as hub:
        with pytest.raises(ConfigurationError, match="give a token of the Hub"):
            ChatMicrosoftPhi4(hub_url=hub.url).quota()
        assert hub.asked == []
    with pytest.raises(ConfigurationError, match="is no Space of the Hub"):
        ChatGradioSpace(base_url="https://app.example", api_key=KEY).quota()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (gr.reply({"error": "Invalid credentials"}, 401), AuthenticationError),
        (gr.reply({}), MalformedStreamError),
        (gr.reply([]), MalformedStreamError),
        (gr.reply({"base": 1, "current": "2"}), MalformedStreamError),
        (gr.reply({"base": 1, "current": 1e999}), MalformedStreamError),
        (gr.reply({"base": 1, "current": 2, "resetsAt": "soon"}), MalformedStreamError),
    ],
)
def test_quota_that_cannot_be_read_is_an_error(answer: Action, kind: type[Exception]) -> None:
    """A time is optional."""
    with ByteServer(answer) as server, pytest.raises(kind):
        ChatMicrosoftPhi4(hub_url=server.url, api_key=SecretStr(KEY)).quota()
    with ByteServer(gr.reply({"base": 1, "current": 2.4})) as server:
        quota = ChatMicrosoftPhi4(hub_url=server.url, api_key=SecretStr(KEY)).quota()
    assert (quota.current, quota.resets_at) == (2, None)


@by_turns
async def test_used_up_quota_without_a_time_is_asked_of_the_hub(way: str) -> None:
    """Once; what the app says about the time counts more."""
    without = PHI4.answering(*gr.START, gr.failed(USED_UP))
    timed = PHI4.answering(*gr.START, gr.failed(f"{USED_UP} Try again in 0:09:48."))
    with Hub(token=KEY) as hub, ByteServer(app(without, timed)) as server:
        error = await fail(model_at(server, hub_url=hub.url), way, QuotaExceededError, host=None)
        assert error.resets_at == datetime.fromisoformat(RESETS_AT)
        left = error.resets_at.timestamp() - time.time()
        assert error.retry_after == pytest.approx(left, abs=10)
        assert "There is more at 2100-01-02 03:04:05 UTC" in str(error)
        assert hub.asked == ["quota"]
        error = await fail(model_at(server, hub_url=hub.url), way, QuotaExceededError, host=None)
        assert (error.retry_after, error.resets_at) == (588, None)
        assert hub.asked == ["quota"]


@by_turns
@pytest.mark.parametrize("settings", [{"api_key": None}, {"hub_url": "http://127.0.0.1:1"}])
async def test_hub_that_does_not_say_changes_nothing(way: str, settings: dict[str, Any]) -> None:
    """Nor does a caller without a token ask it."""
    without = PHI4.answering(*gr.START, gr.failed(USED_UP))
    with Hub(token="another") as hub, ByteServer(app(without)) as server:
        model = model_at(server, **{"hub_url": hub.url, **settings})
        error = await fail(model, way, QuotaExceededError, host=None)
        assert hub.asked == []
    assert (error.retry_after, error.resets_at) == (None, None)
    assert USED_UP in str(error)


@by_turns
async def test_token_that_is_kept_for_an_app_elsewhere_is_not_shown_to_the_hub(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub does not know it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    without = PHI4.answering(*gr.START, gr.failed(USED_UP))
    with Hub() as hub, ByteServer(app(without)) as server:
        place: Any = {"base_url": server.url, "hub_url": hub.url}
        file = CredentialFile(ChatGradioSpace(**place).get_cache_file())
        file.save(Credentials(api_key=KEY))
        await fail(ChatGradioSpace(**place), way, QuotaExceededError, host=None)
        assert server.requests[-1].header("authorization") == f"Bearer {KEY}"
        assert hub.asked == []


# -- the token in the hands of the app's code ------------------------------------------------------


@by_turns
@pytest.mark.parametrize("announced", ["required", "optional"])
async def test_token_goes_to_the_function_that_announces_it(way: str, announced: str) -> None:
    """To no other function of the app; the announcement is asked for once."""
    with ByteServer(app(announced=announced)) as server:
        model = model_at(server)
        await ask(model, way)
        await ask(model, way)
        calls = [("predict", None), ("join", KEY)]
        assert tokens(server) == calls * 2
        assert [each.path for each in server.requests].count("/gradio_api/info") == 1


@by_turns
@pytest.mark.parametrize(
    ("settings", "served"),
    [
        ({}, {"announced": None}),
        ({}, {"announced": "required", "version": "5.22.0"}),
        ({"api_key": None}, {"announced": "required"}),
        ({"api_key": None, "use_environment_token": True}, {"announced": "required"}),
    ],
    ids=["not announced", "gradio 5", "anonymous", "environment, app elsewhere"],
)
async def test_token_goes_nowhere_else(
    way: str, settings: dict[str, Any], served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to an older app, nor to one that only would like it."""
    monkeypatch.setenv("HF_TOKEN", KEY)
    with ByteServer(app(**served)) as server:
        await ask(model_at(server, **settings), way)
        assert tokens(server) == [("predict", None), ("join", None)]


@pytest.mark.parametrize("where", ["environment", "kept"])
async def test_found_token_is_passed_on_only_if_it_is_allowed(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the environment, by its setting; one that was kept for the platform is not."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(gradio_provider, "is_on_hub", lambda url: True)
    settings: dict[str, Any] = {"use_environment_token": where == "environment"}
    with ByteServer(app(announced="required")) as server:
        base: dict[str, Any] = {
            "base_url": server.url,
            "hub_url": "http://127.0.0.1:1",
            "zerogpu_token": "x",
        }
        if where == "environment":
            monkeypatch.setenv("HF_TOKEN", KEY)
        else:
            monkeypatch.delenv("HF_TOKEN", raising=False)
            file = CredentialFile(ChatGradioSpace(**base).get_cache_file())
            file.save(Credentials(api_key=KEY))
        model = ChatGradioSpace(**base, **settings)
        assert (await model.ainvoke("hi")).text == "Hello there"
        assert server.requests[-1].header("authorization") == f"Bearer {KEY}"
        assert tokens(server)[-1] == ("join", KEY if where == "environment" else None)


@pytest.mark.proves("promise:redaction")
@by_turns
@pytest.mark.parametrize("announced", [None, "required"])
async def test_app_that_wants_a_signed_in_user_says_how(way: str, announced: Any) -> None:
    """With a token and without; the call is not repeated, and no other login is asked for."""
    refused = PHI4.answering(*gr.START[:2], gr.failed(f"{SIGN_IN} {KEY}"))
    with ByteServer(app(refused, announced=announced)) as server:
        settings = {} if announced is None else {"api_key": None}
        error = await fail(model_at(server, **settings), way, AuthenticationError, host=None)
        assert [name for name, _ in tokens(server)].count("join") == 1
    said = "give it as api_key=" if announced else "this one does not"
    assert said in str(error)
    assert "login gradio" not in str(error)
    assert error.login_url == ""


async def test_token_is_masked_where_the_app_repeats_it() -> None:
    """It has the token, and may print it."""
    broken = PHI4.answering(*gr.START[:2], gr.failed(f"no access with {KEY}"))
    with ByteServer(app(broken, announced="required")) as server:
        models = [model_at(server) for _ in range(3)]
        errors = await asyncio.gather(*(m.ainvoke("x") for m in models), return_exceptions=True)
    assert KEY not in "".join(map(str, errors))
