"""Cookies that others take the place of: those of a new login, and those a service refreshes."""

from __future__ import annotations

import threading

import pytest

from langchain_g4f.auth.cookies import Cookies

CHAT = "https://chat.example.com/chat"


def pairs(header: str) -> set[str]:
    """The cookies of a header."""
    return set(header.split("; "))


def test_other_cookies_take_the_place_of_refused_ones_once() -> None:
    """However many callers bring them; the version says that they are others."""
    cookies = Cookies(CHAT, {"a": "old", "b": "2"})
    renewed: list[bool] = []
    threads = [
        threading.Thread(target=lambda: renewed.append(cookies.renew({"a": "new"})))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(renewed) == [False] * 7 + [True]
    assert cookies.version == 1
    assert pairs(cookies.header_for(CHAT)) == {"a=new", "b=2"}


@pytest.mark.parametrize("fresh", [{}, {"a": "1"}, {"a": "1", "b": "2"}, {"a": "newer"}])
def test_cookies_that_were_given_before_do_not_renew(fresh: dict[str, str]) -> None:
    """They are what was refused, in whole or in part, or what the service made of it."""
    cookies = Cookies(CHAT, {"a": "1", "b": "2"})
    cookies.store(CHAT, ["a=newer; Path=/"], accepted=True)
    assert not cookies.renew(fresh)
    assert cookies.version == 0
    assert pairs(cookies.header_for(CHAT)) == {"a=newer", "b=2"}


def test_refreshed_cookie_of_an_accepted_request_is_told_with_what_it_was() -> None:
    """Of those that were given, and each change once."""
    told: list[tuple[dict[str, str], dict[str, str]]] = []
    cookies = Cookies(
        CHAT,
        {"a": "1", "b": "2"},
        refreshed=lambda old, new: told.append((dict(old), dict(new))),
    )
    cookies.store(CHAT, ["a=3; Path=/", "c=4; Path=/"], accepted=True)
    cookies.store(CHAT, ["a=3; Path=/", "b=; Path=/; Max-Age=0"], accepted=True)
    cookies.store(CHAT, ["a=; Path=/"], accepted=True)
    cookies.store(CHAT, ["a=5; Path=/"], accepted=True)
    assert told == [({"a": "1"}, {"a": "3"}), ({"a": "3"}, {"a": "5"})]


def test_cookie_of_a_refused_request_is_told_to_nobody() -> None:
    """Who is turned away is given a stranger's session, which nobody wants to keep."""
    told: list[object] = []
    cookies = Cookies(CHAT, {"a": "1"}, refreshed=lambda *both: told.append(both))
    cookies.store(CHAT, ["a=stranger; Path=/"])
    assert told == []


def test_cookie_of_another_host_is_told_to_nobody() -> None:
    """Neither what it sets for itself nor what it sets for others is the service's."""
    told: list[object] = []
    cookies = Cookies(CHAT, {"a": "1"}, refreshed=lambda *both: told.append(both))
    cookies.store(CHAT, ["a=elsewhere; Path=/; Domain=other.example"], accepted=True)
    cookies.store("https://other.example/", ["a=elsewhere; Path=/"], accepted=True)
    assert told == []
    assert pairs(cookies.header_for(CHAT)) == {"a=1"}
