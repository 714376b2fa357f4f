"""A response of unknown length that notices when its reader leaves, for every sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Body: TypeAlias = AsyncGenerator[bytes | None]
"""The chunks of a response; None closes the connection instead of ending the body."""


class StreamedResponse:
    """An ASGI response.

    Args:
        body: The chunks. Empty ones are not sent, but a reader that left is noticed at them.
        kind: Content type.
        on_leave: Called if the reader leaves before the end; must wake `body`.
    """

    def __init__(self, body: Body, kind: str, on_leave: Callable[[], None]) -> None:
        self._body = body
        self._kind = kind
        self._on_leave = on_leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and chunks until the body ends or the reader leaves."""
        leaving = asyncio.create_task(self._watch(receive))
        headers = [(b"content-type", self._kind.encode())]
        more = {"type": "http.response.body", "more_body": True}
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with aclosing(self._body) as chunks:
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
        self._on_leave()
