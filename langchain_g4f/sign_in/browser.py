"""Sign-in by the user, in the window of a real browser.

Playwright starts a browser that is installed here, with the service's login page. What happens in
the window is the user's: all that is read are the cookies for the service, to ask it who they
belong to, and when it names somebody the window closes. The page is not touched, and the browser
does not hide that a program started it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from langchain_g4f.core.extras import how_to_install
from langchain_g4f.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    MissingDependencyError,
)
from langchain_g4f.sign_in.installed import find_browser, need_screen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
    from typing import Any

    from playwright.async_api import BrowserContext, Page
    from playwright.async_api._context_manager import PlaywrightContextManager

_T = TypeVar("_T")

_POLL_S = 1.0
_START_S = 30.0
_CLOSE_S = 10.0
"""How long an unresponsive browser is waited for before its driver ends it."""

_NET_ERROR = re.compile(r"net::(ERR_\w+)")
_BROWSER_SAID = re.compile(
    r"\[err\] \[(?=[^\[\]]*?:(?:ERROR|FATAL):)[^\[\]]*+\] (.{1,200})"  # no part is read twice
)


async def sign_in_with_browser(
    *,
    login_url: str,
    server: str,
    who: Callable[[Mapping[str, str]], Awaitable[str | None]],
    headless: bool = False,
    profile_dir: Path | None = None,
    executable: str | None = None,
    timeout_s: float = 300.0,
    provider: str = "",
) -> tuple[dict[str, str], str]:
    """Open a browser at ``login_url``, and wait until somebody is signed in.

    The browser is gone when this returns or raises, also when it is cancelled.

    Args:
        login_url: The page to show first.
        server: Address of the service; its cookies are the ones that count.
        who: Returns the name of who is logged in with such cookies, or None. It is asked when the
            cookies have changed, and what it raises is passed on, but for APIConnectionError:
            after that it is asked again.
        headless: Show no window, for a profile that the service or its login page knows already.
        profile_dir: Folder of the browser's profile, made if it is missing and kept afterwards.
            By default a new one that is removed. Not the one the user's own browser runs with.
        executable: Path or name of a browser that is built on Chromium.
        timeout_s: Seconds the user has.
        provider: Name of the provider, for an AuthenticationError.

    Returns:
        The cookies the browser would send to ``server``, values by name; and the name.

    Raises:
        AuthenticationError: The window was closed, or the time was over, before that.
        APIConnectionError: The browser cannot open the page.
        ConfigurationError: There is no browser, no profile or no screen to use.
        MissingDependencyError: The extra ``browser`` is not installed.
    """
    _need_playwright()
    executable = find_browser(executable)
    if not headless:
        need_screen()
    clock = asyncio.timeout(timeout_s)
    found = None
    try:
        with _profile(profile_dir) as folder:
            async with clock, _open_browser(executable, folder, headless=headless) as context:
                found = await _wait_for_name(context, login_url, server, who)
    except TimeoutError:
        if not clock.expired():
            raise
    if found is None:
        waited_s = timeout_s if clock.expired() else None
        raise _not_signed_in(provider, login_url, server, waited_s)
    return found


def _need_playwright() -> None:
    try:
        import playwright.async_api as found
    except ImportError:
        found = None  # type: ignore[assignment]
    if found is None:
        raise MissingDependencyError(
            "signing in with a browser needs the extra `browser`, but none of Playwright's own"
            f" browsers. {how_to_install('browser')}"
        )


@contextmanager
def _profile(given: Path | None) -> Iterator[Path]:
    if given is None:
        # The browser may leave a file behind that is written late.
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


class _Browser:
    """One browser and the driver it is run by."""

    def __init__(self) -> None:
        self._driver: PlaywrightContextManager | None = None
        self._context: BrowserContext | None = None

    async def start(self, executable: str, folder: Path, *, headless: bool) -> BrowserContext:
        """Start it."""
        from playwright.async_api import Error, async_playwright

        manager = async_playwright()
        driver = await manager.start()
        self._driver = manager
        try:
            self._context = await driver.chromium.launch_persistent_context(
                folder,
                executable_path=executable,
                headless=headless,
                chromium_sandbox=not _is_root(),
                no_viewport=True,
                timeout=_START_S * 1000,
            )
        except Error as error:
            problem = _did_not_start(executable, str(error))
        else:
            return self._context
        raise ConfigurationError(problem)

    async def stop(self) -> None:
        """Close it; the driver ends what does not close."""
        from playwright.async_api import Error

        try:
            if self._context is not None:
                with suppress(Error, TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await self._context.close()
        finally:
            if self._driver is not None:
                await self._driver.__aexit__()
                _take_note_of_its_end(self._driver)


@asynccontextmanager
async def _open_browser(
    executable: str, folder: Path, *, headless: bool
) -> AsyncIterator[BrowserContext]:
    browser = _Browser()
    try:
        yield await _to_the_end(browser.start(executable, folder, headless=headless))
    finally:
        await _to_the_end(browser.stop())


async def _to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """Await ``work`` whole: half a start or half a stop would leave a process behind."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio would report it
        raise


def _take_note_of_its_end(driver: PlaywrightContextManager) -> None:
    # Ctrl-C in a terminal ends the driver, too. Playwright keeps that error in a future that nobody
    # asks, which asyncio would complain of on the terminal.
    transport = getattr(getattr(driver, "_client", None), "_transport", None)
    ended = getattr(transport, "on_error_future", None)
    if ended is not None and ended.done() and not ended.cancelled():
        ended.exception()


def _is_root() -> bool:
    """Chromium's sandbox refuses to run for root, who would gain nothing by it."""
    return sys.platform != "win32" and os.geteuid() == 0


def _did_not_start(executable: str, message: str) -> str:
    said = _BROWSER_SAID.search(message)
    why = f" ({said[1]})" if said else ""
    return (
        f"browser: {executable} did not start{why}. If it runs with this profile already, close it"
        " or name another folder; it must be built on Chromium"
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Sent:
    """Cookies without a repr: some tracebacks show local variables."""

    values: dict[str, str]


async def _wait_for_name(
    context: BrowserContext,
    login_url: str,
    server: str,
    who: Callable[[Mapping[str, str]], Awaitable[str | None]],
) -> tuple[dict[str, str], str] | None:
    """The cookies and whose they are; None if the window was closed before."""
    closed = asyncio.Event()
    context.on("close", lambda _: closed.set())
    for page in context.pages[:1]:  # none if it has been closed already
        await _show(page, login_url)
    asked = _Sent({})
    # On macOS a browser outlives its windows.
    while context.pages and not closed.is_set():
        sent = await _cookies(context, server)
        if sent != asked:
            with suppress(APIConnectionError):  # a server that starts anew is back in a moment
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
    # Aborted is what a page is that sends the browser on, or that the user leaves.
    if reason and reason[1] != "ERR_ABORTED":
        raise APIConnectionError(f"the browser cannot open {url}: {reason[1]}")


async def _cookies(context: BrowserContext, server: str) -> _Sent:
    """What the browser would send; nothing if it has been closed."""
    from playwright.async_api import Error

    # With the slash, for what is sent below the address.
    try:
        found = await context.cookies([f"{server.removesuffix('/')}/"])
    except Error:
        return _Sent({})
    return _Sent({cookie["name"]: cookie["value"] for cookie in found})


def _not_signed_in(
    provider: str, login_url: str, server: str, waited_s: float | None
) -> AuthenticationError:
    what = "the browser window was closed" if waited_s is None else f"{waited_s:g} s were over"
    error = AuthenticationError(
        f"{what} before anybody was signed in to {server}. Login page: {login_url}",
        provider=provider,
    )
    error.login_url = login_url
    return error


__all__ = ["sign_in_with_browser"]
