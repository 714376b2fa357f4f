"""Each way to log in, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from langchain_g4f import (
    ChatHuggingChat,
    login,
    whoami,
)
from langchain_g4f.auth import browsers
from langchain_g4f.auth.store import CredentialFile
from langchain_g4f.errors import AuthenticationError, ConfigurationError
from langchain_g4f.sign_in import browser, logout
from langchain_g4f.testing import FlowGptSandbox, Sandbox
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import ByteServer, Exchange, routes
from tests.unit.chat_models.ways import MODEL
from tests.unit.sign_in.logins import (
    CANARY,
    assert_shows_nothing,
    by_way,
    header,
    log_in,
    who_is,
)

# -- cookies ------------------------------------------------------------------------------------


@pytest.mark.proves("promise:identity")
@by_way
async def test_login_with_cookies_is_kept_for_later_models(closed: Sandbox, way: str) -> None:
    """The service has said whose they are."""
    cookies = closed.login("ada")
    account = await log_in(way, base_url=closed.base_url, cookies=header(cookies))
    assert account.user == "ada"
    assert account.kept
    assert (account.provider, account.server) == ("huggingchat", closed.base_url)
    model = ChatHuggingChat(base_url=closed.base_url, model=MODEL)
    assert account.file == model.get_cache_file()
    assert json.loads(account.file.read_text()) == {
        "version": 1,
        "user": "ada",
        "cookies": cookies,
        "api_key": "",
    }
    assert (await model.ainvoke("hi")).text.endswith("hi")
    assert await who_is(way, base_url=closed.base_url) == account


FORMS: dict[str, Callable[[dict[str, str]], str]] = {
    "netscape": lambda c: "\n".join(
        "\t".join(("127.0.0.1", "FALSE", "/", "FALSE", "0", *pair)) for pair in c.items()
    ),
    "json": json.dumps,
    "json list": lambda c: json.dumps([{"name": n, "value": v} for n, v in c.items()]),
}


@by_way
@pytest.mark.parametrize("form", FORMS)
async def test_login_with_a_cookie_file_is_kept(
    closed: Sandbox, way: str, form: str, tmp_path: Path
) -> None:
    """Its cookies are saved, not its path: the file may be deleted then."""
    path = tmp_path / "cookies"
    path.write_text(FORMS[form](closed.login("ada")))
    account = await log_in(way, base_url=closed.base_url, cookies=path)
    path.unlink()
    assert account.user == "ada"
    assert (await who_is(way, base_url=closed.base_url)).user == "ada"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(dict, id="names and values"),
        pytest.param(lambda c: {n: SecretStr(v) for n, v in c.items()}, id="secret values"),
        pytest.param(lambda c: SecretStr(header(c)), id="secret"),
    ],
)
def test_login_takes_cookies_in_every_form(closed: Sandbox, given: Any) -> None:
    """The forms that a model takes; here without a running loop."""
    account = login(base_url=closed.base_url, cookies=given(closed.login("ada")))
    assert account.user == "ada"
    assert whoami(base_url=closed.base_url).user == "ada"


@pytest.mark.proves("promise:redaction")
@by_way
async def test_login_with_cookies_of_nobody_keeps_nothing(closed: Sandbox, way: str) -> None:
    """An earlier login stays."""
    await log_in(way, base_url=closed.base_url, cookies=closed.login("ada"))
    with pytest.raises(AuthenticationError, match="nothing was kept") as caught:
        await log_in(way, base_url=closed.base_url, cookies=f"hf-chat={CANARY}")
    assert_shows_nothing(caught.value)
    assert (await who_is(way, base_url=closed.base_url)).user == "ada"


@pytest.mark.proves("promise:redaction")
@by_way
@pytest.mark.parametrize("cookies", [f"hf-chat={CANARY}\x01", CANARY, {"hf-chat": f"{CANARY};"}])
async def test_login_with_cookies_that_cannot_be_sent_keeps_nothing(
    closed: Sandbox, way: str, cookies: Any, home: Path
) -> None:
    """The error does not repeat them."""
    with pytest.raises(ValueError, match="cookies") as caught:
        await log_in(way, base_url=closed.base_url, cookies=cookies)
    assert_shows_nothing(caught.value)
    assert list(home.parent.iterdir()) == []
    assert closed.requests == []


@by_way
@pytest.mark.parametrize("means", [{"cookies": ""}, {"cookies": {}}, {"api_key": ""}])
async def test_login_with_nothing_in_it_is_refused(way: str, means: Any) -> None:
    """Perhaps a variable was not set; no window opens."""
    with pytest.raises(ConfigurationError, match="there is nothing in it"):
        await log_in(way, "gradio", **means)


@by_way
async def test_environment_does_not_help_cookies_that_are_refused(
    closed: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the given cookies are checked and saved."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login("environment")))
    with pytest.raises(AuthenticationError):
        await log_in(way, cookies="hf-chat=ended")


# -- tokens -------------------------------------------------------------------------------------


@by_way
async def test_login_with_a_token_is_kept_where_the_service_does_not_say_whose_it_is(
    way: str,
) -> None:
    """The user's name is empty then, which is not None."""
    with FlowGptSandbox(login_required=True) as sandbox:
        place: dict[str, Any] = {"base_url": sandbox.base_url}
        account = await log_in(way, "flowgpt", **place, api_key=SecretStr(sandbox.login("ada")))
        assert (account.user, account.kept) == ("", True)
        assert sandbox.requests == []
        known = await who_is(way, "flowgpt", **place)
        assert (known.user, known.kept) == ("", True)
        assert logout("flowgpt", **place).kept
        assert (await who_is(way, "flowgpt", **place)).user is None
        await log_in(way, "flowgpt", **place, api_key=sandbox.login("ada"))
    kept = CredentialFile(account.file).load()
    assert kept is not None
    assert kept.api_key == "ada-token"


def the_hub(token: str) -> ByteServer:
    """A Hub that knows one token."""

    def who(exchange: Exchange) -> None:
        if exchange.header("authorization") == f"Bearer {token}":
            gr.reply({"name": "ada", "type": "user"})(exchange)
        else:
            gr.reply({"error": "Invalid credentials"}, 401)(exchange)

    return ByteServer(routes({("GET", r"^/api/whoami-v2$"): who}))


@pytest.mark.parametrize("provider", ["gradio", "phi4"])
@by_way
async def test_login_at_the_hub_is_one_for_all_spaces(way: str, provider: str) -> None:
    """No Space has to be named; the Hub says whose the token is."""
    with the_hub("hf_ada") as server:
        account = await log_in(way, provider, hub_url=server.url, api_key="hf_ada")
        assert (account.user, account.server) == ("ada", server.url)
        places: list[dict[str, Any]] = [{}, {"space": "owner/name"}]
        for place in places:
            found = await who_is(way, "gradio", hub_url=server.url, **place)
            assert (found.user, found.file) == ("ada", account.file)
        with pytest.raises(AuthenticationError, match="nothing was kept"):
            await log_in(way, provider, hub_url=server.url, api_key="hf_nobody")
        assert (await who_is(way, provider, hub_url=server.url, profile="work")).user is None


# -- other ways ---------------------------------------------------------------------------------


@by_way
async def test_login_with_an_installed_browser_keeps_its_cookies(
    closed: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those for the server, from the profile that is named."""
    asked: list[tuple[object, ...]] = []

    def read(name: str, url: str, *, profile: Path | None = None) -> dict[str, str]:
        asked.append((name, url, profile))
        return closed.login("ada")

    monkeypatch.setattr(browsers, "read_browser_cookies", read)
    account = await log_in(
        way, base_url=closed.base_url, from_browser="firefox", browser_profile=tmp_path
    )
    assert (account.user, account.kept) == ("ada", True)
    assert asked == [("firefox", closed.base_url, tmp_path)]


@by_way
@pytest.mark.parametrize("page", ["", "https://login.example/"])
async def test_login_in_a_window_keeps_what_it_ends_with(
    closed: Sandbox, way: str, page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The window gets the page to show, the server, and a way to ask for the user."""
    cookies = closed.login("ada")
    seen: dict[str, Any] = {}

    async def window(*, who: Any, **settings: Any) -> tuple[dict[str, str], str]:
        seen.update(settings)
        assert await who({"hf-chat": "unknown"}) is None
        return cookies, await who(cookies)

    monkeypatch.setattr(browser, "sign_in_with_browser", window)
    if page:
        monkeypatch.setenv("G4F_LOGIN_URL", page)
    account = await log_in(way, base_url=closed.base_url, browser_profile=tmp_path, timeout=7)
    assert (account.user, account.kept) == ("ada", True)
    assert seen == {
        "login_url": page or f"{closed.base_url}/login",
        "server": closed.base_url,
        "headless": False,
        "profile_dir": tmp_path,
        "executable": None,
        "timeout_s": 7,
        "provider": "huggingchat",
    }
    assert (await who_is(way, base_url=closed.base_url)).user == "ada"


@by_way
async def test_login_in_a_window_where_there_is_none_to_log_in_is_refused(way: str) -> None:
    """A server without a login, and services that take tokens alone."""
    with (
        Sandbox() as sandbox,
        pytest.raises(ConfigurationError, match="has no login, and needs none"),
    ):
        await log_in(way, base_url=sandbox.base_url)
    with pytest.raises(ConfigurationError, match="give a token, as api_key="):
        await log_in(way, "flowgpt")
    with pytest.raises(ConfigurationError, match="give a token, as api_key="):
        await log_in(way, "gradio", base_url="http://127.0.0.1:1")
