"""What arrived at the sandbox: every request is kept, body included, for tests to look at.

The recorder is an ASGI layer around any provider's app. It reads the body before the app runs
(the providers' requests are small and whole) and notices a client that leaves before the response
has ended.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

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
