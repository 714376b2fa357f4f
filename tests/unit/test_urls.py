"""Addresses that are built with what others say."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.core.urls import is_below, is_id, join, segment
from langchain_g4f.errors import MalformedStreamError

BASE = "https://owner-space.hf.space/app"


@pytest.mark.parametrize("text", ["a", "0123456789abcdef01234567", "A-b_9", "x" * 64])
def test_id(text: str) -> None:
    """Object ids, UUIDs and nano ids have this form."""
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "a/b", "..", "a?b", "a%2Fb", "é", "a\n", "٣"])
def test_no_id(text: str) -> None:
    """What a path, a query or an encoding could read otherwise is refused."""
    assert not is_id(text)


@given(st.text(min_size=1))
def test_segment_is_one_segment_whatever_it_is(name: str) -> None:
    """Its path has one more segment, and everything else of the address stays."""
    if name in (".", ".."):
        with pytest.raises(MalformedStreamError):
            segment(name)
        return
    parts = urlsplit(f"{BASE}/{segment(name)}/end")
    assert parts._replace(path="") == urlsplit(BASE)._replace(path="")
    assert len(parts.path.split("/")) == 4


@pytest.mark.parametrize(
    ("path", "found"),
    [("", BASE), ("/gradio_api", f"{BASE}/gradio_api"), ("/a/b.c-d~e_f/", f"{BASE}/a/b.c-d~e_f")],
)
def test_path_is_joined(path: str, found: str) -> None:
    """As apps have it."""
    assert join(BASE, path) == found


PATHS = [
    ".attacker.example",
    "@127.0.0.1:1/x",
    ":8080/x",
    "//evil",
    "/\\evil",
    "\\\\evil",
    "https://evil/x",
    "/a\r\nb",
    "/a\tb",
    "/\0",
    "/a b",
    "/../x",
    "/./x",
    "/a/../../x",
    "/%2e%2e/x",
    "/a?b",
    "/a#b",
    "/a//b",
    "x",
]


@pytest.mark.parametrize("path", PATHS)
def test_path_that_may_lead_elsewhere_is_refused(path: str) -> None:
    """Before an address is made of it."""
    with pytest.raises(MalformedStreamError, match="no path below"):
        join(BASE, path)


@given(st.text(alphabet=[*"/\\.@:?#%25eE\r\n\t a[]"]))
def test_path_never_leaves_the_origin(path: str) -> None:
    """What is joined has the same origin, and a path below."""
    try:
        found = join("https://host:1/app", path)
    except MalformedStreamError:
        return
    assert urlsplit(found)[:2] == ("https", "host:1")
    assert found == "https://host:1/app" or is_below("https://host:1/app", found)


@pytest.mark.parametrize(
    ("url", "below"),
    [
        (f"{BASE}/gradio_api/file=/tmp/a b.png?x=../..", True),
        (BASE, False),
        (f"{BASE}.attacker.example/x", False),
        (f"{BASE}@attacker.example/x", False),
        ("https://owner-space.hf.space@attacker.example/app/x", False),
        ("http://owner-space.hf.space/app/x", False),
        ("https://owner-space.hf.space:8443/app/x", False),
        ("//owner-space.hf.space/app/x", False),
        (f"{BASE}/../settings", False),
        (f"{BASE}/a/%2E%2e/settings", False),
        (f"{BASE}/a\\..\\settings", False),
        ("", False),
    ],
)
def test_address_below_another(url: str, below: bool) -> None:
    """Scheme, host and port are those of the base, and so is the beginning of the path."""
    assert is_below(BASE, url) is below
