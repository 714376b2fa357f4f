"""What a client says first on a TLS connection (RFC 8446, section 4.1.2)."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Hello:
    """Ciphers and extensions by their numbers, and the data of some extensions.

    Sorted and without GREASE (RFC 8701), for browsers shuffle the ones and make up the others.
    """

    ciphers: tuple[int, ...]
    extensions: tuple[int, ...]
    groups: tuple[int, ...]
    signatures: bytes
    protocols: tuple[bytes, ...]


def _is_grease(number: int) -> bool:
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _numbers(data: bytes) -> tuple[int, ...]:
    found = struct.unpack(f">{len(data) // 2}H", data)
    return tuple(sorted(number for number in found if not _is_grease(number)))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, length: int) -> bytes:
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def vector(self, length_bytes: int) -> bytes:
        return self.take(int.from_bytes(self.take(length_bytes)))


def parse(handshake: bytes) -> Hello:
    """A handshake message that is a ClientHello."""
    reader = _Reader(handshake[4:])
    reader.take(2 + 32)
    reader.vector(1)
    ciphers = _numbers(reader.vector(2))
    reader.vector(1)
    rest = _Reader(reader.vector(2))
    extensions: dict[int, bytes] = {}
    while rest.data:
        number = int.from_bytes(rest.take(2))
        extensions[number] = rest.vector(2)
    names = _Reader(extensions.get(16, b"\0\0")[2:])
    protocols = []
    while names.data:
        protocols.append(names.vector(1))
    return Hello(
        ciphers,
        tuple(sorted(number for number in extensions if not _is_grease(number))),
        _numbers(extensions[10][2:]),
        extensions[13],
        tuple(protocols),
    )


@contextmanager
def hellos() -> Iterator[tuple[str, list[Hello]]]:
    """A port that hears the first words of each connection, and hangs up; yields its address."""
    heard: list[Hello] = []

    def serve() -> None:
        while True:
            connection = server.accept()[0]
            with connection, connection.makefile("rb") as read:
                kind = read.read(1)
                if not kind:
                    return
                handshake = b""
                while len(handshake) < 4 or len(handshake) < 4 + int.from_bytes(handshake[1:4]):
                    if handshake:
                        read.read(1)
                    read.read(2)
                    handshake += read.read(int.from_bytes(read.read(2)))
                heard.append(parse(handshake))

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{port}/", heard
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
