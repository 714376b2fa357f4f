"""Cookies from a file that a browser's add-on has exported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_g4f.auth.cookie_files import parse_cookie_file
from langchain_g4f.errors import ConfigurationError
from tests.unit.traces import assert_tells_nothing

HOST = "chat.example.com"
NOW = 1_700_000_000.0
CANARY = "canary-f3a91c77d2"


def netscape(domain: str, name: str, value: str, expires: object = 0) -> str:
    """A line of such a file."""
    return "\t".join((domain, "TRUE", "/", "TRUE", str(expires), name, value))


NETSCAPE = "\n".join(
    (
        "# Netscape HTTP Cookie File",
        "# https://curl.se/docs/http-cookies.html",
        "",
        netscape(HOST, "a", "1"),
        netscape(f".{HOST}", "b", "2", NOW + 60),
        netscape(".example.com", "c", "3", "-1"),
        "#HttpOnly_" + netscape("CHAT.example.com", "d", "4"),
        netscape(HOST, "old", "x", NOW - 60),
        netscape("other.example.com", "other", "x"),
        netscape("evilchat.example.com", "evil", "x"),
        netscape("www.chat.example.com", "child", "x"),
        "# " + netscape(HOST, "comment", "x"),
        "too\tfew\tfields",
    )
)


def test_netscape_file_gives_the_cookies_of_the_host() -> None:
    """Those of its parents as well; expired ones, foreign ones and comments are left out."""
    found = {"a": "1", "b": "2", "c": "3", "d": "4"}
    assert parse_cookie_file(NETSCAPE, HOST, NOW) == found
    assert parse_cookie_file(NETSCAPE.replace("\n", "\r\n"), HOST.upper(), NOW) == found


EXPORTED: list[Any] = [
    {"name": "a", "value": "1", "domain": HOST},
    {"name": "b", "value": "2", "domain": f".{HOST}", "expirationDate": NOW + 60},
    {"name": "c", "value": "3", "domain": ".example.com", "expires": -1},
    {"name": "d", "value": "4"},
    {"name": "e", "value": 5, "domain": None, "expirationDate": None, "expires": "Session"},
    {"name": "old", "value": "x", "domain": HOST, "expirationDate": NOW - 60},
    {"name": "other", "value": "x", "domain": "other.example.com"},
    {"name": "no value", "domain": HOST},
    {"value": "no name", "domain": HOST},
    "no cookie",
    None,
]


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"cookies": found, "x": 1}])
def test_json_file_gives_the_cookies_of_the_host(wrap: Any) -> None:
    """A list, or an object that holds it; what is no cookie is left out."""
    text = "\n " + json.dumps(wrap(EXPORTED))
    found = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
    assert parse_cookie_file(text, HOST, NOW) == found


def test_json_object_of_names_and_values_is_for_the_host() -> None:
    """The simplest form, written by hand."""
    assert parse_cookie_file('{"a": "1", "b": 2}', HOST, NOW) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"no cookie for {HOST}"),
        (CANARY, f"no cookie for {HOST}"),
        (netscape("other.example", "a", CANARY), f"no cookie for {HOST}"),
        (json.dumps([{"name": "a", "value": CANARY, "domain": "x"}]), f"no cookie for {HOST}"),
        ("{}", f"no cookie for {HOST}"),
        ('{"a": "' + CANARY, "neither JSON nor in Netscape's form"),
        ("[" * 100_000, "neither JSON nor in Netscape's form"),
    ],
    ids=["empty", "text", "other host", "other host in JSON", "empty object", "cut", "too deep"],
)
def test_file_without_a_cookie_for_the_host_is_refused_and_not_repeated(
    text: str, said: str
) -> None:
    """It is full of credentials all the same."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        parse_cookie_file(text, HOST, NOW)
    assert_tells_nothing(caught.value, CANARY)
