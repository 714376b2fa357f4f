"""A person at a browser: fills in the sandbox's form, and closes windows."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Error, Page, async_playwright

from langchain_g4f.sign_in.browser import sign_in_with_browser
from langchain_g4f.testing import Sandbox

Who = Callable[[Mapping[str, str]], Awaitable[str | None]]
SignedIn = tuple[dict[str, str], str]

NAME = "alice"
PATIENCE_S = 20.0
PORT_FILE = "DevToolsActivePort"
MARK = "LANGCHAIN_G4F_TEST_BROWSER"
"""Variable of the environment that a browser and all its processes inherit."""


def marked_processes(mark: str) -> list[str]:
    """Return the command lines of the processes that were started under a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended meanwhile
            continue
        if marked:
            found.append(line)
    return found


async def wait_until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds that nothing reports."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        await asyncio.sleep(0.02)


def reachable(chromium: str, folder: Path) -> str:
    """Return a program that starts Chromium so that `at_the_window` finds it."""
    program = folder / "reachable-chromium"
    program.write_text(f'#!/bin/sh\nexec "{chromium}" "$@" --remote-debugging-port=0\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@asynccontextmanager
async def at_the_window(profile: Path) -> AsyncIterator[Page]:
    """Hand out the page that a running, reachable browser shows."""
    port_file = profile / PORT_FILE
    await wait_until(lambda: port_file.exists() and len(port_file.read_text().split()) == 2)
    port = port_file.read_text().split()[0]
    async with async_playwright() as driver:
        browser = await driver.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        yield browser.contexts[0].pages[0]


@asynccontextmanager
async def own_window(chromium: str, profile: Path) -> AsyncIterator[BrowserContext]:
    """Run a browser with a profile, and leave the profile as a user's browser would."""
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            profile, executable_path=chromium, headless=True
        )
        yield context
        await context.close()


async def submit_form(page: Page, name: str = NAME) -> None:
    """Answer the identity provider; the window may be gone when it is done."""
    await page.fill("input[name=username]", name)
    with suppress(Error):
        await page.press("input[name=username]", "Enter")


async def sign_in_by_form(
    sandbox: Sandbox, chromium: str, profile: Path, *, legacy: bool = False
) -> None:
    """Sign in by hand with a browser of one's own."""
    async with own_window(chromium, profile) as context:
        page = context.pages[0]
        if legacy:
            await page.goto(f"{sandbox.base_url}/")
            await page.click("form[action$='/login'] button")
        else:
            await page.goto(f"{sandbox.base_url}/login")
        await submit_form(page)
        await page.wait_for_url("**/chat/")


def sign_in(sandbox: Sandbox, who: Who, **options: Any) -> Coroutine[Any, Any, SignedIn]:
    """Sign in with a browser that shows no window, by default with the page of `/login`."""
    settings: dict[str, Any] = {"login_url": f"{sandbox.base_url}/login", "headless": True}
    return sign_in_with_browser(server=sandbox.base_url, who=who, **settings | options)


class Register:
    """Asks the server for the user of cookies, and keeps what it was asked.

    Args:
        sandbox: The server.
        path: Where it says who the caller is, below the base path.
    """

    def __init__(self, sandbox: Sandbox, path: str = "/api/v2/user") -> None:
        self._url = f"{sandbox.base_url}{path}"
        self.asked: list[dict[str, str]] = []

    async def who(self, cookies: Mapping[str, str]) -> str | None:
        """Return the name that belongs to the cookies."""
        self.asked.append(dict(cookies))
        async with httpx.AsyncClient(cookies=dict(cookies), trust_env=False) as client:
            answer = (await client.get(self._url)).json()
        user = answer.get("json", answer) or {}
        name: str | None = user.get("username")
        return name
