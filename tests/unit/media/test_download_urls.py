"""Which URLs a download takes, in which spelling, and what it refuses before it asks anything."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from tests.unit.media.net import OTHER, PUBLIC, Net, answer

MAPPED = str(IPv6Address("::ffff:93.184.216.34"))
"""It ends in ``5db8:d822`` before Python 3.13."""


@pytest.mark.parametrize(
    ("url", "sent", "address"),
    [
        ("http://93.184.216.34/a", "http://93.184.216.34/a", "93.184.216.34"),
        ("http://93.184.216.34.:80/a", "http://93.184.216.34/a", "93.184.216.34"),
        ("https://93.184.216.34:80/a", "https://93.184.216.34:80/a", "93.184.216.34"),
        (
            "http://[2606:2800:21F:0::1]:8080/a",
            "http://[2606:2800:21f::1]:8080/a",
            "2606:2800:21f::1",
        ),
        (
            "http://[::ffff:93.184.216.34]/a",
            f"http://[{MAPPED}]/a",
            MAPPED,
        ),
    ],
)
def test_public_address_in_a_url_is_asked_without_a_look_up(
    url: str, sent: str, address: str
) -> None:
    """In its one spelling."""
    net = Net({}, {sent: answer()})
    net.download(url)
    assert [request.address for request in net.requests] == [address]
    assert net.looked_up == []


@pytest.mark.parametrize(
    ("url", "sent", "host"),
    [
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/ü", "xn--bcher-kva.example"),
        ("https://a。example/", "https://a.example/", "a.example"),
        ("https://a_b.example:444?x", "https://a_b.example:444/?x", "a_b.example"),
        ("HTTPS://A.EXAMPLE:0443/", "https://a.example/", "a.example"),
        ("https://1e100.example/", "https://1e100.example/", "1e100.example"),
    ],
)
def test_host_has_one_spelling(url: str, sent: str, host: str) -> None:
    """The one that is looked up is the one that is asked."""
    net = Net({host: [PUBLIC]}, {sent: answer()})
    net.download(url)
    assert [found for found, _ in net.looked_up] == [host]


BLOCKED = """
    file:///etc/passwd ftp://a.example/x.png data:image/png;base64,iVBORw0KGgo=
    gopher://a.example/ javascript:alert(1) //a.example/x.png /etc/passwd a.example/x.png http://
    http:///x.png http:a.example http://. http://./x http://:80/ http://?a http://user@a.example/
    http://user:secret@a.example/ http://a.example@127.0.0.1/ http://@a.example/
    http://%31%32%37.0.0.1/ http://a%2eexample/ http://a..example/ http://a.example../
    http://.a.example/ http://a,b.example/ http://a*.example/ http://a.example:0/
    http://a.example:65536/ http://a.example:-1/ http://a.example:x/ http://a.example:80:80/
    http://2130706433/ http://0x7f000001/ http://0X7F000001/ http://017700000001/
    http://0177.0.0.1/ http://0x7f.0.0.1/ http://127.1/ http://127.0.1/ http://127.0.0.01/
    http://1.1.1.1.1/ http://256.1.1.1/ http://1.1.1.0x1/ http://a.example.0x/ http://a.1/
    http://134744072/ http://8.8.2056/ http://①②⑦.0.0.1/ http://１２７.0.0.1/ http://127。0。0。1/
    http://𝟙𝟚𝟟.𝟘.𝟘.𝟙/ http://straße.example/ http://βόλος.example/ http://127.0.0.1/
    http://127.0.0.1./ http://0.0.0.0/ http://10.0.0.1/x.png http://100.64.0.1/
    http://169.254.169.254/latest/meta-data/ http://168.63.129.16/ http://192.168.0.1:8080/
    http://224.0.0.1/ http://255.255.255.255/ http://[::1]/ http://[::]/
    http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::ffff:a9fe:a9fe]/
    http://[::127.0.0.1]/ http://[64:ff9b::127.0.0.1]/ http://[64:ff9b:1::127.0.0.1]/
    http://[2002:7f00:1::]/ http://[2001:0:101:101::80ff:fffe]/ http://[fd00:ec2::254]/
    http://[fe80::1]/ http://[fe80::1%25eth0]/ http://[fe80::1%eth0]/ http://[::1 http://::1]/
    http://::1/ http://[]/ http://[::g]/ http://[v1.a]/ http://[::1]x/ http://x[::1]/
    http://[1.1.1.1]/ http://[[::1]]/
"""
"""Not http, no host, a user name, ports, unusual spellings, and addresses that are not public."""
SPECIAL = [
    "",
    "data:image/png;base64," + "A" * 1_000_000,
    "http://a.example\\@127.0.0.1/",
    "http://a.example /",
    " http://a.example/",
    "http://a.example/\n",
    "http://a.exa\tmple/",
    "http://a.example/a b",
    "http://a.example/\x7f",
    "http://a.example/\0",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 126}example/",
    "http://a\u200db.example/",
    "http://a\ufffd.example/",
    "http://\u202ea.example/",
    f"http://{'ü' * 300}.example/",
    f"http://{'ü' * 64}.example/",
    "http://a\uff0fb.example/",
]
"""URLs with characters that are no words in the table above."""


@pytest.mark.parametrize("url", [*BLOCKED.split(), *SPECIAL])
def test_blocked_url_is_refused_before_anything_is_asked(url: str) -> None:
    """No look-up and no request; the message repeats no secret."""
    net = Net()
    error = net.blocked(url)
    assert (net.looked_up, net.requests) == ([], [])
    assert "secret" not in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, "::ffff:127.0.0.1"],
        [OTHER, "fe80::1%2"],
        ["no address"],
    ],
)
def test_host_with_any_address_that_is_not_public_is_blocked(addresses: list[str]) -> None:
    """One public address more does not help; nothing is sent."""
    net = Net({"inner.example": addresses})
    error = net.blocked("http://inner.example/secret.png")
    assert net.requests == []
    assert "inner.example is not on the public internet; trusted_media_hosts=" in str(error)


@pytest.mark.parametrize(
    ("url", "sent", "trusted"),
    [
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a", "127.0.0.1"),
        ("http://[::1]/a", "http://[::1]/a", "::1"),
        ("http://files.internal/a", "http://files.internal/a", "Files.Internal"),
    ],
)
def test_trusted_host_need_not_be_public(url: str, sent: str, trusted: str) -> None:
    """It and no other one, and in no other spelling."""
    net = Net({"files.internal": ["10.0.0.7"]}, {sent: answer()})
    assert net.download(url, trusted=[trusted]).mime_type == "image/png"
    net.blocked("http://127.0.0.2/", [trusted])
    net.blocked("http://2130706433/", [trusted])
    net.blocked("http://user@127.0.0.1/", [trusted])
    assert len(net.requests) == 1
