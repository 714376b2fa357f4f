"""The cookies of one identity; each stays in its own domain.

``http.cookiejar`` decides by RFC 6265 what a server may set and where a cookie may go. A cookie
given by the user belongs to the host of the service alone. A jar has a bound, so that a server
cannot fill memory, and its repr shows names only. A cookie that no header can carry, or that is
larger than RFC 6265bis allows, is left out.
"""

from __future__ import annotations

import logging
import re
import threading
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import Request as URLRequest

from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPResponse

_LARGEST = 4096
"""Bytes that name and value of a cookie may have together (RFC 6265bis, section 5.7)."""
_LONGEST = 2 * _LARGEST
"""Characters that a ``Set-Cookie`` header may have, its attributes included."""

_log = logging.getLogger("langchain_g4f")

_HOST = "langchain-g4f-host"
"""Attribute in which a cookie of ours keeps its host and port."""


class _Reply:
    """A response, as far as ``CookieJar`` reads it."""

    def __init__(self, set_cookie: list[str]) -> None:
        self._message = Message()
        for value in set_cookie:
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message


class _OwnHost(DefaultCookiePolicy):
    """Lets a cookie go only to the host and port that it has; the base class allows more."""

    def return_ok(self, cookie: Cookie, request: URLRequest) -> bool:
        own = cookie.get_nonstandard_attr(_HOST) == urlsplit(request.full_url).netloc
        return own and super().return_ok(cookie, request)


class Cookies:
    """A thread-safe jar.

    Args:
        url: Address of the service; given cookies belong to its host.
        given: Names and values to start with.
        limit: How many cookies are kept.
        refreshed: Called with the old and the new values of given cookies that the service renews.

    Attributes:
        version: Number that grows when other cookies are given.
    """

    def __init__(
        self,
        url: str,
        given: Mapping[str, str] | None = None,
        *,
        limit: int = 50,
        refreshed: Callable[[Mapping[str, str], Mapping[str, str]], None] | None = None,
    ) -> None:
        self.version = 0
        self._url = url
        self._tried = [dict(given or {})]
        self._known = dict(given or {})
        self._refreshed = refreshed
        # without the flag, a cookie of a host goes to its subdomains as well
        self._policy = _OwnHost(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
        self._jar = CookieJar(self._policy)
        self._mutex = threading.Lock()
        self._limit = limit
        self._take(self._known, url)

    def _take(self, given: Mapping[str, str], url: str) -> None:
        secure = urlsplit(url).scheme == "https"
        for name, value in given.items():
            self._jar.set_cookie(_cookie(url, name, value, secure=secure))

    def give(self, url: str, cookies: Mapping[str, str]) -> bool:
        """Add cookies of another server, for its host and port; False if they were there."""
        before = self.header_for(url)
        with self._mutex:
            self._take(cookies, url)
        return self.header_for(url) != before

    def renew(self, fresh: Mapping[str, str]) -> bool:
        """Take ``fresh`` cookies; False if they were given before."""
        with self._mutex:
            if any(fresh.items() <= known.items() for known in (*self._tried, self._known)):
                return False
            self._take(fresh, self._url)
            self._tried.append(dict(fresh))
            self._known |= fresh
            self.version += 1
            return True

    def __repr__(self) -> str:
        return f"<Cookies {sorted(cookie.name for cookie in self._jar)}>"

    def header_for(self, url: str) -> str:
        """The value of the ``Cookie`` header for ``url``, or an empty string."""
        try:
            request = URLRequest(url)  # noqa: S310 -- never opened, it only carries the URL
        except ValueError:  # it is no URL; sending the request will raise an error
            return ""
        with self._mutex:
            self._jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def store(self, url: str, set_cookie: list[str], *, accepted: bool = False) -> None:
        """Keep what a response to ``url`` set, if the server may set it.

        Args:
            url: Address that the response came from.
            set_cookie: Its ``Set-Cookie`` headers.
            accepted: Whether the server took the request, and so knows the caller.
        """
        if not set_cookie:
            return
        headers = [value for value in set_cookie[: self._limit] if len(value) <= _LONGEST]
        reply = cast("HTTPResponse", _Reply(headers))
        request = URLRequest(url)  # noqa: S310 -- never opened, it only carries the URL
        with self._mutex:
            room = self._limit - len(self._jar)
            known = {(c.domain, c.path, c.name) for c in self._jar}
            for cookie in self._jar.make_cookies(reply, request):
                if not _narrow(cookie, url) or _is_unfit(cookie):
                    continue
                new = (cookie.domain, cookie.path, cookie.name) not in known
                if new and room <= 0:
                    continue
                if self._policy.set_ok(cookie, request):
                    self._jar.set_cookie(cookie)
                    room -= new
            old, changed = self._changed() if accepted else ({}, {})
        if changed and self._refreshed is not None:
            self._refreshed(old, changed)

    def _changed(self) -> tuple[dict[str, str], dict[str, str]]:
        """The given cookies whose values have changed: old values and new values."""
        here = urlsplit(self._url).netloc
        now = {c.name: c.value for c in self._jar if c.get_nonstandard_attr(_HOST) == here}
        known = self._known
        new = {n: v for n, v in now.items() if v and n in known and v != known[n]}
        old = {name: known[name] for name in new}
        known |= new
        return old, new


def parse_cookie_header(text: str) -> dict[str, str]:
    """Names and values of a ``Cookie`` header, as a browser shows it.

    Raises:
        ConfigurationError: It has no ``name=value``; the text is not repeated.
    """
    text = re.sub(r"\A\s*cookie:", "", text, flags=re.IGNORECASE)
    pairs = (pair.strip().partition("=") for pair in text.split(";") if pair.strip())
    found = {name: value for name, equals, value in pairs if equals and name}
    if not found:
        del text, pairs  # some tracebacks show local variables
        raise ConfigurationError("cookies: expected 'name=value; name=value'")
    return found


def check_cookies(cookies: Mapping[str, str]) -> None:
    """Refuse names and values that a header cannot carry; values are not repeated."""
    problem = next(filter(None, map(_problem, cookies.items())), "")
    if problem:
        del cookies  # some tracebacks show local variables
        raise ConfigurationError(problem)


def check_token(token: str, name: str = "api_key") -> None:
    """Refuse a token that a header cannot carry; it is not repeated."""
    if re.fullmatch("[!-~]*", token) is None:
        del token  # some tracebacks show local variables
        raise ConfigurationError(f"{name}: it has a character that a header cannot carry")


def _problem(cookie: tuple[str, str]) -> str:
    name, value = cookie
    if not name or not _is_plain(name) or any(c in name for c in "=;, "):
        return "cookies: a name is empty or has a character that is not allowed"
    if not _is_plain(value) or ";" in value or value != value.strip():
        return f"cookies: the value of {name[:40]!r} has a character that is not allowed"
    return ""


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _domain(url: str) -> str:
    """The host of ``url`` as ``http.cookiejar`` writes it."""
    host = urlsplit(url).hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return host if "." in host else f"{host}.local"


def _narrow(cookie: Cookie, url: str) -> bool:
    """Make it a cookie of its host alone; False if its ``Domain`` is another or wider."""
    cookie.set_nonstandard_attr(_HOST, urlsplit(url).netloc)
    if cookie.domain_specified:
        if cookie.domain.lstrip(".") != urlsplit(url).hostname:
            return False
        cookie.domain, cookie.domain_specified = _domain(url), False
        cookie.domain_initial_dot = False
    return True


def _is_unfit(cookie: Cookie) -> bool:
    """Whether the cookie could not be sent back, or is too large."""
    value = cookie.value or ""
    problem = _problem((cookie.name, value))
    if len(cookie.name) + len(value) > _LARGEST:
        problem = f"cookies: {cookie.name[:40]!r} is larger than {_LARGEST} bytes"
    if problem:
        _log.debug("left out of what %s sets: %s", cookie.domain, ascii(problem))
    return bool(problem)


def _cookie(url: str, name: str, value: str, *, secure: bool) -> Cookie:
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=_domain(url),
        domain_specified=False,
        domain_initial_dot=False,
        path="/",
        path_specified=True,
        secure=secure,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={_HOST: urlsplit(url).netloc},
    )


__all__ = ["Cookies", "check_cookies", "check_token", "parse_cookie_header"]
