"""A server of few HTTP/2 frames (RFC 9113), by ALPN on TLS, one connection after the other."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_ACK, _END_STREAM, _END_HEADERS = 1, 1, 4
_STATUS_200 = b"\x88"  # entry 8 of the static table (RFC 7541)
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes


class H2Server:
    """Answers every request by ``handle``, which is given the number of the stream.

    Attributes:
        frames: What the client has sent.
        connections: How many have been accepted.
    """

    def __init__(self, context: ssl.SSLContext, handle: Callable[[H2Server, int], None]) -> None:
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._context, self._handle = context, handle
        self.frames: list[Frame] = []
        self.connections = 0
        self._wire: ssl.SSLSocket | None = None
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def sent(self, kind: int) -> list[Frame]:
        """What the client has sent of this kind."""
        return [frame for frame in self.frames if frame.kind == kind]

    def wait_for(self, kind: int, within_s: float = 5) -> bool:
        """Whether there is a frame of this kind in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.sent(kind), within_s) != []

    def head(self, stream: int) -> None:
        """Begin an answer."""
        self._send(HEADERS, _END_HEADERS, stream, _STATUS_200)

    def data(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send some of its body."""
        self._send(DATA, _END_STREAM if end else 0, stream, data)

    def give_up(self, stream: int, code: int) -> None:
        """End an answer before its time."""
        self._send(RST_STREAM, 0, stream, struct.pack(">I", code))

    def nonsense(self) -> None:
        """Send what is no frame, and so end the connection for all that follows."""
        assert self._wire is not None
        self._wire.sendall(b"x" * 50)

    def _send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        head = len(payload).to_bytes(3) + bytes([kind, flags]) + struct.pack(">I", stream)
        if self._wire is not None:
            self._wire.sendall(head + payload)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._serve_one(self._listening.accept()[0])

    def _serve_one(self, sock: socket.socket) -> None:
        self.connections += 1
        self._wire = self._context.wrap_socket(sock, True)
        with suppress(OSError), self._wire, self._wire.makefile("rb") as read:
            assert read.read(len(_PREFACE)) == _PREFACE
            self._send(SETTINGS, 0, 0, b"")
            while head := read.read(9):
                payload = read.read(int.from_bytes(head[:3]))
                self._take(Frame(head[3], head[4], int.from_bytes(head[5:]), payload))

    def _take(self, frame: Frame) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()
        if frame.kind == SETTINGS and not frame.flags & _ACK:
            self._send(SETTINGS, _ACK, 0, b"")
        if frame.kind == PING and not frame.flags & _ACK:
            self._send(PING, _ACK, 0, frame.payload)
        if frame.kind in {HEADERS, DATA} and frame.flags & _END_STREAM:
            self._handle(self, frame.stream)
