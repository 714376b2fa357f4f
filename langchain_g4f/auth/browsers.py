"""The cookies that a browser on this machine has for one service.

yt-dlp's cookies module finds and decrypts a browser's jar; of the libraries that can, it is the
one that keeps up with the browsers. It reads the whole jar: what the browser would not send to the
service is dropped at once, and nothing is written. Errors have our own words, because the
library's exceptions carry frames that hold values.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.auth.cookies import check_cookies
from langchain_g4f.core.extras import how_to_install
from langchain_g4f.errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.cookiejar import Cookie, CookieJar

BROWSERS = ("brave", "chrome", "chromium", "edge", "firefox", "opera", "safari", "vivaldi")
"""Names of the browsers that can be read."""

_EPOCH_S = 11_644_473_600
"""Seconds from 1601, where Chromium's clock starts, to 1970."""

# Chrome on Windows has encrypted for itself alone since version 127.
_UNDECRYPTABLE = (
    "browser: the cookies of {} cannot be decrypted, or the file is damaged. If it is encrypted by"
    " a keyring, unlock that. Export its cookies to a file with an add-on instead, and pass that"
    " file."
)


def read_browser_cookies(browser: str, url: str, *, profile: Path | None = None) -> dict[str, str]:
    """The cookies that an installed browser would send to ``url``: values by name.

    On macOS and with a keyring on Linux, the system may ask the user for permission. Browsers that
    are built like one of `BROWSERS` are read by its name and their ``profile``.

    Args:
        browser: One of `BROWSERS`.
        url: Address of the service, path included.
        profile: Folder of a profile, or of all profiles; the one used last is read. By default
            those in the browser's usual place.

    Raises:
        ConfigurationError: There is no such browser or profile, it cannot be read, or it has no
            cookie for the host.
        MissingDependencyError: The extra ``browser`` is not installed.
    """
    if browser not in BROWSERS:
        raise ConfigurationError(f"browser: {browser!r} is not one of {', '.join(BROWSERS)}")
    if browser == "safari" and sys.platform != "darwin":
        raise ConfigurationError("browser: safari keeps its cookies on macOS only")
    listener = _Listener()
    # The jar gets no name: some tracebacks show local variables.
    found = _sent_to(url, _read_jar(browser, profile, listener), time.time())
    if found:
        return found
    host = urlsplit(url).hostname
    # Firefox and Safari do not encrypt: their warnings are about something else.
    if listener.warned and browser not in ("firefox", "safari"):
        raise ConfigurationError(_UNDECRYPTABLE.format(browser))
    raise ConfigurationError(
        f"browser: {browser} has no cookie for {host}. Log in there with it first; if it is"
        " running, close it, so that it writes down what it has"
    )


class _Listener:
    """Logger for the library that prints nothing and notes that there was a warning."""

    def __init__(self) -> None:
        self.warned = False

    def debug(self, *_said: object, **_how: object) -> None:
        """Ignore the library's progress."""

    info = debug

    def warning(self, *_said: object, **_how: object) -> None:
        """Note the warning without its text, which may quote a cookie."""
        self.warned = True

    error = warning


def _read_jar(browser: str, profile: Path | None, listener: _Listener) -> CookieJar:
    try:
        from yt_dlp.cookies import (  # type: ignore[import-untyped]
            extract_cookies_from_browser,
        )
    except ImportError:
        extract_cookies_from_browser = None
    if extract_cookies_from_browser is None:
        raise MissingDependencyError(
            f"the cookies of a browser need the extra `browser`. {how_to_install('browser')}"
        )
    folder = _folder(browser, profile)
    try:
        jar: CookieJar = extract_cookies_from_browser(browser, folder, listener)
    except FileNotFoundError:
        where = f"in {folder}" if folder else "in its usual place; name its profile folder"
        problem = f"browser: there are no cookies of {browser} {where}"
    except Exception as error:  # noqa: BLE001 -- of a broken jar, it lets everything through
        # Where a running Chrome on Windows locks its jar, the library raises an error of its own.
        locked = isinstance(error, OSError) or isinstance(error.__context__, OSError)
        problem = _UNDECRYPTABLE.format(browser)
        if locked:
            problem = (
                f"browser: the cookies of {browser} cannot be read: close the browser, see that"
                " its files are yours to read, and try again"
            )
    else:
        return jar
    raise ConfigurationError(problem)


def _folder(browser: str, profile: Path | None) -> str | None:
    """``profile`` as the absolute path that the library wants."""
    if profile is None:
        return None
    profile = profile.expanduser().absolute()
    if browser == "safari":
        return str(profile / "Cookies.binarycookies" if profile.is_dir() else profile)
    # The key of a Windows profile is looked for in the folder above it.
    default = profile / "Default"
    whole = browser != "firefox" and (profile / "Local State").is_file() and default.is_dir()
    return str(default if whole else profile)


def _sent_to(url: str, cookies: Iterable[Cookie], now: float) -> dict[str, str]:
    """The cookies that go to ``url`` by RFC 6265, section 5.4.

    Those that a header cannot carry are left out: a value decrypted with a wrong key is like that.
    """
    parts = urlsplit(url)
    host, path, secure = parts.hostname or "", parts.path or "/", parts.scheme == "https"
    sent = [
        cookie
        for cookie in cookies
        if _domain_covers(cookie.domain, host)
        and _path_covers(cookie.path, path)
        and (secure or not cookie.secure)
        and not _is_expired(cookie, now)
        and _is_plain(cookie)
    ]
    # A service reads the first of one name, which is the one with the longest path.
    sent.sort(key=lambda cookie: (len(cookie.path), len(cookie.domain.lstrip("."))))
    return {cookie.name: cookie.value or "" for cookie in sent}


def _domain_covers(domain: str, host: str) -> bool:
    # In the jars of browsers, a leading dot marks a cookie that goes to subdomains, too.
    domain = domain.lower()
    is_address = host.rpartition(".")[2].isdecimal()  # an address has no subdomains
    wide = domain.startswith(".") and not is_address
    return domain.lstrip(".") == host or (wide and host.endswith(domain))


def _path_covers(wanted: str, path: str) -> bool:
    return path == wanted or path.startswith(wanted if wanted.endswith("/") else f"{wanted}/")


def _is_expired(cookie: Cookie, now: float) -> bool:
    if not cookie.expires:
        return False
    # The library passes Chromium's time on as it is: microseconds since 1601.
    far = cookie.expires > 1e13
    return (cookie.expires / 1e6 - _EPOCH_S if far else cookie.expires) < now


def _is_plain(cookie: Cookie) -> bool:
    if not isinstance(cookie.value, str) or not cookie.value:
        return False
    try:
        check_cookies({cookie.name: cookie.value})
    except ConfigurationError:
        return False
    return True


__all__ = ["BROWSERS", "read_browser_cookies"]
