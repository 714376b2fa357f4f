"""The other side: a chat-ui server in a process of its own, raw bytes, any number of streams.

Every stream gets its tokens at the same rate; one clock serves them all. What a reader is too slow
for stays unwritten, so that the server's memory says nothing and its processor time little.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from multiprocessing.connection import Connection

_ROOT = "7f0c1d6e-9f1b-4a53-8d3c-2b6a5e4f3d2c"
_TICK_S = 0.01


def _zero() -> ctypes.c_longlong:
    value: ctypes.c_longlong = multiprocessing.get_context("spawn").RawValue(ctypes.c_longlong)
    return value


@dataclass(frozen=True)
class Counts:
    """What the server has seen, in memory that both processes share."""

    opened: ctypes.c_longlong = field(default_factory=_zero)
    closed: ctypes.c_longlong = field(default_factory=_zero)
    created: ctypes.c_longlong = field(default_factory=_zero)
    begun: ctypes.c_longlong = field(default_factory=_zero)
    told: ctypes.c_longlong = field(default_factory=_zero)
    stopped: ctypes.c_longlong = field(default_factory=_zero)

    @property
    def open(self) -> int:
        """Connections that stand."""
        return self.opened.value - self.closed.value

    def __str__(self) -> str:
        return ", ".join(f"{f.name} {getattr(self, f.name).value}" for f in fields(self))


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        url: Its address.
        events: Tokens of every answer.
        counts: What it has seen.
    """

    url: str
    events: int
    counts: Counts


@contextmanager
def serving(events: int, rate: float) -> Iterator[Served]:
    """Serve answers of so many tokens, so many a second in each stream."""
    context = multiprocessing.get_context("spawn")
    counts = Counts()
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(events, rate, counts, theirs), daemon=True)
    process.start()
    try:
        yield Served(f"http://127.0.0.1:{ours.recv()}/chat", events, counts)
    finally:
        process.terminate()
        process.join()
        ours.close()
        theirs.close()


def token(number: int) -> str:
    """One of the tokens of an answer."""
    return f"w{number} "


def answer_lines(events: int) -> list[bytes]:
    """The lines of an answer as the real server writes them."""
    tokens = [token(number) for number in range(events)]
    updates = [
        {"type": "status", "status": "started"},
        *({"type": "stream", "token": text.ljust(16, "\0")} for text in tokens),
        {"type": "finalAnswer", "text": "".join(tokens).strip(), "interrupted": False},
        {"type": "status", "status": "finished"},
    ]
    lines = [json.dumps(update, separators=(",", ":")).encode() + b"\n" for update in updates]
    lines[-2] += b" " * 4096
    return lines


def _main(events: int, rate: float, counts: Counts, parent: Connection) -> None:
    asyncio.run(_Server(events, rate, counts).serve(parent))


class _Server:
    def __init__(self, events: int, rate: float, counts: Counts) -> None:
        self.counts = counts
        self.rate = rate
        lines = [b"%x\r\n%b\r\n" % (len(line), line) for line in answer_lines(events)]
        *self.lines, final, finished = lines
        self.ending = final + finished + b"0\r\n\r\n"
        self.streams: set[_Connection] = set()

    async def serve(self, parent: Connection) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=4096)
        parent.send(server.sockets[0].getsockname()[1])
        async with server:
            while True:
                now = time.monotonic()
                for stream in tuple(self.streams):
                    stream.go_on(now)
                await asyncio.sleep(max(0.0, now + _TICK_S - time.monotonic()))


class _Connection(asyncio.Protocol):
    def __init__(self, server: _Server) -> None:
        self._server = server
        self._counts = server.counts
        self._received = b""
        self._begin = 0.0
        self._sent = 0
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._counts.opened.value += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.closed.value += 1
        self._server.streams.discard(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        said = head.decode("latin-1").lower()
        length = int(said.partition("content-length: ")[2].partition("\r\n")[0] or "0")
        if len(rest) < length:
            return
        self._received = rest[length:]
        self._answer(said.split(" ", 2)[1])

    def _answer(self, path: str) -> None:
        match path.split("/")[2:]:
            case ["conversation"]:
                self._counts.created.value += 1
                embedded = json.dumps({"json": {"rootMessageId": _ROOT}, "meta": {}})
                number = f"{self._counts.created.value:024x}"  # one message at a time in each
                created = {"conversationId": number, "conversation": embedded}
                self._small(json.dumps(created).encode())
            case ["conversation", _]:
                self._counts.begun.value += 1
                self._begin, self._sent = time.monotonic(), 1
                head = _head("application/jsonl", "Transfer-Encoding: chunked")
                self._transport.write(head + self._server.lines[0])
                self._server.streams.add(self)
            case ["conversation", _, "stop-generating"]:
                self._counts.stopped.value += 1
                self._small(b"")
            case _:
                self._transport.abort()

    def _small(self, body: bytes) -> None:
        self._transport.write(_head("application/json", f"Content-Length: {len(body)}") + body)

    def go_on(self, now: float) -> None:
        """Write what is due."""
        if self._full:
            return
        lines = self._server.lines
        due = min(len(lines), 1 + int((now - self._begin) * self._server.rate))
        if due > self._sent:
            self._transport.write(b"".join(lines[self._sent : due]))
            self._sent = due
        if due == len(lines):
            self._server.streams.discard(self)
            self._counts.told.value += 1
            self._transport.write(self._server.ending)


def _head(kind: str, length: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()
