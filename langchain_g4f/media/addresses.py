"""Which addresses are on the public internet.

An address that is not known to be public is not public. The tables are those of the IANA registries
of special-purpose addresses; they are kept here because the answers of ``ipaddress`` differ between
versions of Python. An IPv6 address that contains an IPv4 one leads to that, so both must be public.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT; the metadata service of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the platform services of Azure, on an address that looks public
        "169.254.0.0/16",  # link-local; the metadata services of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; the metadata service of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_TEREDO = IPv6Network("2001::/32")
_6TO4 = IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)
_LAST_32 = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Whether ``address`` and every address inside it is on the public internet."""
    with suppress(ValueError):
        found = ip_address(address)
        if isinstance(found, IPv4Address):
            return _is_public_v4(found)
        return not found.scope_id and _is_public_v6(found)
    return False


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    inside = _inside(address)
    if not all(map(_is_public_v4, inside)):
        return False
    if any(address in network for network in (_MAPPED, _NAT64, _TEREDO)):
        return True
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def _inside(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that ``address`` contains."""
    number = int(address)
    last = IPv4Address(number & _LAST_32)
    if address in _MAPPED or address in _NAT64:
        return [last]
    if address in _TEREDO:
        server = IPv4Address(number >> 64 & _LAST_32)
        return [server, IPv4Address(int(last) ^ _LAST_32)]
    if address in _6TO4:
        return [IPv4Address(number >> 80 & _LAST_32)]
    if number >> 32 & _LAST_32 in _ISATAP:
        return [last]
    return []


__all__ = ["is_public"]
