"""A loopback front before a real Gradio server: what the way to it, or its platform, can do.

Bytes of the server are passed on as they come. On request an answer is cut off, or the platform
answers in the server's place. It is an HTTP proxy, too, for which a name can be made up: so a Space
has its address on hf.space.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from langchain_g4f.testing import GradioSpace
from tests.contract.faults.byte_server import ByteServer, Exchange

PAGE = b"<!doctype html><html><body><h1>Your Space is not up</h1></body></html>"
_TIMEOUT_S = 30.0
_HEAD_END = b"\r\n\r\n"
_HOP = ("connection", "content-length", "transfer-encoding")


class Front(ByteServer):
    """Stands before a server, inside its `with` block.

    Args:
        space: The server.

    Attributes:
        space: The server; another one may take its place.
        away: Whether the platform answers a request with a page, status 503.
    """

    def __init__(self, space: GradioSpace) -> None:
        super().__init__(self._handle)
        self.space = space
        self.away: Callable[[Exchange], bool] = lambda _: False
        self._cuts: list[tuple[str, int | bytes]] = []

    def cut(self, path: str, after: int | bytes) -> None:
        """Break the next answer at a path off, once.

        Args:
            path: How the path ends.
            after: So many bytes of the body are passed on, or it is up to and with these ones.
        """
        self._cuts.append((path, after))

    def bodies(self, path: str) -> list[Any]:
        """Return the JSON of what was sent to a path, in order."""
        return [json.loads(exchange.body) for exchange in self.to(path)]

    def to(self, path: str) -> list[Exchange]:
        """Return the requests for a path, in order."""
        return [exchange for exchange in tuple(self.requests) if exchange.path.endswith(path)]

    @property
    def sessions(self) -> list[str]:
        """The sessions that the queue was joined in, in order."""
        return [body["session_hash"] for body in self.bodies("/queue/join")]

    def _handle(self, exchange: Exchange) -> None:
        if self.away(exchange):
            exchange.respond(503, PAGE, content_type="text/html; charset=utf-8")
            return
        after = self._cut_of(exchange.path)
        upstream = socket.create_connection(self._address(exchange), _TIMEOUT_S)
        with upstream:
            upstream.sendall(_written(exchange))
            for data in _shortened(_received(upstream, exchange), after):
                exchange.send(data)
        exchange.close()

    def _cut_of(self, path: str) -> int | bytes | None:
        for number, (end, after) in enumerate(self._cuts):
            if path.endswith(end):
                del self._cuts[number]
                return after
        return None

    def _address(self, exchange: Exchange) -> tuple[str, int]:
        parts = urlsplit(exchange.path)
        if parts.port is not None and parts.port != self.port:
            return "127.0.0.1", parts.port
        port = urlsplit(self.space.base_url).port
        assert port is not None
        return "127.0.0.1", port


def _written(exchange: Exchange) -> bytes:
    """The request in bytes, as a server that closes the connection afterwards gets it."""
    parts = urlsplit(exchange.path)
    target = f"{parts.path or '/'}?{exchange.query}" if exchange.query else parts.path or "/"
    headers = [(name, value) for name, value in exchange.headers if name.lower() not in _HOP]
    headers += [("Connection", "close"), ("Content-Length", str(len(exchange.body)))]
    lines = [f"{exchange.method} {target} HTTP/1.1", *map(": ".join, headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + exchange.body


def _received(upstream: socket.socket, exchange: Exchange) -> Iterator[bytes]:
    """The bytes of the answer; a client that leaves is left here, and so at the server."""
    client = exchange._wire.sock
    while client.fileno() >= 0:
        ready, _, _ = select.select([upstream, client], [], [], _TIMEOUT_S)
        if client in ready and exchange.hold(0):
            return
        if upstream in ready:
            data = upstream.recv(1 << 16)
            if not data:
                return
            yield data


def _shortened(pieces: Iterator[bytes], after: int | bytes | None) -> Iterator[bytes]:
    if after is None:
        yield from pieces
        return
    seen, given = b"", 0
    for piece in pieces:
        seen += piece
        end = _end(seen, after)
        yield seen[given : len(seen) if end is None else end]
        given = len(seen)
        if end is not None:
            return


def _end(seen: bytes, after: int | bytes) -> int | None:
    """Where to cut what was received, head included; None if it is not there yet."""
    head = seen.find(_HEAD_END)
    if head < 0:
        return None
    body = head + len(_HEAD_END)
    if isinstance(after, int):
        return body + after if len(seen) >= body + after else None
    found = seen.find(after, body)
    return found + len(after) if found >= 0 else None
