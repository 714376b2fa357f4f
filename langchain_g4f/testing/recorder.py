"""The ASGI layer that writes requests down before the provider's app sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from langchain_g4f.testing.recording import RecordedRequest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_KEPT_BYTES = 32 * 1024 * 1024


class Recorder:
    """Records every request of `app` and whether its answer was sent to the end.

    The request is handed on as `scope["extensions"]["sandbox.request"]`, its body read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[RecordedRequest] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record one request and let the app answer it."""
        record = _record(scope)
        self.requests.append(record)
        body = await _read(receive)
        if body is None:
            record.closed_early = True
            return
        record.take_body(body)

        async def watched_receive() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not record.finished:
                record.closed_early = True
            return message

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                record.finished = not record.closed_early

        extensions = {**scope.get("extensions", {}), "sandbox.request": record}
        await self._app({**scope, "extensions": extensions}, watched_receive, watched_send)


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body, or None if the client left while sending it."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_KEPT_BYTES:
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _record(scope: Scope) -> RecordedRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    path = unquote(scope["path"])
    return RecordedRequest(scope["method"], path, query, headers)
