"""Property 7: where a cookie may go, measured against `http.cookiejar`, and stricter than it."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import Cookie, CookieJar
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.errors import ConfigurationError
from tests.contract.properties.updates import texts

HOSTS = (
    *(
        "chat.example",
        "CHAT.example",
        "x.chat.example",
        "example",
        "other.example",
        "xchat.example",
    ),
    *("intranet", "intranet.local", "localhost", "127.0.0.1", "1.127.0.0.1", "10.127.0.0.1"),
    *("[::1]", "[::2]", "com", "chat.co.uk", "co.uk", "chat.example."),
)
_urls = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["", ":8080", ":80"]),
    st.sampled_from(["", "/", "/chat", "/chat/x", "/chatter", "/x?y=1"]),
)
_domains = [*HOSTS, ".chat.example", ".example", ".local", ".0.0.1", "0.0.1", "", ".com", "uk"]
_attributes = st.one_of(
    st.sampled_from(_domains).map("Domain={}".format),
    st.sampled_from(["/", "/chat", "/x", "", "chat", "/chat/"]).map("Path={}".format),
    st.sampled_from(["Secure", "HttpOnly", "SameSite=Lax", "Version=1", "Port=80", "Discard"]),
    st.sampled_from(["Max-Age=0", "Max-Age=-1", "Max-Age=9999", "Max-Age=x", "Expires=never"]),
    st.sampled_from(["Expires=Fri, 31 Dec 1999 23:59:59 GMT", "Expires=31 Dec 2099 00:00:00 GMT"]),
    st.text(max_size=8),
)
_set_cookies = st.builds(
    lambda name, attributes: "; ".join([name, *attributes]),
    st.builds("{}={}".format, st.sampled_from("abcde"), st.sampled_from("12345"))
    | st.text(max_size=8),
    st.lists(_attributes, max_size=3),
)
_visits = st.lists(st.tuples(_urls, st.lists(_set_cookies, max_size=3)), max_size=5)


@dataclass
class _Reply:
    values: list[str]
    message: Message = field(default_factory=Message)

    def info(self) -> Message:
        for value in self.values:
            self.message["Set-Cookie"] = value
        return self.message


def _pairs(header: str) -> set[str]:
    return set(header.split("; ")) if header else set()


def _reference(visits: list[tuple[str, list[str]]], given_at: str) -> CookieJar:
    jar = CookieJar()
    host = urlsplit(given_at).hostname or ""
    written = f"[{host}]" if ":" in host else host
    fields: dict[str, Any] = dict.fromkeys(
        ("port", "expires", "comment", "comment_url"),
    ) | {"version": 0, "name": "given", "value": "0", "path": "/", "path_specified": True}
    fields |= {"domain": written if "." in written else f"{written}.local", "rest": {}}
    fields |= dict.fromkeys(("port_specified", "domain_specified", "domain_initial_dot"), False)
    secure = given_at.startswith("https")
    jar.set_cookie(Cookie(secure=secure, discard=True, **fields))
    for url, set_cookie in visits:
        jar.extract_cookies(_Reply(set_cookie), Request(url))  # type: ignore[arg-type]  # noqa: S310, not opened
    return jar


@pytest.mark.proves("property:7", "fault:39:HC", "fault:40:HC", "obligation:huggingchat:1")
@given(home=_urls, visits=_visits, asked=_urls)
def test_cookies_sent_are_a_part_of_what_the_standard_library_would_send(
    home: str, visits: list[tuple[str, list[str]]], asked: str
) -> None:
    """Whatever servers set, and whoever is asked afterwards."""
    cookies = Cookies(home, {"given": "0"})
    for url, set_cookie in visits:
        cookies.store(url, set_cookie)
    reference = Request(asked)  # noqa: S310, not opened
    _reference(visits, home).add_cookie_header(reference)
    allowed = _pairs(reference.get_header("Cookie") or "")
    assert _pairs(cookies.header_for(asked)) <= allowed


@pytest.mark.proves("property:7", "fault:38:HC", "fault:39:HC", "fault:40:HC")
@given(
    home=_urls,
    visits=st.lists(st.tuples(_urls, st.lists(_attributes, max_size=3)), max_size=5),
    asked=_urls,
)
def test_cookie_goes_to_no_host_but_its_own(
    home: str, visits: list[tuple[str, list[str]]], asked: str
) -> None:
    """Neither a given cookie nor one that a server set, whatever domain it claims."""
    cookies = Cookies(home, {"given": "0"})
    own = {"given=0"} if _same_host(home, asked) else set()
    for number, (url, attributes) in enumerate(visits):
        for name in "ab":  # a value tells who set it
            cookies.store(url, ["; ".join([f"{name}={number}", *attributes])])
        own |= {f"a={number}", f"b={number}"} if _same_host(url, asked) else set()
    assert _pairs(cookies.header_for(asked)) <= own


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).hostname == urlsplit(other).hostname


@pytest.mark.proves("property:7", "fault:39:HC")
@given(home=_urls, visits=_visits, limit=st.integers(1, 6))
def test_jar_keeps_no_more_cookies_than_its_limit(
    home: str, visits: list[tuple[str, list[str]]], limit: int
) -> None:
    """And never loses the one that was given, but to the same host."""
    cookies = Cookies(home, {"given": "0"}, limit=limit)
    for url, set_cookie in visits:
        cookies.store(url, set_cookie)
    assert len(cookies._jar) <= limit
    assert "given=0" in cookies.header_for(home)


@pytest.mark.proves("property:7", "property:8-redaction", "obligation:huggingchat:19")
@given(name=texts, value=st.text(min_size=4), asked=_urls)
def test_cookie_values_are_in_no_repr(name: str, value: str, asked: str) -> None:
    """Names only."""
    cookies = Cookies(asked, {name: f"canary{value}"})
    assert "canary" not in repr(cookies)
    try:
        cookies.header_for(asked)
    except ConfigurationError:
        pytest.fail("the header is made, whatever it holds")
