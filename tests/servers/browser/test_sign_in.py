"""Signing in with the window of a real Chromium, on the sandbox."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from langchain_g4f.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    ServerError,
)
from langchain_g4f.testing import Sandbox
from tests.servers.browser.visitor import (
    MARK,
    NAME,
    Register,
    at_the_window,
    marked_processes,
    own_window,
    sign_in,
    submit_form,
    wait_until,
)
from tests.unit.traces import assert_tells_nothing

pytestmark = pytest.mark.browser


def visits(sandbox: Sandbox, path: str) -> int:
    """Return how often a page was asked for."""
    return sum(request.path == path for request in sandbox.requests)


def made_profiles(folder: Path) -> list[Path]:
    """Return the temporary profiles that are there."""
    return list(folder.glob("langchain-g4f-*"))


async def test_profile_the_provider_knows_signs_in_by_itself(
    sandbox: Sandbox, chromium: str, signed_in_profile: Path
) -> None:
    """The login page sends it on to a new session; both coupled cookies are returned."""
    sandbox.expire_sessions()
    register = Register(sandbox)
    cookies, name = await sign_in(
        sandbox, register.who, profile_dir=signed_in_profile, executable=chromium
    )
    assert name == NAME
    assert {"hf-chat", "token"} <= set(cookies)
    assert cookies == register.asked[-1]
    assert "sandbox-provider" not in cookies
    assert visits(sandbox, "/chat/login") == 2


async def test_cookies_of_a_sign_in_are_a_session(
    sandbox: Sandbox, chromium: str, signed_in_profile: Path
) -> None:
    """A plain HTTP client that sends them may write."""
    cookies, _ = await sign_in(
        sandbox, Register(sandbox).who, profile_dir=signed_in_profile, executable=chromium
    )
    async with httpx.AsyncClient(cookies=cookies, trust_env=False) as client:
        answer = await client.post(f"{sandbox.base_url}/conversation", json={"model": "omni"})
    assert answer.status_code == 200


async def test_user_who_fills_in_the_form_is_signed_in(
    sandbox: Sandbox, reachable_chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window waits for the user, and the service is asked only when the cookies change."""
    monkeypatch.setattr("langchain_g4f.sign_in.browser._POLL_S", 0.02)
    register = Register(sandbox)
    profile = tmp_path / "profile"
    signing_in = asyncio.create_task(
        sign_in(sandbox, register.who, profile_dir=profile, executable=reachable_chromium)
    )
    async with at_the_window(profile) as page:
        await wait_until(lambda: register.asked)
        asked_before = len(register.asked)
        await page.wait_for_timeout(500)  # what is shown is that nothing happens
        assert len(register.asked) == asked_before
        await submit_form(page, "bob")
        cookies, name = await signing_in
    assert name == "bob"
    assert cookies == register.asked[-1]
    assert all(one != other for one, other in zip(register.asked, register.asked[1:], strict=False))


async def test_legacy_profile_is_signed_in_where_the_page_says_so(
    legacy_sandbox: Sandbox, chromium: str, legacy_signed_in_profile: Path
) -> None:
    """Its home page has the form to log out, with the name, and its cookies are a session."""
    cookies, name = await sign_in(
        legacy_sandbox,
        Register(legacy_sandbox, "/api/user").who,
        login_url=f"{legacy_sandbox.base_url}/",
        profile_dir=legacy_signed_in_profile,
        executable=chromium,
    )
    assert name == NAME
    async with httpx.AsyncClient(cookies=cookies, trust_env=False) as client:
        page = await client.get(f"{legacy_sandbox.base_url}/")
    assert f'action="/chat/logout" method="post"><span>{NAME}</span>' in page.text


async def test_legacy_page_logs_out(
    legacy_sandbox: Sandbox, chromium: str, legacy_signed_in_profile: Path
) -> None:
    """The button of its form ends the session, and the form to log in is back."""
    async with own_window(chromium, legacy_signed_in_profile) as context:
        page = context.pages[0]
        await page.goto(f"{legacy_sandbox.base_url}/")
        await page.click("form[action$='/logout'] button")
        await page.wait_for_selector("form[action$='/login']")


async def test_closed_window_is_an_error_that_names_the_page(
    sandbox: Sandbox, reachable_chromium: str, tmp_path: Path
) -> None:
    """Closing it before the form is filled in ends the wait at once."""
    profile = tmp_path / "profile"
    login_url = f"{sandbox.base_url}/login"
    register = Register(sandbox)
    signing_in = asyncio.create_task(
        sign_in(sandbox, register.who, profile_dir=profile, executable=reachable_chromium)
    )
    async with at_the_window(profile) as page:
        await wait_until(lambda: register.asked)
        await page.close()
    started_s = time.monotonic()
    with pytest.raises(AuthenticationError, match="window was closed before") as caught:
        await signing_in
    assert time.monotonic() - started_s < 10
    assert caught.value.login_url == login_url
    assert_tells_nothing(caught.value, *register.asked[-1].values())


async def test_time_that_is_over_is_an_error_and_leaves_no_profile(
    sandbox: Sandbox, chromium: str, temporary_folder: Path
) -> None:
    """A profile of its own making is removed with the browser."""
    register = Register(sandbox)
    with pytest.raises(AuthenticationError, match=r"3 s were over before .* signed in") as caught:
        await sign_in(sandbox, register.who, executable=chromium, timeout_s=3)
    assert caught.value.login_url == f"{sandbox.base_url}/login"
    assert_tells_nothing(caught.value, *(v for asked in register.asked for v in asked.values()))
    assert made_profiles(temporary_folder) == []


@pytest.mark.parametrize("moment", ["starting", "showing"])
async def test_cancelled_sign_in_leaves_no_browser(
    sandbox: Sandbox, chromium: str, temporary_folder: Path, moment: str
) -> None:
    """Neither process nor profile is left, wherever it was cancelled."""
    signing_in = asyncio.create_task(sign_in(sandbox, Register(sandbox).who, executable=chromium))
    starting, showing = made_profiles, lambda _: visits(sandbox, "/chat/login")
    await wait_until(lambda: (starting if moment == "starting" else showing)(temporary_folder))
    assert moment == "starting" or marked_processes(os.environ[MARK])
    signing_in.cancel()
    with pytest.raises(asyncio.CancelledError):
        await signing_in
    assert made_profiles(temporary_folder) == []


async def test_error_of_who_is_asked_passes_through(
    sandbox: Sandbox, chromium: str, temporary_folder: Path
) -> None:
    """It ends the sign-in, and its traceback shows no cookie."""
    asked: list[str] = []

    async def who(cookies: Mapping[str, str]) -> str | None:
        asked.extend(cookies.values())
        del cookies
        raise ServerError("the service is broken")

    with pytest.raises(ServerError, match="the service is broken") as caught:
        await sign_in(sandbox, who, executable=chromium)
    assert asked
    assert_tells_nothing(caught.value, *asked)


async def test_page_that_cannot_be_opened_is_a_connection_error(
    sandbox: Sandbox, chromium: str
) -> None:
    """The reason is the browser's own word for it."""
    sandbox.stop()
    with pytest.raises(APIConnectionError, match="ERR_CONNECTION_REFUSED"):
        await sign_in(sandbox, Register(sandbox).who, executable=chromium)


async def test_profile_in_use_is_refused(sandbox: Sandbox, chromium: str, tmp_path: Path) -> None:
    """Two browsers cannot share a profile; the message says to close the other one."""
    profile = tmp_path / "profile"
    async with own_window(chromium, profile):
        with pytest.raises(ConfigurationError, match="runs with this profile already, close it"):
            await sign_in(sandbox, Register(sandbox).who, profile_dir=profile, executable=chromium)


async def test_program_that_is_no_browser_is_refused(sandbox: Sandbox) -> None:
    """It ends at once, and the message names it."""
    with pytest.raises(ConfigurationError, match=r"/false did not start.*built on Chromium"):
        await sign_in(sandbox, Register(sandbox).who, executable="false")


async def test_browser_that_says_why_it_ends_is_quoted(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its own first error, without where in its source that was."""
    program = tmp_path / "browser"
    said = "echo '[7:7:1120/1.2:ERROR:a/b.cc:126] No usable sandbox!' >&2"
    program.write_text(f"#!/bin/sh\necho noise >&2\n{said}\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"did not start \(No usable sandbox!\)\. "):
        await sign_in(sandbox, Register(sandbox).who, executable=str(program))


async def test_profile_folder_is_made_for_its_owner_alone(
    sandbox: Sandbox, chromium: str, tmp_path: Path
) -> None:
    """What a browser keeps is worth as much as a password."""
    profile = tmp_path / "new" / "profile"
    with pytest.raises(AuthenticationError):
        await sign_in(
            sandbox, Register(sandbox).who, profile_dir=profile, executable=chromium, timeout_s=0.5
        )
    assert profile.stat().st_mode & 0o777 == 0o700


async def test_provider_asks_a_browser_once(
    sandbox: Sandbox, chromium: str, signed_in_profile: Path
) -> None:
    """Its own cookie goes to its own page, and survives the browser."""
    before = visits(sandbox, "/authorize")
    async with own_window(chromium, signed_in_profile) as context:
        page = context.pages[0]
        await page.goto(f"{sandbox.base_url}/login")
        assert page.url == f"{sandbox.base_url}/"
        assert NAME in await page.inner_text("body")
    assert visits(sandbox, "/authorize") == before + 1
    assert sandbox.requests[-2].path == "/chat/login/callback"
