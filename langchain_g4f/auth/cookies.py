"""The cookies of one identity; each stays in its own domain.

``http.cookiejar`` decides what a server may set and where a cookie may go, as
RFC 6265 asks. A cookie given by the user belongs to the host of the service alone.
A jar is capped, so a server cannot fill memory, and its repr shows names only.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import Request as URLRequest

from langchain_g4f.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPResponse

_HOST = "langchain-g4f-host"
"""Attribute in which a cookie of ours keeps its host and port."""


class _Reply:
    """The one method that ``CookieJar`` wants of a response."""

    def __init__(self, set_cookie: list[str]) -> None:
        self._message = Message()
        for value in set_cookie:
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message


class _OwnHost(DefaultCookiePolicy):
    """Lets a cookie go to its very host and port, of which the base makes more."""

    def return_ok(self, cookie: Cookie, request: URLRequest) -> bool:
        own = cookie.get_nonstandard_attr(_HOST) == urlsplit(request.full_url).netloc
        return own and super().return_ok(cookie, request)


class Cookies:
    """A thread-safe jar.

    Args:
        url: Address of the service; given cookies belong to its host.
        given: Names and values to start with.
        limit: How many cookies are kept.
        read_again: Gives what is given now, where that can change; nothing if it cannot.

    Attributes:
        version: Grows when the given cookies have changed.
    """

    def __init__(
        self,
        url: str,
        given: Mapping[str, str] | None = None,
        *,
        limit: int = 50,
        read_again: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self.version = 0
        self._url = url
        self._given = dict(given or {})
        self._read_again = read_again
        self._renewing = threading.Lock()
        # without the flag, a cookie of a host goes to its subdomains as well
        self._policy = _OwnHost(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
        self._jar = CookieJar(self._policy)
        self._mutex = threading.Lock()
        self._limit = limit
        self._take(self._given)

    def _take(self, given: Mapping[str, str]) -> None:
        secure = urlsplit(self._url).scheme == "https"
        for name, value in given.items():
            self._jar.set_cookie(_cookie(self._url, name, value, secure=secure))

    def renew(self, seen: int) -> bool:
        """Whether there are other cookies than those of version ``seen``, which were refused.

        However many calls ask, what is given is read again once.
        """
        with self._renewing:
            if self.version != seen:
                return True
            fresh = dict(self._read_again()) if self._read_again else {}
            if not fresh or fresh.items() <= self._given.items():
                return False
            with self._mutex:
                self._take(fresh)
            self._given |= fresh
            self.version += 1
            return True

    def __repr__(self) -> str:
        return f"<Cookies {sorted(cookie.name for cookie in self._jar)}>"

    def header_for(self, url: str) -> str:
        """The value of the ``Cookie`` header for ``url``, or an empty string."""
        try:
            request = URLRequest(url)  # noqa: S310 -- never opened, it only carries the URL
        except ValueError:  # it is no URL, which whoever sends the request will say
            return ""
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
                if not _narrow(cookie, url):
                    continue
                new = (cookie.domain, cookie.path, cookie.name) not in known
                if new and room <= 0:
                    continue
                if self._policy.set_ok(cookie, request):
                    self._jar.set_cookie(cookie)
                    room -= new


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
        del text, pairs  # some tracebacks show local variables
        msg = "cookies: expected 'name=value; name=value'"
        raise ConfigurationError(msg)
    return found


def parse_cookie_file(text: str, host: str, now: float) -> dict[str, str]:
    """The cookies for ``host`` in an exported cookie file, Netscape's form or JSON.

    JSON is a list of cookies, an object with such a list under ``cookies``, or an object
    of names and values. Expired cookies and those of other hosts are left out.

    Args:
        text: The file's content.
        host: Host name of the service.
        now: Seconds since the epoch.

    Raises:
        ConfigurationError: It is in another form, or has no cookie for the host.
    """
    exported = _exported(text)
    found = {
        cookie.name: cookie.value
        for cookie in exported or ()
        if _covers(cookie.domain, host) and not 0 < cookie.expires < now
    }
    if found:
        return found
    msg = f"cookies: the file has no cookie for {host}"
    if exported is None:
        msg = "cookies: the file is neither JSON nor in Netscape's form"
    del text, exported  # some tracebacks show local variables
    raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True, repr=False)
class _Exported:
    name: str
    value: str
    domain: str = ""
    expires: float = 0


def _exported(text: str) -> list[_Exported] | None:
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text)
    found = []
    for line in text.splitlines():
        fields = line.removeprefix("#HttpOnly_").split("\t")
        if len(fields) == 7 and not line.startswith("# "):
            domain, _, _, _, expires, name, value = fields
            found.append(_Exported(name, value, domain, _seconds(expires)))
    return found


def _from_json(text: str) -> list[_Exported] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("cookies"), list):
        value = value["cookies"]
    if isinstance(value, dict):
        return [_Exported(str(name), str(each)) for name, each in value.items()]
    return [
        _Exported(
            str(cookie["name"]),
            str(cookie["value"]),
            str(cookie.get("domain") or ""),
            _seconds(cookie.get("expirationDate") or cookie.get("expires")),
        )
        for cookie in value
        if isinstance(cookie, dict) and "name" in cookie and "value" in cookie
    ]


def _seconds(value: object) -> float:
    """When a cookie expires; a session cookie says 0, -1 or nothing."""
    try:
        return float(str(value))
    except ValueError:
        return 0


def _covers(domain: str, host: str) -> bool:
    domain, host = domain.lstrip(".").lower(), host.lower()
    is_address = host.rpartition(".")[2].isdecimal()  # and has no subdomains
    return not domain or host == domain or (not is_address and host.endswith(f".{domain}"))


def check_cookies(cookies: Mapping[str, str]) -> None:
    """Refuse names and values that a header cannot carry; values are not repeated."""
    problem = next(filter(None, map(_problem, cookies.items())), "")
    if problem:
        del cookies  # some tracebacks show local variables
        raise ConfigurationError(problem)


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


__all__ = ["Cookies", "check_cookies", "parse_cookie_file", "parse_cookie_header"]
