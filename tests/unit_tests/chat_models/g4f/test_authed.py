"""Providers with a login, and what is left to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f import ChatG4F
from langchain_g4f.errors import AuthenticationError, ServerStreamError, StreamInterruptedError
from tests.g4f_standins import authed
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.responses_old import AuthResult, Reasoning, RequestLogin
from tests.g4f_standins.script import Fail
from tests.unit_tests.chat_models.ways import WAYS, ask


def provider_in(folder: Path, *script: Any, base: Any = authed.AsyncAuthedProvider) -> Any:
    """A provider that keeps its login in ``folder``."""
    return scripted(base, *script, folder=folder)


@pytest.mark.proves(
    "g4f:2:on-auth-async", "g4f:2:on-auth", "g4f:2:life-cycle", "g4f:2:auth-file",
    "g4f:2:get-auth-result", "g4f:5:request-login", "g4f:5:auth-result", "g4f:8:login",
)  # fmt: skip
@pytest.mark.parametrize("way", WAYS)
async def test_first_call_logs_in_and_the_next_uses_what_was_kept(way: str, tmp_path: Path) -> None:
    """The life cycle is the provider's; its request for a login is told, and is no text."""
    provider = provider_in(tmp_path, "a", "b")
    told: list[str] = []
    steps: list[Any] = []
    model = ChatG4F(provider=provider, on_login_required=told.append, on_progress=steps.append)
    for _ in range(2):
        answer = await ask(model, way, "hi")
        assert answer.text == "ab"
        assert "canary" not in repr(answer)
    assert told == [authed.LOGIN_URL]
    assert [(step.kind, step.data["login_url"]) for step in steps] == [
        ("login_required", authed.LOGIN_URL)
    ]
    assert json.loads(provider.get_cache_file().read_text())["api_key"] == "canary-4711"
    assert provider.logins == 1


@pytest.mark.proves("g4f:2:old-ending")
@pytest.mark.parametrize("way", WAYS)
async def test_error_that_ends_a_login_of_the_old_generation_keeps_the_text(
    way: str, tmp_path: Path
) -> None:
    """What was said is in the error, and the next call has none."""
    provider = provider_in(tmp_path, "a", "b", base=authed.OldAuthedProvider)
    model = ChatG4F(provider=provider)
    with pytest.raises(ServerStreamError, match="AttributeError") as caught:
        await ask(model, way, "hi")
    assert caught.value.partial_text == "ab"
    assert isinstance(caught.value.__cause__, AttributeError)
    assert (await ask(model, way, "hi")).text == "ab"


@pytest.mark.proves("g4f:2:mid-answer", "g4f:7:restart")
@pytest.mark.parametrize("way", WAYS)
async def test_answer_that_is_repeated_after_a_login_is_a_restart(way: str, tmp_path: Path) -> None:
    """Text that was given cannot be taken back, so the caller is told."""
    for on_restart in ("raise", "mark"):
        provider = provider_in(tmp_path, "part ", "rest")
        provider.fails_after = 1
        provider.write_cache_file(provider.get_cache_file(), AuthResult(old="1"))
        model = ChatG4F(provider=provider, on_restart=on_restart)
        if on_restart == "raise":
            with pytest.raises(StreamInterruptedError, match="started again") as caught:
                await ask(model, way, "hi")
            assert caught.value.partial_text == "part "
        else:
            answer = await ask(model, way, "hi")
            assert answer.text == "part part rest"
            assert answer.response_metadata["restarted"] is True


@pytest.mark.proves("g4f:2:given-credentials", "g4f:2:create-authed", "g4f:2:auth-file")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given", ["cookies", "mapping", "object"])
async def test_given_credentials_are_used_and_no_file_is_touched(
    given: str, way: str, tmp_path: Path
) -> None:
    """Neither read, nor written, nor deleted."""
    provider = provider_in(tmp_path, "a")
    provider.get_cache_file().write_text("not JSON")
    forms: dict[str, dict[str, Any]] = {
        "cookies": {"cookies": {"a": "1"}},
        "mapping": {"auth_result": {"cookies": {"a": "1"}, "headers": {}}},
        "object": {"auth_result": AuthResult(cookies={"a": "1"}, headers={})},
    }
    answer = await ask(ChatG4F(provider=provider, **forms[given]), way, "hi")
    assert answer.text == "a"
    used = provider.calls[0].given["auth_result"]
    assert used.get_dict() == {"cookies": {"a": "1"}, "headers": {}}
    assert (used.cookies, provider.logins) == ({"a": "1"}, 0)
    assert provider.get_cache_file().read_text() == "not JSON"


@pytest.mark.proves("g4f:2:create-authed")
@pytest.mark.parametrize("way", WAYS)
async def test_authorised_entry_point_may_be_a_plain_generator(way: str) -> None:
    """It is iterated in a thread."""
    provider = scripted(authed.PlainAuthed, "a", "b")
    assert (await ask(ChatG4F(provider=provider, auth_result={"k": 1}), way, "hi")).text == "ab"


@pytest.mark.parametrize("way", WAYS)
async def test_cookies_of_a_provider_without_logins_are_an_argument(way: str) -> None:
    """There is no other entry point."""
    provider = scripted(AsyncGeneratorProvider, "a")
    await ask(ChatG4F(provider=provider, cookies={"a": "1"}), way, "hi")
    assert provider.calls[0].given == {"cookies": {"a": "1"}}


@pytest.mark.proves("g4f:8:login", "g4f:9:events")
@pytest.mark.parametrize("way", WAYS)
async def test_login_that_fails_is_an_error_of_the_login(way: str, tmp_path: Path) -> None:
    """After the request for it was told; its address may be empty."""
    provider = scripted(
        AsyncGeneratorProvider,
        Reasoning(status="looking"),
        RequestLogin("Some", ""),
        Fail(authed.AsyncAuthedProvider.missing("nobody came")),
    )
    told: list[str] = []
    steps: list[Any] = []
    model = ChatG4F(provider=provider, on_login_required=told.append, on_progress=steps.append)
    with pytest.raises(AuthenticationError, match="nobody came"):
        await ask(model, way, "hi")
    assert told == [""]
    assert [step.kind for step in steps] == ["status", "login_required", "login_required"]
    assert steps[1].message == "Some wants a login"


@pytest.mark.proves("g4f:8:login")
@pytest.mark.parametrize("callback", ["on_login_required", "on_progress"])
@pytest.mark.parametrize("way", WAYS)
async def test_error_of_a_callback_is_the_callers_own(way: str, callback: str) -> None:
    """It is raised as it is, and ends the call."""

    def fail(_: object) -> None:
        raise LookupError("no browser")

    provider = scripted(AsyncGeneratorProvider, RequestLogin("Some", "u"), "never")
    settings: dict[str, Any] = {callback: fail}
    with pytest.raises(LookupError, match="no browser"):
        await ask(ChatG4F(provider=provider, **settings), way, "hi")
    assert provider.closed == ["closed"]
