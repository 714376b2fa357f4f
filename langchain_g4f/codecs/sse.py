"""Server-sent events, as they arrive: bytes in any pieces, one event a block of lines.

Follows the WHATWG HTML standard, section 9.2.6. Lines end at LF, CR or CRLF and
nowhere else; a CR ends its line at once, without waiting for the LF that may follow.
A line is decoded as strict UTF-8 once it is whole, so no character is ever split or
replaced. Comments, ``retry`` and unknown fields are skipped, a block without ``data``
is no event, and what the end of the body leaves unfinished is discarded. The standard
sets no limit; here an event has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_g4f.errors import MalformedStreamError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event.

    Attributes:
        event: Its type.
        data: Its lines of data, joined with LF.
        id: The last event id the stream has set so far, by this event or an earlier one.
        offset: Its position in the stream, in bytes; ignored in comparisons.
    """

    event: str
    data: str
    id: str = ""
    offset: int = field(default=0, compare=False)


class ServerSentEvents:
    """Incremental decoder of a ``text/event-stream``.

    Args:
        limit: Largest event in bytes, without comments.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._offset = self._begin = 0
        self._first = True
        self._after_cr = False
        self._event = ""
        self._data = bytearray()
        self._id = ""
        self._size = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """The events that ``data`` completes.

        Raises:
            MalformedStreamError: A line is not UTF-8; its offset is named.
            TooLargeError: An event is longer than the limit.
        """
        if not data:
            return
        start = 0
        if self._after_cr and data[:1] == b"\n":
            start = 1
            self._offset += 1
        self._after_cr = data[-1:] == b"\r"
        for end in _LINE_END.finditer(data, start):
            self._pending += data[start : end.start()]
            start = end.end()
            line = bytes(self._pending)
            self._pending.clear()
            if event := self._line(line):
                yield event
            self._offset += len(line) + len(end.group())
        self._pending += data[start:]
        self._check(self._pending)

    def close(self) -> Iterator[ServerSentEvent]:
        """The end of the body; an incomplete event is dropped."""
        self._pending.clear()
        self._data.clear()
        yield from ()

    def _line(self, line: bytes) -> ServerSentEvent | None:
        self._check(line)
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if not _is_utf8(line):
            raise MalformedStreamError(
                f"expected server-sent events, the line at byte {self._offset} is not UTF-8"
            )
        if line[:1] != b":":
            if not self._size:
                self._begin = self._offset
            self._size += len(line)
            self._field(line)
        return None

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data += value
                self._data += b"\n"
            case b"event":
                self._event = value.decode()
            case b"id" if b"\0" not in value:
                self._id = value.decode()
            case _:
                pass

    def _dispatch(self) -> ServerSentEvent | None:
        data, name = self._data, self._event
        self._data, self._event, self._size = bytearray(), "", 0
        if not data:
            return None
        return ServerSentEvent(name or "message", data[:-1].decode(), self._id, self._begin)

    def _check(self, line: bytes | bytearray) -> None:
        before = 0 if line[:1] == b":" else self._size
        if before + len(line) > self._limit:
            raise TooLargeError(
                f"the event around byte {self._offset} is longer than {self._limit} bytes"
            )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


__all__ = ["ServerSentEvent", "ServerSentEvents"]
