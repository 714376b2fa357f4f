"""Which addresses are public, and which only look it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import pytest

from langchain_g4f.media.addresses import is_public

PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0
    192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
"""
NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
    127.255.255.254 168.63.129.16 169.254.0.23 169.254.169.254 169.254.170.2 172.16.0.1
    172.31.255.255 192.0.0.9 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
"""
NOT_PUBLIC_V6 = """
    :: ::1 ::8.8.8.8 100::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 4000::1
    5f00::1 64:ff9b:1::8.8.8.8 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%1
    2606:4700::1%1 fec0::1 ff02::1
"""
CARRIERS = (
    "::ffff:{}",
    "64:ff9b::{}",
    "2002:{hex}::1",
    "2606:4700::5efe:{}",
    "2606:4700::200:5efe:{}",
)


def carry(carrier: str, address: str) -> str:
    """The IPv6 address that carries an IPv4 one in this way."""
    packed = ip_address(address).packed.hex()
    return carrier.format(address, hex=f"{packed[:4]}:{packed[4:]}")


def teredo(server: str, client: str) -> str:
    """The address of a client behind a NAT, with its server."""
    hidden = int(ip_address(client)) ^ 0xFFFFFFFF
    return str(IPv6Address(0x20010000 << 96 | int(ip_address(server)) << 64 | hidden))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_address_is_public_in_every_form(address: str) -> None:
    """By itself and inside an IPv6 address."""
    assert is_public(address)
    for carrier in CARRIERS:
        assert is_public(carry(carrier, address)), carrier
    assert is_public(teredo("1.1.1.1", address))
    assert is_public(teredo(address, "1.1.1.1"))


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_other_address_is_not_public_in_any_form(address: str) -> None:
    """By itself and inside an IPv6 address."""
    assert not is_public(address)
    for carrier in (*CARRIERS, "::{}", "::ffff:0:{}", "64:ff9b:1::{}"):
        assert not is_public(carry(carrier, address)), carrier
    assert not is_public(teredo("1.1.1.1", address))
    assert not is_public(teredo(address, "1.1.1.1"))


@pytest.mark.parametrize("address", ["2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1"])
def test_public_ipv6_address_is_public(address: str) -> None:
    """Of the range that is given out."""
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC_V6.split())
def test_other_ipv6_address_is_not_public(address: str) -> None:
    """Nor is one with a zone."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "1.1.1", "01.1.1.1", "0x1010101", "1.1.1.1/32", "[::1]", "1.1.1.1 "],
)
def test_what_is_no_address_is_not_public(address: str) -> None:
    """Nothing is guessed."""
    assert not is_public(address)
