"""An answer as it goes out: JSON objects, each followed by an empty line, and no end marker.

Follows docs/protocols/flowgpt.md, section 6. An answer belongs to its connection: nobody can be
told to stop it, and it ends when its reader leaves.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from starlette.types import Receive, Scope, Send

    from langchain_g4f.testing.script import Reply


class Answer:
    """The ASGI response with one answer.

    Args:
        reply: What goes wrong meanwhile, and when.
        tokens: What is said.
        pace_s: Seconds before each token.
    """

    def __init__(self, reply: Reply, tokens: Iterator[str], pace_s: float) -> None:
        self._reply = reply
        self._tokens = tokens
        self._pace_s = pace_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until it ends, or until nobody listens."""
        left = asyncio.ensure_future(_left(receive))
        headers = [(b"content-type", b"text/plain")]
        more = {"type": "http.response.body", "more_body": True}
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with aclosing(self._events(left)) as events:
                async for event in events:
                    if event is None:
                        scope["extensions"]["sandbox.close"]()
                        await left
                        return
                    await send({**more, "body": event})
            if not left.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            left.cancel()

    async def _events(self, left: asyncio.Future[None]) -> AsyncGenerator[bytes | None]:
        """Yield events, None to close the connection instead of ending the body."""
        reply, said = self._reply, 0
        while True:
            token = self._next()
            if _due(reply.drop_after, said, token):
                yield None
                return
            if _due(reply.hang_after, said, token):
                await left
            if reply.error and _due(reply.error_after or 0, said, token):
                yield _event("error", reply.error[1])
                return
            await asyncio.wait({left}, timeout=self._pace_s)
            if token is None or left.done():
                return
            if isinstance(token, Exception):
                yield _event("error", f"the script failed: {token!r}")
                return
            yield _event("text", token)
            said += 1

    def _next(self) -> str | Exception | None:
        try:
            return next(self._tokens, None)
        except Exception as error:  # noqa: BLE001 -- whatever a script raises
            return error


async def _left(receive: Receive) -> None:
    """Return when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(kind: str, data: str) -> bytes:
    event = {"event": kind, "data": data}
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate comes out as its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n\n"


def _due(position: int | None, said: int, token: object) -> bool:
    """Return whether something meant for `position` happens before `token`, None for the end."""
    return position is not None and (position == said or (token is None and position > said))
