"""The cookies of one identity; each stays in its own domain.

``http.cookiejar`` decides what a server may set and where a cookie may go, as
RFC 6265 asks. A cookie given by the user belongs to the host of the service alone.
A jar is capped, so a server cannot fill memory, and its repr shows names only.
"""

from __future__ import annotations

import threading
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import Request as URLRequest

from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse


class _Reply:
    """The one method that ``CookieJar`` wants of a response."""

    def __init__(self, set_cookie: list[str]) -> None:
        self._message = Message()
        for value in set_cookie:
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message


class Cookies:
    """A thread-safe jar.

    Args:
        url: Address of the service; given cookies belong to its host.
        given: Names and values to start with.
        limit: How many cookies are kept.
    """

    def __init__(
        self, url: str, given: Mapping[str, str] | None = None, *, limit: int = 50
    ) -> None:
        self._policy = DefaultCookiePolicy()
        self._jar = CookieJar(self._policy)
        self._mutex = threading.Lock()
        self._limit = limit
        parts = urlsplit(url)
        for name, value in (given or {}).items():
            self._jar.set_cookie(
                _cookie(parts.hostname or "", name, value, secure=parts.scheme == "https")
            )

    def __repr__(self) -> str:
        return f"<Cookies {sorted(cookie.name for cookie in self._jar)}>"

    def header_for(self, url: str) -> str:
        """The value of the ``Cookie`` header for ``url``, or an empty string."""
        request = URLRequest(url)  # noqa: S310 -- never opened, it only carries the URL
        with self._mutex:
            self._jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def store(self, url: str, set_cookie: list[str]) -> None:
        """Keep what a response to ``url`` set, if the server may set it."""
        if not set_cookie:
            return
        reply = cast("HTTPResponse", _Reply(set_cookie[: self._limit]))
        request = URLRequest(url)  # noqa: S310 -- never opened, it only carries the URL
        with self._mutex:
            room = self._limit - len(self._jar)
            known = {(c.domain, c.path, c.name) for c in self._jar}
            for cookie in self._jar.make_cookies(reply, request):
                new = (cookie.domain, cookie.path, cookie.name) not in known
                if new and room <= 0:
                    continue
                if self._may_set(cookie, request):
                    self._jar.set_cookie(cookie)
                    room -= new

    def _may_set(self, cookie: Cookie, request: URLRequest) -> bool:
        """Stricter than browsers: a ``Domain`` wider than the very host is refused."""
        wide = cookie.domain_specified and cookie.domain.lstrip(".") != request.host
        return not wide and self._policy.set_ok(cookie, request)


def parse_cookie_header(text: str) -> dict[str, str]:
    """Names and values of a ``Cookie`` header, as a browser shows it.

    Raises:
        ConfigurationError: It has no ``name=value``; the text is not repeated.
    """
    text = text.strip()
    if text.lower().startswith("cookie:"):
        text = text[len("cookie:") :]
    pairs = (pair.strip().partition("=") for pair in text.split(";") if pair.strip())
    found = {name: value for name, equals, value in pairs if equals and name}
    if not found:
        msg = "cookies: expected 'name=value; name=value'"
        raise ConfigurationError(msg)
    return found


def check_cookies(cookies: Mapping[str, str]) -> None:
    """Refuse names and values that a header cannot carry; values are not repeated."""
    for name, value in cookies.items():
        if not name or any(c in name for c in "=;, \t\r\n"):
            msg = "cookies: a name is empty or has a character that is not allowed"
            raise ConfigurationError(msg)
        if any(c in value for c in ";\r\n\0") or not value.isascii():
            msg = f"cookies: the value of {name!r} has a character that is not allowed"
            raise ConfigurationError(msg)


def _cookie(host: str, name: str, value: str, *, secure: bool) -> Cookie:
    domain = host if "." in host or ":" in host else f"{host}.local"
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=domain,
        domain_specified=False,
        domain_initial_dot=False,
        path="/",
        path_specified=True,
        secure=secure,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={},
    )


__all__ = ["Cookies", "check_cookies", "parse_cookie_header"]
