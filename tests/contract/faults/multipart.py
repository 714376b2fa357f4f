"""The files of a multipart request, byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.contract.faults.byte_server import Exchange


@dataclass(frozen=True)
class Uploaded:
    """A file part of a request, as the server got it."""

    name: str
    content_type: str
    content: bytes


def uploads(request: Exchange) -> list[Uploaded]:
    """Take the `files` parts out of a request."""
    boundary = (request.header("content-type") or "").partition("boundary=")[2].encode()
    assert boundary
    begin, *pieces, end = (b"\r\n" + request.body).split(b"\r\n--" + boundary)
    assert (begin, end.strip()) == (b"", b"--")
    found = []
    for piece in pieces:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if b'name="files"' in head:
            name = re.search(r'filename="([^"]*)"', head.decode())
            kind = re.search(r"(?i)content-type: *(\S+)", head.decode())
            assert name
            assert kind
            found.append(Uploaded(name[1], kind[1], content))
    return found
