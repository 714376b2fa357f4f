"""How a run reaches a reader: JSON lines while it is sent, server-sent events on re-attaching.

Follows docs/protocols/huggingchat.md, sections 6 and 6.1. Both readers only tail the run's logs,
so a reader that leaves ends no run; the response tells its owner that it was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

from langchain_g4f.testing.chat_ui.superjson import dumps
from langchain_g4f.testing.chat_ui.units import utf16_length
from langchain_g4f.testing.chat_ui.update_log import DROP

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from langchain_g4f.testing.chat_ui.bell import Bell
    from langchain_g4f.testing.chat_ui.runs import Run
    from langchain_g4f.testing.chat_ui.store import Update

Body: TypeAlias = Callable[[], AsyncGenerator[bytes | None]]
"""Makes the chunks of a response; None closes the connection instead of ending the body."""

TOKEN_UNITS = 16
"""The server pads each token with NUL to this many UTF-16 units."""

FINAL_PADDING = b" " * 4096
"""Follows the line of a final answer, without a newline of its own."""

KEEP_ALIVE = b'{"type":"status","status":"keepAlive"}\n'
HEARTBEAT_S = 0.25


class StreamedResponse:
    """An ASGI response of unknown length that notices when its reader leaves.

    Args:
        body: Makes the chunks.
        kind: Content type.
        bell: What `body` waits on; rung when the reader leaves.
        on_leave: Called if the reader leaves before the end.
    """

    def __init__(
        self, body: Body, kind: str, bell: Bell, on_leave: Callable[[], None] | None = None
    ) -> None:
        self._body = body
        self._kind = kind
        self._bell = bell
        self._on_leave = on_leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and chunks until the body ends or nobody listens."""
        leaving = asyncio.create_task(self._watch(receive))
        headers = [(b"content-type", self._kind.encode())]
        more = {"type": "http.response.body", "more_body": True}
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with aclosing(self._body()) as chunks:
                async for chunk in chunks:
                    if leaving.done():
                        return
                    if chunk is None:
                        scope["extensions"]["sandbox.close"]()
                        await leaving
                        return
                    if chunk:
                        await send({**more, "body": chunk})
            if not leaving.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if self._on_leave:
            self._on_leave()
        self._bell.ring()


async def lines(run: Run, keep_alive_s: float) -> AsyncGenerator[bytes | None]:
    """Yield a run's updates as JSON lines, with a keep-alive every `keep_alive_s` seconds.

    Also yields empty chunks now and then, which let a response notice that it was left.
    """
    loop = asyncio.get_running_loop()
    next_alive_s: float | None = None
    cursor = 0
    while True:
        chunks: list[bytes] = []
        while cursor < len(run.log.updates):
            update = run.log.updates[cursor]
            cursor += 1
            if update is DROP:
                yield b"".join(chunks)
                yield None
                return
            chunks.append(encode_line(update))
            if next_alive_s is None:
                chunks.append(KEEP_ALIVE)
                next_alive_s = loop.time() + keep_alive_s
        if next_alive_s is not None and not run.done and loop.time() >= next_alive_s:
            chunks.append(KEEP_ALIVE)
            next_alive_s = loop.time() + keep_alive_s
        yield b"".join(chunks)
        if run.done and cursor == len(run.log.updates):
            return
        if cursor == len(run.log.updates):
            left = None if next_alive_s is None else max(0.0, next_alive_s - loop.time())
            await run.log.changed.wait(left)


def encode_line(update: Update) -> bytes:
    """Return one update as the server sends it, padding included (section 6)."""
    if update["type"] == "stream":
        token = update["token"]
        padding = "\0" * (TOKEN_UNITS - utf16_length(token))
        update = {**update, "token": token + padding}
    # A lone surrogate comes out as its JSON escape, as JavaScript prints it.
    line = dumps(update).encode("utf-8", "backslashreplace") + b"\n"
    return line + FINAL_PADDING if update["type"] == "finalAnswer" else line


async def events(run: Run | None, after: int) -> AsyncGenerator[bytes | None]:
    """Yield a run's events after number `after` as server-sent events (section 6.1)."""
    status = "gone"
    if run is not None:
        cursor = max(after, 0)
        while True:
            chunks: list[bytes] = []
            while cursor < len(run.log.events):
                event = run.log.events[cursor]
                cursor += 1
                data = dumps(event).encode("utf-8", "backslashreplace")
                chunks.append(b"id: %d\nevent: update\ndata: %b\n\n" % (cursor, data))
            yield b"".join(chunks)
            if run.done and cursor >= len(run.log.events):
                break
            before = len(run.log.events)
            await run.log.changed.wait(HEARTBEAT_S)
            if before == len(run.log.events) and not run.done:
                yield b": heartbeat\n\n"
        status = run.status
    yield b"event: end\ndata: " + dumps({"status": status}).encode() + b"\n\n"
