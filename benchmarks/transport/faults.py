"""The server: a thread that answers by the path, and notes when its client disconnects."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class FaultyServer:
    """Answers by the path: ``flow``, ``idle``, ``mute``, ``cut``, ``flood``."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked, self.gone = threading.Event(), threading.Event()
        self.gone_at = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection = self._listening.accept()[0]
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            asked = connection.recv(65536)
            self.asked.set()
            kind = asked.split(b" ")[1].decode().strip("/")
            if kind != "mute":
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                connection.sendall(_chunk(b"first\n"))
            if kind in {"flow", "flood"}:
                self._send_on(connection, kind)
            elif kind in {"mute", "idle"}:
                connection.recv(1)
        self.gone_at = time.perf_counter()
        self.gone.set()

    def _send_on(self, connection: socket.socket, kind: str) -> None:
        block = _chunk(b"line\n" if kind == "flow" else bytes(65536))
        while kind == "flood":
            connection.sendall(block)
        connection.settimeout(0.002)
        while True:
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return
            connection.sendall(block)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
