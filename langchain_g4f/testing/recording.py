"""The requests that arrived at a sandbox, for tests to look at.

`Recorder` is an ASGI layer around the app of a sandbox. It reads the body before the app runs (the
requests are small and whole) and notices a client that leaves before the response has ended.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from starlette.types import Message as AsgiMessage

_PARAMETER = re.compile(r'\b(name|filename)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file part of a multipart form, its content exactly as sent (not decoded)."""

    field: str
    filename: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class RecordedRequest:
    """One request as it arrived.

    Attributes:
        method: Upper-case method.
        path: Decoded path without the query.
        query: Query parameters, the last one of a name.
        headers: Headers with lower-case names; repeated ones joined by ", ".
        body: The body as received.
        json: The parsed body if its content type names JSON and it parses, else None.
        form: Text parts of a form.
        files: File parts of a multipart form.
        status: Status of the answer; None until its head is sent.
        finished: Whether the answer was sent to its end.
        closed_early: Whether the connection was lost, by either side, before the answer's end.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    json: Any = None
    form: dict[str, str] = field(default_factory=dict)
    files: list[RecordedFile] = field(default_factory=list)
    status: int | None = None
    finished: bool = False
    closed_early: bool = False

    @property
    def content_type(self) -> str:
        """Media type of the body in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, equals, value in pairs if equals}

    def take_body(self, body: bytes) -> None:
        """Keep `body` and what can be read from it."""
        self.body = body
        if "json" in self.content_type:
            try:
                self.json = json.loads(body)
            except ValueError:
                self.json = None
        elif self.content_type == "multipart/form-data":
            self._take_parts()
        elif self.content_type == "application/x-www-form-urlencoded":
            self.form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    def _take_parts(self) -> None:
        header = Message()
        header["content-type"] = self.headers["content-type"]
        boundary = str(header.get_param("boundary", "")).encode("latin-1", "replace")
        if not boundary:
            return
        for part in (b"\r\n" + self.body).split(b"\r\n--" + boundary)[1:]:
            if part.startswith(b"--"):
                break
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            self._take_part(head.decode("utf-8", "replace"), content)

    def _take_part(self, head: str, content: bytes) -> None:
        lines = dict(line.partition(":")[::2] for line in head.split("\r\n"))
        headers = {name.strip().lower(): value.strip() for name, value in lines.items()}
        names = dict(_PARAMETER.findall(headers.get("content-disposition", "")))
        name = names.get("name", "")
        if "filename" in names:
            filename = names["filename"].replace("%22", '"')
            kind = headers.get("content-type", "application/octet-stream")
            self.files.append(RecordedFile(name, filename, kind, content))
        else:
            self.form[name] = content.decode("utf-8", "replace")


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

        async def watched_receive() -> AsgiMessage:
            message = await receive()
            if message["type"] == "http.disconnect" and not record.finished:
                record.closed_early = True
            return message

        async def watched_send(message: AsgiMessage) -> None:
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
