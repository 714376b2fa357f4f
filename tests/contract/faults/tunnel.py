"""A proxy that passes on what it gets, until it dies."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.contract.faults.byte_server import ByteServer, Exchange


class Tunnel(ByteServer):
    """Answers CONNECT, and nothing else."""

    def __init__(self) -> None:
        super().__init__(self._connect)
        self._life, self._death = socket.socketpair()

    def die(self) -> None:
        """Break every connection, from now on."""
        self._death.close()

    def server_close(self) -> None:
        """Leave nothing behind."""
        self._death.close()
        super().server_close()
        self._life.close()

    def _connect(self, exchange: Exchange) -> None:
        assert exchange.method == "CONNECT"
        if self._is_dead():
            exchange.reset()
            return
        with _connected(exchange.path) as far:
            exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
            self._pass_on(exchange._wire.sock, far)
        exchange.reset()

    def _is_dead(self) -> bool:
        return bool(select.select([self._life], [], [], 0)[0])

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        to = {near: far, far: near}
        with suppress(ConnectionError):
            while True:
                readable, _, _ = select.select([near, far, self._life], [], [])
                if self._life in readable:
                    return
                for source in readable:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    to[source].sendall(data)


@contextmanager
def _connected(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as sock:
        yield sock
