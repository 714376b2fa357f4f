"""One request on its way through the app: what a handler gets, and the shapes of refusals.

Error bodies follow docs/protocols/huggingchat.md, section 3: handlers refuse with `{"message":
...}`, with an `errorId` when the server itself did not expect the failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.responses import Response
from starlette.types import ASGIApp

from langchain_g4f.testing.chat_ui.superjson import dumps, encode

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.sessions import Identity
    from langchain_g4f.testing.recording import RecordedRequest


@dataclass(frozen=True, slots=True)
class Call:
    """A request, who sent it, and the variable parts of its path."""

    record: RecordedRequest
    identity: Identity
    params: dict[str, str]


Handler: TypeAlias = Callable[[Call], Awaitable[ASGIApp]]


class RefusedError(Exception):
    """Ends a handler with an error status; without a message it is an unexpected one."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class UnexpectedError(RefusedError):
    """What the server did not expect: 500, and the message says nothing (section 5.4)."""

    def __init__(self) -> None:
        super().__init__(500)


def json_response(value: object, status: int = 200) -> Response:
    """Return `value` as plain JSON."""
    return _response(dumps(value).encode(), "application/json", status)


def superjson_response(value: object) -> Response:
    """Return `value` in a superjson envelope (section 3)."""
    return json_response(encode(value))


def text_response(text: str, status: int = 200, kind: str = "text/plain") -> Response:
    """Return `text` with exactly this content type."""
    return _response(text.encode(), kind, status)


def empty_response(status: int = 200, location: str | None = None) -> Response:
    """Return no body and no content type; with `location` a redirect."""
    return Response(status_code=status, headers={"location": location} if location else None)


def bytes_response(content: bytes, kind: str) -> Response:
    """Return a file."""
    return _response(content, kind, 200)


def _response(content: bytes, kind: str, status: int) -> Response:
    # Given as a header because starlette adds a charset to a media type of text.
    return Response(content, status, {"content-type": kind})
