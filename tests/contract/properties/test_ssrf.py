"""No address that is not public is connected to, however it is spelled and whoever leads there.

The oracle is ``ipaddress``, and the second opinion on URLs that of the HTTP library. What they
refuse, the download has to refuse; that it refuses more is shown in its unit tests.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.http import Headers, Request, Response
from langchain_g4f.core.plan import Resolve, Send
from langchain_g4f.errors import APIStatusError, BlockedURLError, MediaError
from langchain_g4f.media.addresses import is_public
from langchain_g4f.media.download import MAX_REDIRECTS, download

PNG = b"\x89PNG\r\n\x1a\n"
CARRIERS = tuple(map(IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "2001::/32", "2002::/16")))


def allowed(address: str) -> bool:
    """Whether it may be connected to, in the eyes of ``ipaddress``."""
    found = ip_address(address)
    inside = _inside(found) if isinstance(found, IPv6Address) else []
    by_itself = found.is_global and not (found.is_multicast or found.is_reserved)
    carrier = isinstance(found, IPv6Address) and any(found in network for network in CARRIERS)
    return (by_itself or carrier) and all(allowed(str(address)) for address in inside)


def _inside(address: IPv6Address) -> list[IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in CARRIERS[1]:
        found.append(IPv4Address(address.packed[-4:]))
    return [inner for inner in found if inner is not None]


def _plain(address: IPv4Address) -> str:
    return str(address)


def _mixed(*forms: str) -> Callable[[IPv4Address], str]:
    return lambda a: ".".join(
        format(byte, form) for byte, form in zip(a.packed, forms, strict=True)
    )


def _wide(address: IPv4Address) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else "。" for c in str(address))


def _short(address: IPv4Address) -> str:
    first, second, *_ = address.packed
    return f"{first}.{second}.{int(address) & 0xFFFF}"


def _hex_pairs(address: IPv4Address) -> str:
    digits = address.packed.hex()
    return f"{digits[:4]}:{digits[4:]}"


SPELLINGS: tuple[Callable[[IPv4Address], str], ...] = (
    _plain,
    lambda a: f"{a}.",
    lambda a: str(int(a)),
    lambda a: hex(int(a)),
    lambda a: f"0{int(a):o}",
    _mixed("#x", "#x", "#x", "#x"),
    _mixed("04o", "04o", "04o", "04o"),
    _mixed("d", "#x", "04o", "d"),
    _mixed("03d", "03d", "03d", "03d"),
    _short,
    lambda a: f"{a.packed[0]}.{int(a) & 0xFFFFFF}",
    _wide,
    lambda a: "".join(f"%{ord(c):02x}" for c in str(a)),
    lambda a: f"user@{a}",
    lambda a: f"example.com\\@{a}",
    lambda a: f"[{a}]",
    lambda a: f"[::{a}]",
    lambda a: f"[::ffff:{a}]",
    lambda a: f"[::ffff:{_hex_pairs(a)}]",
    lambda a: f"[0:0:0:0:0:FFFF:{_hex_pairs(a).upper()}]",
    lambda a: f"[::ffff:0:{a}]",
    lambda a: f"[64:ff9b::{a}]",
    lambda a: f"[64:ff9b:1::{a}]",
    lambda a: f"[2002:{_hex_pairs(a)}::]",
    lambda a: f"[2606:4700::5efe:{a}]",
    lambda a: f"[{IPv6Address(0x20010000 << 96 | int(a) << 64)}]",
    lambda a: f"[{IPv6Address(0x20010000 << 96 | 0x1010101 << 64 | int(a) ^ 0xFFFFFFFF)}]",
)

v4 = st.one_of(
    st.ip_addresses(v=4),
    *(
        st.ip_addresses(network=network)
        for network in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
    ),
)
# Hypothesis draws many addresses from the ranges for special purposes.
addresses = st.one_of(v4, st.ip_addresses(v=6)).map(str)
PIECES = (
    *(".", ":", "@", "[", "]", "%", "\\", "/", "?", "#", "-", "_", " ", "\t", "\0", "\u200d", "。"),
    *("a", "example", "127", "0x7f", "0177", "::1", "1", "0", "１", "80", "ü", "ſ", "xn--"),
    *("user", "8.8.8.8", "localhost"),
)
authorities = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


def first_effect(url: str) -> Resolve | Request | None:
    """What a download asks first, None if it refuses."""
    try:
        effect = next(download(url, limit=100))
    except BlockedURLError:
        return None
    if isinstance(effect, Send):
        return effect.make_request()
    assert isinstance(effect, Resolve)
    return effect


@pytest.mark.proves("property:8-ssrf")
@given(v4, st.sampled_from(SPELLINGS), st.sampled_from(["http", "https"]))
def test_address_that_is_not_public_is_refused_in_any_spelling(
    address: IPv4Address, spell: Callable[[IPv4Address], str], scheme: str
) -> None:
    """Before anything is looked up."""
    assume(not allowed(str(address)))
    assert first_effect(f"{scheme}://{spell(address)}/") is None
    assert first_effect(f"{scheme}://{spell(address)}:8080/x.png") is None


@pytest.mark.proves("property:8-ssrf")
@given(addresses)
def test_public_means_public_for_the_standard_library(address: str) -> None:
    """By itself, and for all that is inside."""
    assert allowed(address) or not is_public(address)


@pytest.mark.proves("property:8-ssrf")
@given(st.lists(st.one_of(st.just("8.8.4.4"), addresses), min_size=1, max_size=4))
def test_name_with_any_address_that_is_not_public_is_not_asked(found: list[str]) -> None:
    """And one with public addresses only is asked at one of them."""
    plan = download("https://a.example/x.png", limit=100)
    next(plan)
    try:
        effect = plan.send(tuple(found))
    except BlockedURLError:
        assert not all(map(is_public, found))
        return
    assert isinstance(effect, Send)
    assert {effect.make_request().address for _ in range(5)} == set(found)
    assert all(map(allowed, found))


@pytest.mark.proves("property:8-ssrf")
@given(st.one_of(st.text(), authorities.map("http://{}".format), authorities))
def test_any_text_is_refused_or_read_like_the_http_library_reads_it(url: str) -> None:
    """The host and port that were checked are those the request is made for."""
    plan = download(url, limit=100)
    try:
        effect = next(plan)
        request = _request(plan, effect)
    except BlockedURLError:
        return
    read = httpx.URL(request.url)
    host = read.raw_host.decode("ascii")
    if isinstance(effect, Resolve):
        assert (host, read.port or 80) == (effect.host, effect.port)
    else:
        assert host == request.address
    assert allowed(request.address)
    assert not read.userinfo


def _request(plan: Any, effect: object) -> Request:
    if isinstance(effect, Resolve):
        effect = plan.send(("8.8.8.8",))
    assert isinstance(effect, Send)
    return effect.make_request()


class Downloads(RuleBasedStateMachine):
    """A resolver and servers that answer as they like; each request has to be an approved one."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Any = None
        self.effect: Any = None
        self.looked_up: tuple[str, ...] = ()
        self.sends = 0

    @precondition(lambda self: not isinstance(self.effect, (Resolve, Send)))
    @rule(host=st.sampled_from(["a.example", "b.example", "8.8.8.8", "[2606:4700::1]"]))
    def begin(self, host: str) -> None:
        """Start at a good URL, when there is nothing else to do."""
        self.plan = download(f"http://{host}/x", limit=100)
        self.looked_up, self.sends = (), 0
        self.advance(None)

    def advance(self, result: Any) -> None:
        """Go on to the next effect, or to the end."""
        try:
            self.effect = self.plan.send(result)
        except StopIteration as stop:
            self.effect = stop.value
        except (MediaError, APIStatusError) as error:
            self.effect = error
        self.sends += isinstance(self.effect, Send)

    @precondition(lambda self: isinstance(self.effect, Resolve))
    @rule(found=st.lists(st.one_of(st.just("8.8.4.4"), addresses), min_size=1, max_size=3))
    def resolve(self, found: list[str]) -> None:
        """Answer a look-up, often with something public."""
        self.looked_up = tuple(found)
        self.advance(self.looked_up)

    @precondition(lambda self: isinstance(self.effect, Resolve))
    @rule(found=st.sampled_from(["8.8.8.8", "1.1.1.1", "2606:4700::1"]))
    def resolve_well(self, found: str) -> None:
        """Answer a look-up with a public address."""
        self.looked_up = (found,)
        self.advance(self.looked_up)

    @precondition(lambda self: isinstance(self.effect, Send))
    @rule(
        status=st.sampled_from([301, 302, 303, 307, 308]),
        location=st.one_of(
            st.sampled_from(["/y", "//b.example/", "https://c.example:444/z", "?q"]),
            st.builds(lambda a, spell: f"http://{spell(a)}/", v4, st.sampled_from(SPELLINGS)),
            authorities.map("//{}".format),
            authorities,
        ),
    )
    def redirect(self, status: int, location: str) -> None:
        """Lead somewhere else."""
        self.advance(Response(status, Headers([("location", location)])))

    @precondition(lambda self: isinstance(self.effect, Send))
    @rule(body=st.sampled_from([PNG, b"<html>", b""]))
    def respond(self, body: bytes) -> None:
        """Give a body."""
        self.advance(Response(200, Headers([]), "", body))

    @invariant()
    def every_request_is_approved(self) -> None:
        """Its address was looked up for this very host, or is the host, and is public."""
        assert self.sends <= MAX_REDIRECTS + 1
        if isinstance(self.effect, Send):
            request = self.effect.make_request()
            host = httpx.URL(request.url).raw_host.decode("ascii")
            assert request.address in self.looked_up or request.address == host
            assert allowed(request.address)
        elif not isinstance(self.effect, Resolve | None):
            assert isinstance(self.effect, Media | MediaError | APIStatusError)

    def teardown(self) -> None:
        """Nothing is asked when the plan is closed."""
        if self.plan is not None:
            self.plan.close()


TestDownloads = pytest.mark.proves("property:8-ssrf")(Downloads.TestCase)
