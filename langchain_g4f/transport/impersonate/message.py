"""What both transports do with a request and a response of httpx's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import httpx

from langchain_g4f.transport.impersonate.transfer import Transfer
from langchain_g4f.transport.request import WatchedBody


def content_of(request: httpx.Request) -> bytes:
    """The whole body; that sending began is noted elsewhere."""
    stream: Any = request.stream
    if isinstance(stream, WatchedBody):
        return stream.content()
    return b"".join(cast("Iterable[bytes]", stream))


def note_sent(request: httpx.Request, transfer: Transfer) -> None:
    """Note in the request whether it may have been received, and by whom."""
    if transfer.tunnelled:
        request.extensions.pop("proxy", None)
    if transfer.sent and isinstance(request.stream, WatchedBody):
        request.stream.started = True


def response(transfer: Transfer, body: Any) -> httpx.Response:  # noqa: ANN401 -- a stream of either world
    """The answer of a transfer with this body.

    Raises:
        httpx.TransportError: It ended without one.
    """
    head = transfer.head
    if head is None:
        if transfer.failure is None:
            msg = "given up"
            raise httpx.ReadError(msg)
        raise transfer.failure()
    return httpx.Response(
        head.status,
        headers=head.headers,
        stream=body,
        extensions={"http_version": head.version, "reason_phrase": head.reason},
    )


__all__ = ["content_of", "note_sent", "response"]
