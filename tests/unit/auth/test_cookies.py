"""The cookies of one identity."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest

from langchain_g4f.auth.cookies import Cookies, check_cookies, parse_cookie_header
from langchain_g4f.errors import ConfigurationError
from tests.unit.traces import assert_tells_nothing

CANARY = "canary-f3a91c77d2"
CHAT = "https://chat.example.com/chat"

HOSTS = [
    "https://chat.example.com/chat",
    "https://chat.example.com:8443/chat",
    "https://CHAT.example.com/chat",
    "http://localhost:8080",
    "http://127.0.0.1:8080/chat",
    "http://[::1]:8080/chat",
]
ELSEWHERE = [
    "https://example.com/",
    "https://www.chat.example.com/",
    "https://chat.example.com.evil.example/",
    "https://evilchat.example.com/",
    "http://127.0.0.2/",
    "http://[::2]/",
    "http://local/",
]


def pairs(header: str) -> set[str]:
    """The cookies of a header."""
    return set(header.split("; ")) if header else set()


@pytest.mark.parametrize("url", HOSTS)
def test_given_cookies_go_to_the_service_and_nowhere_else(url: str) -> None:
    """Not to its parents, its children, or to a host that looks like it."""
    cookies = Cookies(url, {"a": "1", "b": "2"})
    assert pairs(cookies.header_for(url)) == {"a=1", "b=2"}
    assert pairs(cookies.header_for(f"{url}/deep/path?x=1")) == {"a=1", "b=2"}
    for other in ELSEWHERE:
        assert cookies.header_for(other) == ""


def test_cookies_given_for_https_are_not_sent_in_the_clear() -> None:
    """The same host without TLS is not the service."""
    cookies = Cookies(CHAT, {"a": "1"})
    assert cookies.header_for(CHAT.replace("https", "http")) == ""


@pytest.mark.proves("obligation:huggingchat:1")
@pytest.mark.parametrize("attributes", ["", "; HttpOnly; Max-Age=600; SameSite=Lax", "; Domain={}"])
@pytest.mark.parametrize("url", HOSTS[:-1])
def test_refreshed_cookie_replaces_the_given_one(url: str, attributes: str) -> None:
    """Also where the server names its own host as the domain."""
    cookies = Cookies(url, {"a": "old", "b": "kept"})
    own = attributes.format(urlsplit(url).hostname)
    cookies.store(f"{url}/conversation", [f"a=new; Path=/{own}"])
    assert pairs(cookies.header_for(url)) == {"a=new", "b=kept"}
    for other in ELSEWHERE:
        assert cookies.header_for(other) == ""


@pytest.mark.parametrize(
    "set_cookie",
    [
        "a=1; Domain=other.example",
        "a=1; Domain=example.com",
        "a=1; Domain=.example.com",
        "a=1; Domain=com",
        "a=1; Domain=www.chat.example.com",
        "a=1; Domain=.chat.example.com.evil.example",
        "a=1; Path=/other",
        "a=1; Max-Age=0",
        "a=1; Path=/; Version=2",
        "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "",
        ";;;",
    ],
)
def test_cookie_that_is_foreign_too_wide_or_over_is_not_sent(set_cookie: str) -> None:
    """Neither to the service nor to whom it was meant for."""
    cookies = Cookies(CHAT)
    cookies.store(f"{CHAT}/x", [set_cookie])
    for url in (CHAT, f"{CHAT}/x", *ELSEWHERE, "https://other.example/"):
        assert "a=1" not in cookies.header_for(url)


def test_cookie_of_the_very_host_does_not_go_to_its_subdomains() -> None:
    """A ``Domain`` that names the host is taken as the host alone."""
    cookies = Cookies(CHAT)
    cookies.store(CHAT, ["a=1; Domain=chat.example.com; Path=/"])
    assert cookies.header_for(CHAT) == "a=1"
    assert cookies.header_for("https://www.chat.example.com/") == ""


@pytest.mark.parametrize(
    ("given", "set_cookies", "sent"),
    [
        (None, [], set()),
        ({}, [], set()),
        ({"a": "1"}, [], {"a=1"}),
        ({"a": "1", "b": "2"}, ["a=; Path=/; Max-Age=0"], {"b=2"}),
        (
            {},
            ["a=1; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "b=2; Path=/"],
            {"a=1", "b=2"},
        ),
    ],
)
def test_cookies_of_an_answer_are_kept_and_ended(
    given: dict[str, str] | None, set_cookies: list[str], sent: set[str]
) -> None:
    """Each has a header of its own; a comma in a date is no separator."""
    cookies = Cookies(CHAT, given)
    cookies.store(CHAT, set_cookies)
    assert pairs(cookies.header_for(CHAT)) == sent


def test_address_that_is_none_gets_no_cookies() -> None:
    """Whoever sends the request will say what is wrong."""
    assert Cookies(CHAT, {"a": "1"}).header_for("http://[") == ""


def test_jar_is_capped_and_known_cookies_are_still_refreshed() -> None:
    """A server cannot fill memory, with one answer or with many."""
    cookies = Cookies(CHAT, {"a": "old"}, limit=5)
    cookies.store(CHAT, [f"x{n}=1; Path=/" for n in range(10_000)])
    for n in range(100):
        cookies.store(CHAT, [f"y{n}=1; Path=/"])
    cookies.store(CHAT, ["a=new; Path=/", "z=1; Path=/"])
    kept = pairs(cookies.header_for(CHAT))
    assert len(kept) == 5
    assert "a=new" in kept


@pytest.mark.proves("obligation:huggingchat:19", "promise:redaction")
@pytest.mark.parametrize(("length", "kept"), [(4092, True), (4093, False)])
def test_cookie_is_kept_up_to_4096_bytes_of_name_and_value(length: int, kept: bool) -> None:
    """As in browsers; a larger one could not be sent back to every server."""
    cookies = Cookies(CHAT, {})
    cookies.store(CHAT, [f"name={'v' * length}"])
    assert cookies.header_for(CHAT) == (f"name={'v' * length}" if kept else "")


def test_repr_of_a_jar_shows_names_only() -> None:
    """A jar stands in many frames."""
    assert repr(Cookies(CHAT, {"b": CANARY, "a": CANARY})) == "<Cookies ['a', 'b']>"


def test_jar_is_used_by_several_threads_at_once() -> None:
    """Reading and refreshing do not disturb each other."""
    cookies = Cookies(CHAT, {"a": "0"})
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(100):
                cookies.store(CHAT, [f"a={number}{n}; Path=/", f"b{number}={n}; Path=/"])
                assert "a=" in cookies.header_for(CHAT)
        except BaseException as exc:  # noqa: BLE001 -- handed to the test's thread
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


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


def test_cookie_of_a_refused_request_or_another_host_is_not_reported() -> None:
    """A refused caller gets a stranger's session; other hosts set no cookie of the service."""
    told: list[object] = []
    cookies = Cookies(CHAT, {"a": "1"}, refreshed=lambda *both: told.append(both))
    cookies.store(CHAT, ["a=elsewhere; Path=/; Domain=other.example"], accepted=True)
    cookies.store("https://other.example/", ["a=elsewhere; Path=/"], accepted=True)
    assert pairs(cookies.header_for(CHAT)) == {"a=1"}
    cookies.store(CHAT, ["a=stranger; Path=/"])
    assert told == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1", {"a": "1"}),
        (" a=1; b=2 ;c=3;", {"a": "1", "b": "2", "c": "3"}),
        ("Cookie: a=1; b=2", {"a": "1", "b": "2"}),
        ("cookie:a=1", {"a": "1"}),
        ("a=b=c==", {"a": "b=c=="}),
        ('a="quoted"', {"a": '"quoted"'}),
        ("a=", {"a": ""}),
        ("a=1; flag; =x; a=2", {"a": "2"}),
    ],
)
def test_cookie_header_is_read_as_a_browser_shows_it(text: str, found: dict[str, str]) -> None:
    """Names and values, with or without the header's name."""
    assert parse_cookie_header(text) == found


@pytest.mark.parametrize("text", ["", "  ", CANARY, f"={CANARY}", "Cookie:", ";;"])
def test_text_without_a_cookie_is_refused_and_not_repeated(text: str) -> None:
    """It may be a credential all the same."""
    with pytest.raises(ConfigurationError) as caught:
        parse_cookie_header(text)
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.parametrize("value", ["", "abc", "a=b", '"q"', "a b", "a,b", "~!@#$%^&*()"])
def test_value_that_a_header_can_carry_passes(value: str) -> None:
    """Browsers send more than the standard allows."""
    check_cookies({"hf-chat": value})


@pytest.mark.parametrize(
    "ending", [";", "\r", "\n", "\0", "\t", "\x1b", "\x7f", "ä", "\x85", " ", "\ud800"]
)
def test_value_that_a_header_cannot_carry_is_refused_and_not_repeated(ending: str) -> None:
    """Before anything is sent; the name says which it is."""
    with pytest.raises(ConfigurationError, match="'hf-chat'") as caught:
        check_cookies({"hf-chat": CANARY + ending})
    assert_tells_nothing(caught.value, CANARY)


@pytest.mark.parametrize("name", ["", "a b", "a=", "a;", "a,", "a\n", "\ta", "ä", "a\0", "\ud800"])
def test_name_that_a_header_cannot_carry_is_refused(name: str) -> None:
    """A name is a token."""
    with pytest.raises(ConfigurationError, match="a name is empty or has a character"):
        check_cookies({name: "1"})
