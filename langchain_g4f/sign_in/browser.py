"""Sign-in by the user, in the window of a real browser.

Playwright starts an installed browser with the service's login page. The user does everything in
the window. The package only reads the cookies for the service, asks the service whose they are, and
closes the window when it names a user. It does not touch the page, and the browser does not hide
that a program started it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_g4f.core.extras import how_to_install
from langchain_g4f.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    MissingDependencyError,
)

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page
    from playwright.async_api._context_manager import PlaywrightContextManager

Who = Callable[[Mapping[str, str]], Awaitable[str | None]]
_T = TypeVar("_T")

_POLL_S = 1.0
_START_S = 30.0
_CLOSE_S = 10.0
"""Seconds until the driver ends a browser that does not close."""

_NET_ERROR = re.compile(r"net::(ERR_\w+)")
_BROWSER_ERROR = re.compile(
    r"\[err\] \[(?=[^\[\]]*?:(?:ERROR|FATAL):)[^\[\]]*+\] (.{1,200})"  # no part is read twice
)

_COMMANDS = (
    *("google-chrome", "google-chrome-stable", "chromium", "chromium-browser"),
    *("microsoft-edge", "microsoft-edge-stable", "brave-browser", "brave"),
)
_APPLICATIONS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Brave Browser.app/Contents/MacOS/Brave Browser",
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "BraveSoftware/Brave-Browser/Application/brave.exe",
)
_APPLICATION_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


async def sign_in_with_browser(
    *,
    login_url: str,
    server: str,
    who: Who,
    headless: bool = False,
    profile_dir: Path | None = None,
    executable: str | None = None,
    timeout_s: float = 300.0,
    provider: str = "",
) -> tuple[dict[str, str], str]:
    """Open a browser at ``login_url``, and wait until a user is signed in.

    The browser is closed when this returns or raises, also when it is cancelled.

    Args:
        login_url: The page to show first.
        server: URL of the service that owns the cookies.
        who: Returns the name of the user that owns such cookies, or None. It is called when the
            cookies have changed. An APIConnectionError makes it be called again; every other error
            is passed on.
        headless: Show no window. This works with a profile that the service or its login page
            signs in without a form.
        profile_dir: Folder of the browser's profile, created if missing and kept. By default a
            temporary one. It cannot be the one that the user's own browser is running with.
        executable: Path or name of a browser built on Chromium.
        timeout_s: Seconds that the user has.
        provider: Name of the provider, for an AuthenticationError.

    Returns:
        The cookies the browser would send to ``server``, values by name; and the user's name.

    Raises:
        AuthenticationError: The window was closed, or the time was over, before the sign-in.
        APIConnectionError: The browser cannot open the page.
        ConfigurationError: There is no browser, profile or screen to use.
        MissingDependencyError: The extra ``browser`` is not installed.
    """
    if find_spec("playwright") is None:
        raise MissingDependencyError(
            "signing in with a browser needs the extra `browser`, but none of Playwright's own"
            f" browsers. {how_to_install('browser')}"
        )
    executable = find_browser(executable)
    if not headless:
        need_screen()
    clock = asyncio.timeout(timeout_s)
    found = None
    try:
        with _profile(profile_dir) as folder:
            async with clock, _open_browser(executable, folder, headless=headless) as context:
                found = await _wait_for_user(context, login_url, server, who)
    except TimeoutError:
        if not clock.expired():
            raise
    if found is not None:
        return found
    what = f"{timeout_s:g} s were over" if clock.expired() else "the browser window was closed"
    error = AuthenticationError(
        f"{what} before a user was signed in to {server}. Login page: {login_url}",
        provider=provider,
    )
    error.login_url = login_url
    raise error


# -- what the browser needs ------------------------------------------------------


def find_browser(executable: str | None = None) -> str:
    """Path of a browser built on Chromium.

    Args:
        executable: Path or name of the one to use; by default one in its usual place.

    Raises:
        ConfigurationError: No browser was found.
    """
    for name in (executable,) if executable else _COMMANDS:
        if path := shutil.which(name):
            return path
    if executable:
        raise ConfigurationError(f"browser: {executable!r} is not a program that can be started")
    folders = [Path("/Applications"), Path.home() / "Applications"]
    folders += [Path(os.environ[name]) for name in _APPLICATION_FOLDERS if os.environ.get(name)]
    for application in _APPLICATIONS:
        for folder in folders:
            if (folder / application).is_file():
                return str(folder / application)
    raise ConfigurationError(
        "browser: none found. Install Chrome, Chromium, Edge or Brave (on Debian: apt install"
        " chromium), or say where one is: executable='/path/to/browser'"
    )


def need_screen() -> None:
    """Raise ConfigurationError where a window could not be seen; it says what to do instead."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not named:
        raise ConfigurationError(
            "browser: there is no screen to open a window on (DISPLAY is not set). Sign in on a"
            " computer that has one and bring its cookies as a file (--cookies FILE); or use a"
            " browser profile that is signed in (--headless with its folder), or the cookies of a"
            " browser that is installed here (--from-browser NAME)"
        )


@contextmanager
def _profile(given: Path | None) -> Iterator[Path]:
    if given is None:
        # The browser may write a last file after it has ended.
        with TemporaryDirectory(prefix="langchain-g4f-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    folder = given.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"browser: {folder} cannot hold a profile: {type(error).__name__}"
    else:
        yield folder
        return
    raise ConfigurationError(problem)


# -- the browser -----------------------------------------------------------------


@asynccontextmanager
async def _open_browser(
    executable: str, folder: Path, *, headless: bool
) -> AsyncIterator[BrowserContext]:
    running = AsyncExitStack()
    try:
        yield await _to_the_end(_start(running, executable, folder, headless=headless))
    finally:
        await _to_the_end(running.aclose())


async def _start(
    running: AsyncExitStack, executable: str, folder: Path, *, headless: bool
) -> BrowserContext:
    """Start the driver and its browser; ``running`` closes both."""
    from playwright.async_api import Error, async_playwright

    manager = async_playwright()
    driver = await manager.start()
    running.push_async_callback(_end_driver, manager)
    try:
        context = await driver.chromium.launch_persistent_context(
            folder,
            executable_path=executable,
            headless=headless,
            # The sandbox refuses to run for root, who would gain nothing by it.
            chromium_sandbox=sys.platform == "win32" or os.geteuid() != 0,
            no_viewport=True,
            timeout=_START_S * 1000,
        )
    except Error as error:
        problem = _did_not_start(executable, str(error))
    else:
        running.push_async_callback(_close, context)
        return context
    raise ConfigurationError(problem)


async def _close(context: BrowserContext) -> None:
    """Close the browser; the driver ends one that does not close."""
    from playwright.async_api import Error

    with suppress(Error, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await context.close()


async def _end_driver(driver: PlaywrightContextManager) -> None:
    await driver.__aexit__()
    # Ctrl-C in a terminal ends the driver, too. Playwright keeps that error in a future that it
    # never awaits; asyncio would report it on the terminal.
    transport = getattr(getattr(driver, "_client", None), "_transport", None)
    ended = getattr(transport, "on_error_future", None)
    if ended is not None and ended.done() and not ended.cancelled():
        ended.exception()


async def _to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """Await all of ``work``, also if cancelled: half a start would leave a process behind."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio would report it
        raise


def _did_not_start(executable: str, message: str) -> str:
    said = _BROWSER_ERROR.search(message)
    why = f" ({said[1]})" if said else ""
    return (
        f"browser: {executable} did not start{why}. If it runs with this profile already, close it"
        " or name another folder; it must be built on Chromium"
    )


# -- the sign-in -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class _Sent:
    """Cookies without a repr: some tracebacks show local variables."""

    values: dict[str, str]


async def _wait_for_user(
    context: BrowserContext, login_url: str, server: str, who: Who
) -> tuple[dict[str, str], str] | None:
    """The cookies and the name of the user; None if the window was closed before."""
    closed = asyncio.Event()
    context.on("close", lambda _: closed.set())
    for page in context.pages[:1]:  # empty if the user has closed it already
        await _show(page, login_url)
    asked = _Sent({})
    # On macOS a browser outlives its windows.
    while context.pages and not closed.is_set():
        sent = await _cookies(context, server)
        if sent != asked:
            with suppress(APIConnectionError):  # a server that restarts is back in a moment
                if name := await who(sent.values):
                    return sent.values, name
                asked = sent
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await closed.wait()
    return None


async def _show(page: Page, url: str) -> None:
    from playwright.async_api import Error

    try:
        await page.goto(url, wait_until="commit", timeout=0)
    except Error as error:
        reason = _NET_ERROR.search(str(error))
    else:
        return
    # "Aborted" is a page that redirects the browser, or that the user leaves.
    if reason and reason[1] != "ERR_ABORTED":
        raise APIConnectionError(f"the browser cannot open {url}: {reason[1]}")


async def _cookies(context: BrowserContext, server: str) -> _Sent:
    """The cookies the browser would send; none if it has been closed."""
    from playwright.async_api import Error

    # With the slash, for paths below the address.
    try:
        found = await context.cookies([f"{server.removesuffix('/')}/"])
    except Error:
        return _Sent({})
    return _Sent({cookie["name"]: cookie["value"] for cookie in found})


__all__ = ["find_browser", "need_screen", "sign_in_with_browser"]
