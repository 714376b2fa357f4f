"""Downloads a file that a message only names, if its host is public.

The author of a URL may want to reach a host that only this machine can reach. So the host is
looked up here, once; every address of it must be public, and the request goes to one of them and
to no proxy. Each redirect is checked like the first URL. The bytes decide what a file is: a page,
a drawing that can hold a script and an unknown format are refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.error_mapping import status_error
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import resolve, send
from langchain_g4f.errors import (
    BlockedURLError,
    MediaTooLargeError,
    TooLargeError,
    UnsupportedMediaError,
)
from langchain_g4f.media.addresses import is_public
from langchain_g4f.media.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langchain_g4f.core.http import Response
    from langchain_g4f.core.plan import PlanOf

MAX_REDIRECTS = 5
PHASE = "download a file"

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSED = {
    "": "a format that is not known",
    "image/svg+xml": "SVG, which can hold scripts",
    "text/html": "an HTML page",
    "text/xml": "XML",
}
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[\da-f]*", re.ASCII)
_BRACKETED = re.compile(r"\[([\da-f:.]*)\](?::\d*)?", re.ASCII | re.IGNORECASE)
_TWO_READINGS = re.compile("[ßς\u200c\u200d]")
"""Characters that the older and the newer rules for international names read differently."""
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class _Location:
    """The parts of a URL.

    Attributes:
        url: The whole URL, with its host in normal spelling.
        host: Host name in ASCII, or address without brackets.
        port: Port number.
        is_address: Whether the host is an address.
    """

    url: str
    host: str
    port: int
    is_address: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.url.partition(":")[0], self.host, self.port


def download(
    url: str,
    *,
    limit: int,
    trusted_hosts: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> PlanOf[Media]:
    """The file at ``url``.

    Args:
        url: Address of the file, http or https.
        limit: Largest size in bytes.
        trusted_hosts: Names or addresses of hosts that need not be public.
        headers: Headers for the server of the URL; no other server gets them.

    Raises:
        BlockedURLError: The URL, or one it redirects to, may not be fetched.
        MediaTooLargeError: The file has more bytes than the limit.
        UnsupportedMediaError: The file cannot go with a message.
        APIError: Its server could not be reached or answered with an error.
    """
    trusted = {host.lower() for host in trusted_hosts}
    first = target = _parse(url)
    for _ in range(MAX_REDIRECTS + 1):
        addresses = yield from _addresses(target, trusted)
        told = headers if headers and target.origin == first.origin else {}
        response = yield from _fetch(target, addresses, limit, told)
        if response.status < 300:
            return _media(url, response.body)
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or not location:
            raise status_error(response, provider="", phase=PHASE)
        target = _parse(_join(target.url, location))
    raise BlockedURLError(f"{target.host} redirects more than {MAX_REDIRECTS} times")


def _addresses(target: _Location, trusted: set[str]) -> PlanOf[tuple[str, ...]]:
    """The addresses of the host, after all of them were checked."""
    found: tuple[str, ...] = (target.host,)
    if not target.is_address:
        found = yield from resolve(target.host, target.port)
    if target.host not in trusted and not all(map(is_public, found)):
        msg = f"{target.host} is not on the public internet; trusted_media_hosts= may name it"
        raise BlockedURLError(msg)
    return found


def _fetch(
    target: _Location, addresses: tuple[str, ...], limit: int, headers: Mapping[str, str]
) -> PlanOf[Response]:
    attempts = 0

    def request() -> Request:
        nonlocal attempts
        address = addresses[attempts % len(addresses)]  # a repeated attempt tries the next one
        attempts += 1
        return Request(
            "GET", target.url, headers, retry=RetryWhen.ALWAYS, phase=PHASE, address=address
        )

    with suppress(TooLargeError):
        return (yield from send(request, limit=limit, redirects=True))
    raise MediaTooLargeError(f"the file at {target.host} has more than {limit} bytes")


def _media(url: str, data: bytes) -> Media:
    kind = sniff(data)
    if kind in _REFUSED:
        msg = f"the file at {urlsplit(url).hostname} is {_REFUSED[kind]}"
        raise UnsupportedMediaError(msg)
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    name = "".join(c for c in last if c.isprintable() and c != "\\").lstrip(".")
    return Media(data, kind, name[-_NAME_LENGTH:] or f"file.{kind.rpartition('/')[2]}")


def _parse(url: str) -> _Location:
    """The parts of ``url``; refuse a URL that two programs could read differently."""
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise _blocked("there is a space, a backslash or a control character in it")
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS:
        raise _blocked("it is no valid http or https URL")
    if "@" in parts.netloc:
        raise _blocked("there is a user name in it")
    host, is_address = _host(parts)
    own = _PORTS[parts.scheme]
    port = own if parts.port is None else parts.port
    written = f"[{host}]" if ":" in host else host
    place = written if port == own else f"{written}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return _Location(f"{parts.scheme}://{place}{parts.path or '/'}{query}", host, port, is_address)


def _join(base: str, location: str) -> str:
    with suppress(ValueError):
        return urljoin(base, location)
    raise _blocked("it redirects to no valid URL")


def _split(url: str) -> SplitResult | None:
    with suppress(ValueError):
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    return None


def _host(parts: SplitResult) -> tuple[str, bool]:
    """The host in normal spelling, and whether it is an address."""
    if "[" in parts.netloc:
        return _ipv6(parts.netloc), True
    host = _in_ascii(parts.hostname or "").removesuffix(".")
    if not _HOST_NAME.fullmatch(host):
        raise _blocked("its host is no valid name")
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return host, False
    with suppress(ValueError):
        # neither 0177.0.0.1 nor 127.1 nor 2130706433, which resolvers take for addresses
        return str(IPv4Address(host)), True
    raise _blocked("its host is an address in an unusual spelling")


def _ipv6(place: str) -> str:
    bracketed = _BRACKETED.fullmatch(place)
    with suppress(ValueError):
        return str(IPv6Address(bracketed.group(1) if bracketed else ""))
    raise _blocked("its host is no valid address")


def _in_ascii(named: str) -> str:
    if named.isascii():
        return named.lower()
    if len(named) > 253 or _TWO_READINGS.search(named):
        raise _blocked("its host has to be written in ASCII, as xn--...")
    with suppress(UnicodeError):
        return named.encode("idna").decode("ascii").lower()
    raise _blocked("its host is no valid name")


def _blocked(why: str) -> BlockedURLError:
    return BlockedURLError(f"the URL of a file cannot be fetched: {why}")


__all__ = ["MAX_REDIRECTS", "PHASE", "download"]
