"""The plan of a download: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import pytest

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.http import Headers, Response, RetryWhen
from langchain_g4f.errors import (
    APIConnectionError,
    APIStatusError,
    MediaTooLargeError,
    NotFoundError,
    TooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.media.download import MAX_REDIRECTS
from tests.unit.media.net import OTHER, PNG, PUBLIC, Net, answer, to

ONE = {"a.example": [PUBLIC]}


def test_file_is_fetched_from_the_address_that_was_checked() -> None:
    """One look-up, one request, no cookies to be kept; the name is that of the path."""
    net = Net({"a.example": [PUBLIC, OTHER]}, {"https://a.example/x/cat.png?q=1": answer()})
    assert net.download("https://A.Example./x/cat.png?q=1#part") == Media(
        PNG, "image/png", "cat.png"
    )
    assert net.looked_up == [("a.example", 443)]
    (request,) = net.requests
    assert (request.method, request.address) == ("GET", PUBLIC)
    assert (request.retry, request.phase) == (RetryWhen.ALWAYS, "download a file")
    assert (net.sends[0].limit, net.sends[0].redirects) == (1000, True)


def test_repeated_attempt_tries_the_next_address() -> None:
    """All of them were checked; after the last comes the first."""
    net = Net({"a.example": [PUBLIC, OTHER]}, {"http://a.example/": answer()})
    net.download("http://a.example")
    again = [net.sends[0].make_request().address for _ in range(3)]
    assert again == [OTHER, PUBLIC, OTHER]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_and_checked_like_the_first_url(status: int) -> None:
    """Its host is looked up, and asked at its own address."""
    net = Net(
        {"a.example": [PUBLIC], "b.example": [OTHER]},
        {
            "https://a.example/x/cat?size=1": to("../y?z#w", status),
            "https://a.example/y?z": to("//b.example/dog.gif", status),
            "https://b.example/dog.gif": answer(),
        },
    )
    assert net.download("https://a.example/x/cat?size=1") == Media(PNG, "image/png", "cat")
    assert net.looked_up == [("a.example", 443), ("a.example", 443), ("b.example", 443)]
    assert [request.address for request in net.requests] == [PUBLIC, PUBLIC, OTHER]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "//169.254.169.254/latest",
        "http://inner.example/",
        "file:///etc/passwd",
        "http://user@b.example/",
        "http://0x7f000001/",
        "http://[::1/",
        "\\\\127.0.0.1\\x",
    ],
)
def test_redirect_to_a_blocked_url_is_not_followed(location: str) -> None:
    """However public the first host was."""
    net = Net(
        {**ONE, "inner.example": ["10.0.0.1"]},
        {"http://a.example/": to(location)},
    )
    net.blocked("http://a.example/")
    assert len(net.requests) == 1


def test_redirects_are_counted() -> None:
    """Five are followed, and the sixth is not."""
    hops = {f"http://a.example/{n}": to(f"/{n + 1}") for n in range(20)}
    net = Net(ONE, {**hops, f"http://a.example/{MAX_REDIRECTS}": answer()})
    net.download("http://a.example/0")
    assert len(net.requests) == MAX_REDIRECTS + 1
    net = Net(ONE, hops)
    assert "more than 5 times" in str(net.blocked("http://a.example/0"))
    assert len(net.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("response", [to(""), answer(304), answer(300, location="/b")])
def test_redirect_to_nowhere_is_a_status_error(response: Response) -> None:
    """Also one of a kind that is not followed."""
    net = Net(ONE, {"http://a.example/": response})
    with pytest.raises(APIStatusError) as caught:
        net.download("http://a.example/")
    assert caught.value.status_code == response.status


def test_errors_of_the_network_go_on_unchanged() -> None:
    """They say what failed."""
    lost = APIConnectionError("could not find the address of a.example")
    with pytest.raises(APIConnectionError):
        Net({"a.example": lost}).download("http://a.example/")
    with pytest.raises(NotFoundError):
        Net(ONE, {"http://a.example/": NotFoundError("gone")}).download("http://a.example/")


def test_too_large_a_file_is_an_error_that_says_the_limit() -> None:
    """In words that are not about an answer's stream."""
    net = Net(ONE, {"http://a.example/?secret": TooLargeError("the response")})
    with pytest.raises(
        MediaTooLargeError, match=r"at a\.example has more than 1000 bytes"
    ) as caught:
        net.download("http://a.example/?secret")
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>a cat</html>", "an HTML page"),
        (b"<svg xmlns='x'/>", "SVG, which can hold scripts"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (b"", "a format that is not known"),
        (b"PK\x03\x04\0", "a format that is not known"),
    ],
)
def test_what_a_name_or_a_server_says_does_not_help(body: bytes, what: str) -> None:
    """A page called cat.png is a page."""
    lying = Response(200, Headers([("content-type", "image/png")]), "", body)
    net = Net(ONE, {"http://a.example/cat.png": lying})
    with pytest.raises(UnsupportedMediaError, match=rf"a\.example is {what}"):
        net.download("http://a.example/cat.png")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/cat.png", "cat.png"),
        ("/a/b/%C5%BC%20x.png", "ż x.png"),
        ("/a%2Fb%2F..%2Fcat.png", "cat.png"),
        ("/a%5Ccat.png", "acat.png"),
        ("/%0D%0Acat%00%E2%80%AE.png", "cat.png"),
        ("/..cat", "cat"),
        ("/a/..", "file.png"),
        ("/", "file.png"),
        ("/" + "x" * 200 + ".png", "x" * 96 + ".png"),
    ],
)
def test_name_is_the_last_part_of_the_path_without_what_could_do_harm(path: str, name: str) -> None:
    """No folder, no control character, no text direction, not too long."""
    net = Net(ONE, {f"http://a.example{path}": answer()})
    assert net.download(f"http://a.example{path}").name == name
