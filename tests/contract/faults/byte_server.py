"""A loopback HTTP/1.1 server that sends the bytes it is told to send, for faults.

A handler gets one `Exchange` per request and acts on its connection: nothing corrects what it does,
and what it leaves out is not sent. A connection outlives the handler, for the next request, until
one of the sides closes it. Handlers run on their connection's thread and pace themselves with
`hold()`: during a sleep the client's close would go unseen. A client that ends its sending counts
as gone, for none of ours half-closes. To act on a connection that is over, or whose server stops,
raises `HangUpError`, which ends the handler; any other exception is raised by the `with` block.
"""

import contextlib
import itertools
import math
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any, NoReturn, Self

Action = Callable[["Exchange"], None]
Headers = Sequence[tuple[str, str]]
_JSON, _JSON_LINES = "application/json", "application/jsonl"


class HangUpError(ConnectionError):
    """The connection is over."""


@dataclass(frozen=True)
class Exchange:
    """A request, complete at the monotonic time `at`, and what can be done about it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    connection_number: int  # from 1
    request_number: int  # from 1, on its connection
    at: float
    _wire: "_Connection" = field(repr=False, compare=False)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def send(self, data: bytes) -> None:
        self._wire.receive(timeout_s=0)
        try:
            self._wire.sock.settimeout(None)
            self._wire.sock.sendall(data)
        except OSError:
            self._wire.hang_up()

    def respond(
        self, status: int, body: bytes = b"", headers: Headers = (), content_type: str = _JSON
    ) -> None:
        """Send a whole response with its true length."""
        self.send(_head(status, content_type, headers, ("Content-Length", f"{len(body)}")) + body)

    def start_stream(
        self, status: int = 200, content_type: str = _JSON_LINES, headers: Headers = ()
    ) -> "ChunkedWriter":
        """Send the head of a chunked response."""
        self.send(_head(status, content_type, headers, ("Transfer-Encoding", "chunked")))
        return ChunkedWriter(self.send)

    def hold(self, seconds: float) -> bool:
        """Wait so long, or until the client closes (or the server stops): True, and at once."""
        deadline = monotonic() + seconds
        with contextlib.suppress(HangUpError):
            while self._wire.receive(max(0, deadline - monotonic())):
                pass
            return False
        return True

    def never_answer(self) -> None:
        self.hold(math.inf)

    def close(self) -> None:
        """End the connection in order (FIN)."""
        self._wire.sock.close()

    def reset(self) -> None:
        """Break the connection (RST); the client may lose what it has not read."""
        self._wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


@dataclass(frozen=True)
class ChunkedWriter:
    send: Callable[[bytes], None]

    def chunk(self, data: bytes) -> None:
        """Send one chunk, or nothing for no bytes: an empty chunk is the end."""
        if data:
            self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")


class ByteServer(socketserver.ThreadingTCPServer):
    """Runs `handler` for each request to a free port of 127.0.0.1, inside its `with` block."""

    request_queue_size = 1024

    def __init__(self, handler: Action, *, ssl_context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.handler, self._ssl_context = handler, ssl_context
        self.requests: list[Exchange] = []
        # When the client's FIN or RST was seen, monotonic, by the number of the connection.
        self.closings: dict[int, float] = {}
        self.stopping = False
        self.port: int = self.server_address[1]
        self.url = f"http{'s' if ssl_context else ''}://127.0.0.1:{self.port}"
        self._failures: list[BaseException] = []
        self._open: dict[socket.socket, int] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()

    @property
    def connections_open(self) -> int:
        return len(self._open)

    def count(self, method: str, pattern: str) -> int:
        return sum(r.method == method and bool(re.search(pattern, r.path)) for r in self.requests)

    def wait_closed(self, timeout_s: float) -> bool:
        """Wait for the end of every connection accepted so far; False if one lasts longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout_s)

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.stopping = True
        for sock in tuple(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # wakes the thread that waits on it
        self.server_close()  # joins the connections' threads
        self._acceptor.join()
        if self._failures:
            raise self._failures[0]

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._ssl_context:  # the handshake happens in the first recv()
            sock = self._ssl_context.wrap_socket(sock, True, do_handshake_on_connect=False)
        self._open[sock] = next(self._numbers)
        return sock, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        connection = _Connection(self, request, self._open[request])
        try:
            for request_number in itertools.count(1):
                exchange = connection.read(request_number)
                self.requests.append(exchange)
                self.handler(exchange)
        except HangUpError:
            pass
        except BaseException as error:  # noqa: BLE001, pytest.fail() raises no Exception
            self._failures.append(error)
        self.shutdown_request(request)
        with self._changed:
            del self._open[request]
            self._changed.notify_all()


@dataclass
class _Connection:
    server: ByteServer
    sock: socket.socket
    number: int
    buffer: bytearray = field(default_factory=bytearray)

    def receive(self, timeout_s: float = math.inf) -> bool:
        """Buffer what the client sends; False if it sends nothing in time."""
        try:
            self.sock.settimeout(None if timeout_s == math.inf else timeout_s)
            data = self.sock.recv(1 << 16)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            data = b""
        self.buffer += data
        return bool(data) or self.hang_up()

    def hang_up(self) -> NoReturn:
        if self.sock.fileno() >= 0 and not self.server.stopping:
            self.server.closings.setdefault(self.number, monotonic())
        raise HangUpError

    def _take(self, length: int) -> bytes:
        while len(self.buffer) < length:
            self.receive()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return bytes(taken)

    def _take_until(self, end: bytes) -> str:
        while end not in self.buffer:
            self.receive()
        taken, _, self.buffer = self.buffer.partition(end)
        return taken.decode("latin-1")

    def read(self, number: int) -> Exchange:
        line, *lines = self._take_until(b"\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        headers = [(name, value.strip()) for name, _, value in (x.partition(":") for x in lines)]
        said = {name.lower(): value for name, value in headers}
        if "expect" in said:  # curl waits for this before it sends a large body
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._take(int(said.get("content-length", 0)))
        if "transfer-encoding" in said:
            while size := int(self._take_until(b"\r\n"), 16):
                body += self._take(size + 2)[:-2]
            self._take_until(b"\r\n")
        return Exchange(method, path, query, headers, body, self.number, number, monotonic(), self)


def _head(status: int, content_type: str, headers: Headers, framing: tuple[str, str]) -> bytes:
    fields = [("Content-Type", content_type)] * bool(content_type) + [*headers, framing]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *map(": ".join, fields), "\r\n"]
    return "\r\n".join(lines).encode("latin-1")


def routes(table: Mapping[tuple[str, str], Action | Sequence[Action]]) -> Action:
    """Dispatch by method and pattern; a list gives one action per call and repeats its last."""
    calls = {key: itertools.count() for key in table}

    def handle(exchange: Exchange) -> None:
        for (method, pattern), given in table.items():
            if exchange.method == method and re.search(pattern, exchange.path):
                actions = given if isinstance(given, Sequence) else [given]
                return actions[min(next(calls[method, pattern]), len(actions) - 1)](exchange)
        return exchange.respond(404, b'{"message":"Not found"}')

    return handle
