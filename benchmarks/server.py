"""The server: one process that sends prepared bytes with asyncio, without a framework.

It speaks two protocols with the same tokens: chat-ui (docs/protocols/huggingchat.md, sections 5
and 6) and OpenAI chat completions. Each comes in three shapes, named by the first segment of the
path:

* `paced`: one line per packet. The server sends the next line when the client reports, in shared
  memory, that it has read the last token. So the client reads each line separately, however slow
  it is, and the wall time per token is the time of one round trip.
* `lines`: one line per packet, as fast as the connection accepts them. A slow client reads several
  at once.
* `bursts`: 64 lines per packet, as fast as the connection accepts them.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import json
import multiprocessing
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

SHAPES = ("paced", "lines", "bursts")
_LINES_A_BURST = 64
_PATIENCE_S = 10.0
_CONVERSATION, _ROOT = "66a1b2c3d4e5f60718293a4b", "7f0c1d6e-9f1b-4a53-8d3c-2b6a5e4f3d2c"
_WORDS = ("The", " quick", " brown", " fox", ",", " naïve", " 東京", " jumps", "\n", " over", " 12")


@dataclass(frozen=True)
class Shared:
    """Numbers in memory that both processes share.

    Attributes:
        seen: Tokens of the current answer that the client has read.
        requests: Requests that the server has received.
    """

    seen: ctypes.c_longlong
    requests: ctypes.c_longlong


def tokens(count: int) -> list[str]:
    """The tokens of every answer."""
    return list(itertools.islice(itertools.cycle(_WORDS), count))


@contextmanager
def serving(count: int) -> Iterator[tuple[str, Shared]]:
    """Serve answers of ``count`` tokens; yields the server's address and the shared numbers."""
    context = multiprocessing.get_context("spawn")
    shared = Shared(context.RawValue(ctypes.c_longlong), context.RawValue(ctypes.c_longlong))
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(count, shared, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}", shared
    finally:
        process.terminate()
        process.join()


def _main(count: int, shared: Shared, parent: Connection) -> None:
    asyncio.run(_Server(tokens(count), shared).serve(parent))


class _Server:
    def __init__(self, texts: list[str], shared: Shared) -> None:
        self._shared = shared
        self._count = len(texts)
        self._chat_ui = _chat_ui_lines(texts)
        self._openai = _openai_lines(texts)

    async def serve(self, parent: Connection) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        parent.send(server.sockets[0].getsockname()[1])  # asyncio sets TCP_NODELAY itself
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                path = await _read_request(reader)
                self._shared.requests.value += 1
                await self._answer(path, writer)
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        _, shape, *rest = path.split("/")
        match rest:
            case ["chat", "conversation"]:
                embedded = json.dumps({"json": {"rootMessageId": _ROOT}, "meta": {}})
                created = {"conversationId": _CONVERSATION, "conversation": embedded}
                body = json.dumps(created).encode()
                writer.write(_head("application/json", f"Content-Length: {len(body)}") + body)
                await writer.drain()
            case ["chat", "conversation", _]:
                await self._stream("application/jsonl", self._chat_ui, shape, writer)
            case ["v1", "chat", "completions"]:
                await self._stream("text/event-stream", self._openai, shape, writer)
            case _:
                raise ConnectionAbortedError(path)

    async def _stream(
        self, kind: str, lines: list[bytes], shape: str, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_head(kind, "Transfer-Encoding: chunked"))
        step = _LINES_A_BURST if shape == "bursts" else 1
        for at in range(0, len(lines), step):
            if shape == "paced":
                # the first line is not a token, so line number `at` follows `at - 1` tokens
                await self._reader_has(min(at - 1, self._count))
            data = b"".join(lines[at : at + step])
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _reader_has(self, count: int) -> None:
        give_up_at = time.monotonic() + _PATIENCE_S
        while self._shared.seen.value < count:
            if time.monotonic() > give_up_at:
                raise ConnectionAbortedError
            await asyncio.sleep(0)


async def _read_request(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    said = dict(line.lower().split(": ", 1) for line in lines)
    await reader.readexactly(int(said.get("content-length", "0")))
    return first.split(" ")[1]


def _head(kind: str, length: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()


def _chat_ui_lines(texts: list[str]) -> list[bytes]:
    """The lines of an answer of chat-ui: one status, the tokens, two lines for the end."""
    said = "".join(texts).strip()
    updates = [
        {"type": "status", "status": "started"},
        *({"type": "stream", "token": text.ljust(16, "\0")} for text in texts),
        {"type": "finalAnswer", "text": said, "interrupted": False},
        {"type": "status", "status": "finished"},
    ]
    lines = [_dump(update) + b"\n" for update in updates]
    lines[-2] += b" " * 4096
    return lines


def _openai_lines(texts: list[str]) -> list[bytes]:
    """The events of an OpenAI answer: the role, the tokens, two events for the end."""
    deltas: list[dict[str, str]] = [
        {"role": "assistant", "content": ""},
        *({"content": text} for text in texts),
        {},
    ]
    lines = []
    for delta in deltas:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": None if delta else "stop",
        }
        chunk = {
            "id": "chatcmpl-C4zN3xQv1Yk2Tn8pWq7RbL5sHd9Ja",
            "object": "chat.completion.chunk",
            "created": 1788000000,
            "model": "bench",
            "service_tier": "default",
            "system_fingerprint": "fp_44709d6fcb",
            "choices": [choice],
        }
        lines.append(b"data: " + _dump(chunk) + b"\n\n")
    return [*lines, b"data: [DONE]\n\n"]


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
