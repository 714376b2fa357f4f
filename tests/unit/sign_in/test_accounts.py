"""Accounts: each has its own file, user and logout."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from langchain_g4f import (
    ChatHuggingChat,
    login,
    logout,
)
from langchain_g4f.errors import ConfigurationError
from langchain_g4f.testing import Sandbox
from tests.unit.sign_in.logins import (
    CANARY,
    assert_shows_nothing,
    by_way,
    header,
    log_in,
    who_is,
)

# -- accounts -----------------------------------------------------------------------------------


@by_way
async def test_profiles_are_accounts_of_their_own(closed: Sandbox, way: str) -> None:
    """Login, whoami and logout of one leave the other alone."""
    place: dict[str, Any] = {"base_url": closed.base_url}
    await log_in(way, **place, cookies=closed.login("ada"))
    await log_in(way, **place, profile="work", cookies=closed.login("bea"))
    assert (await who_is(way, **place)).user == "ada"
    assert (await who_is(way, **place, profile="work")).user == "bea"
    assert logout(**place, profile="work").kept
    assert (await who_is(way, **place, profile="work")).user is None
    assert (await who_is(way, **place)).user == "ada"


@by_way
async def test_whoami_says_who_a_model_would_be(
    closed: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No user, the user of a saved login, or of the environment; ``kept`` tells which."""
    monkeypatch.setenv("HUGGINGCHAT_BASE_URL", closed.base_url)
    found = await who_is(way)
    assert (found.user, found.kept) == (None, False)
    await log_in(way, cookies=closed.login("ada"))
    found = await who_is(way)
    assert (found.user, found.kept) == ("ada", True)
    logout()
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", header(closed.login("bea")))
    found = await who_is(way)
    assert (found.user, found.kept) == ("bea", False)


def test_logout_deletes_the_login_and_sends_no_request(closed: Sandbox) -> None:
    """A browser may continue to use the session."""
    cookies = closed.login("ada")
    login(base_url=closed.base_url, cookies=cookies)
    asked = len(closed.requests)
    account = logout(base_url=closed.base_url)
    assert (account.user, account.kept, account.file.exists()) == (None, True, False)
    assert not logout(base_url=closed.base_url).kept
    assert len(closed.requests) == asked
    assert ChatHuggingChat(base_url=closed.base_url, cookies=cookies).whoami() == "ada"


@by_way
async def test_login_where_nothing_can_be_written_says_so(
    closed: Sandbox, way: str, no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login is valid, and is not saved."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(no_home))
    with pytest.warns(UserWarning, match="sessions are not kept"):
        account = await log_in(way, base_url=closed.base_url, cookies=closed.login("ada"))
    assert (account.user, account.kept) == ("ada", False)


# -- wrong use ----------------------------------------------------------------------------------


@by_way
@pytest.mark.parametrize(
    ("means", "said"),
    [
        ({"provider": "unknown"}, "there is no provider 'unknown'; there are: huggingchat"),
        ({"nonsense": 1, "cookies": CANARY}, r"unknown parameters: \['nonsense'\]"),
        ({"api_key": CANARY}, "HuggingChat has no 'api_key'"),
        ({"provider": "flowgpt", "cookies": {"a": CANARY}}, "FlowGPT has no 'cookies'"),
        ({"space": "a/b", "cookies": {"a": CANARY}}, "HuggingChat has no 'space'"),
    ],
)
async def test_login_that_cannot_be_is_refused_by_name(way: str, means: Any, said: str) -> None:
    """No service is asked before."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        await log_in(way, **means)
    assert_shows_nothing(caught.value)


def test_login_is_called_in_a_loop_of_its_own(closed: Sandbox) -> None:
    """Many times over, from many places."""

    async def main() -> list[str | None]:
        accounts = [login(base_url=closed.base_url, cookies=closed.login(n)) for n in "ab"]
        return [account.user for account in accounts]

    assert asyncio.run(main()) == ["a", "b"]
    assert asyncio.run(main()) == ["a", "b"]
