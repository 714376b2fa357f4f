"""Files inside a URL: both encodings, and limits that hold before anything is decoded."""

from __future__ import annotations

import base64
import tracemalloc

import pytest

from langchain_g4f.errors import ConfigurationError, MediaTooLargeError
from langchain_g4f.media.data_url import parse_data_url


@pytest.mark.parametrize(
    ("url", "data", "kind"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("DATA:IMAGE/PNG;BASE64,iVBORw0KGgo=", b"\x89PNG\r\n\x1a\n", "image/png"),
        (" data: image/png ; base64 ,aGk=", b"hi", "image/png"),
        ("data:image/png;base64,aGk", b"hi", "image/png"),
        ("data:image/png;base64,aG\nk=\t", b"hi", "image/png"),
        ("data:image/png;base64,aGk%3D%0A", b"hi", "image/png"),
        ("data:image/png;base64,%2B/%2f%2B", b"\xfb\xff\xfe", "image/png"),
        ("data:image/png;charset=x;base64,aGk=", b"hi", "image/png"),
        ("data:;base64,", b"", "text/plain"),
        ("data:,", b"", "text/plain"),
        ("data:,a%20b,c", b"a b,c", "text/plain"),
        ("data:,ż%c5%bc", "żż".encode(), "text/plain"),
        ("data:,100%", b"100%", "text/plain"),
        ("data:text/plain;charset=utf-8,a", b"a", "text/plain"),
        ("data:application/ld+json,1", b"1", "application/ld+json"),
        ("data:image/svg+xml,%3Csvg%3E", b"<svg>", "image/svg+xml"),
        ("data:base64,aGk=", b"aGk=", "text/plain"),
        ("data:image/png;base64;x=y,aGk=", b"aGk=", "image/png"),
        ("data:image/png\r\nx-injected: 1,a", b"a", "text/plain"),
        ("data:,\ud800", b"\xed\xa0\x80", "text/plain"),
    ],
)
def test_url_holds_bytes_and_their_type(url: str, data: bytes, kind: str) -> None:
    """RFC 2397, as forgiving as browsers are; an invalid type counts as plain text."""
    assert parse_data_url(url, 100) == (data, kind)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:",
        "data:image/png;base64",
        "http://example.com/a,b",
        "image/png;base64,aGk=",
        "data:image/png;base64,secret*",
        "data:image/png;base64,secre",
        "data:image/png;base64,se=cret",
        "data:image/png;base64,secre-_t",
        "data:image/png;base64,secretż",
        "data:image/png;base64,%zzsecret",
    ],
)
def test_what_is_no_such_url_is_an_error_that_repeats_nothing_of_it(url: str) -> None:
    """Neither in its message nor behind it."""
    with pytest.raises(ConfigurationError) as caught:
        parse_data_url(url, 100)
    assert "secre" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 99, 100, 101, 102, 103])
def test_limit_holds_to_the_byte_in_every_encoding(size: int) -> None:
    """At it is fine, above it is not."""
    plain = base64.b64encode(bytes(size)).decode()
    for payload in (
        ";base64," + plain,
        ";base64," + plain.rstrip("="),
        ";base64," + "".join(f"%{ord(c):02x}" for c in plain),
        ";base64," + "\n".join(plain),
        "," + "%00" * size,
    ):
        if size <= 100:
            assert parse_data_url("data:image/png" + payload, 100)[0] == bytes(size)
        else:
            with pytest.raises(MediaTooLargeError, match="more than 100 bytes"):
                parse_data_url("data:image/png" + payload, 100)


@pytest.mark.parametrize("head", ["data:,", "data:;base64,"])
def test_too_large_a_url_is_not_decoded_first(head: str) -> None:
    """Nor is it copied."""
    url = head + "A" * 10_000_000
    tracemalloc.start()
    with pytest.raises(MediaTooLargeError):
        parse_data_url(url, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
