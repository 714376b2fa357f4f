"""HTTP messages as values."""

from __future__ import annotations

import pytest

from langchain_g4f.core.http import Headers, Request, Response, ResponseHead
from langchain_g4f.errors import MalformedStreamError

CANARY = "canary-f3a91c77d2"


@pytest.mark.proves("promise:redaction", "obligation:huggingchat:19")
@pytest.mark.parametrize(
    "message",
    [
        Request(
            "POST",
            f"https://user:{CANARY}@example.com/x?token={CANARY}",
            {"cookie": CANARY},
            CANARY.encode(),
            address=CANARY,
        ),
        Headers([("Set-Cookie", CANARY)]),
        ResponseHead(200, Headers([("Set-Cookie", CANARY)]), f"http://example.com/?{CANARY}"),
        Response(200, Headers([("Set-Cookie", CANARY)]), "", CANARY.encode()),
    ],
    ids=lambda message: type(message).__name__,
)
def test_repr_of_a_message_shows_no_header_value_query_or_body(message: object) -> None:
    """A message may stand in a log or a traceback."""
    assert CANARY not in repr(message)


def test_repr_of_a_message_says_what_it_is() -> None:
    """Method, address and status are no secrets."""
    assert (
        repr(Request("GET", "https://example.com/x?q=1")) == "<Request GET https://example.com/x>"
    )
    assert repr(ResponseHead(404, Headers([]))) == "<ResponseHead 404>"
    assert repr(Response(200, Headers([]))) == "<Response 200>"
    assert repr(Headers([("B", "1"), ("a", "2"), ("b", "3")])) == "<Headers ['a', 'b']>"


def test_headers_are_found_whatever_their_case() -> None:
    """The first value of a name, or all of them in order."""
    headers = Headers([("Set-Cookie", "a=1"), ("SET-COOKIE", "b=2"), ("X", "y")])
    assert headers.get("set-cookie") == "a=1"
    assert headers.get_all("Set-cookie") == ["a=1", "b=2"]
    assert headers.get("missing") == ""
    assert headers.get("missing", "default") == "default"
    assert headers.get_all("missing") == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("application/json", "application/json"),
        ("Application/JSON ; charset=utf-8", "application/json"),
        ("", ""),
    ],
)
def test_content_type_is_the_media_type_alone(value: str, kind: str) -> None:
    """Parameters and case do not matter."""
    assert Headers([("Content-Type", value)]).content_type == kind


def test_json_of_a_response_is_its_value() -> None:
    """Whatever JSON the body is."""
    assert Response(200, Headers([]), "", b'{"a": [1, null]}').json() == {"a": [1, None]}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"a": \xff}', b'"\\ud800"', b"[" * 100_000, b"1" * 5000],
    ids=["empty", "html", "cut", "no utf-8", "half a pair", "too deep", "too long a number"],
)
def test_json_of_a_response_that_is_none_names_the_content_type(body: bytes) -> None:
    """The error says where from, and does not bring the body along."""
    response = Response(200, Headers([("content-type", "text/html")]), "http://h/x?q", body)
    with pytest.raises(MalformedStreamError) as caught:
        response.json()
    assert str(caught.value) == "expected JSON from http://h/x, got text/html"
    assert caught.value.__context__ is None


def test_json_of_a_response_without_a_content_type_says_so() -> None:
    """There may be no header at all."""
    with pytest.raises(MalformedStreamError, match="got no content type"):
        Response(200, Headers([]), "http://h/x", b"?").json()
