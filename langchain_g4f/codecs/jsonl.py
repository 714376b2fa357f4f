"""JSON lines, as they arrive: bytes in any pieces, one JSON object a line.

Lines end at LF and nowhere else: U+2028, U+0085 and a lone CR are legal inside
JSON strings, and ``str.splitlines`` would cut there. A line is decoded as strict
UTF-8 once it is whole, so no character is ever split or replaced. Blank lines and
padding of spaces or NULs around a line are skipped. Incomplete input is capped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.core.http import parse_json
from langchain_g4f.errors import MalformedStreamError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.core.http import JSON

_PADDING = b" \t\r\0"


class JSONLines:
    """Incremental decoder of JSON objects, one a line.

    Args:
        limit: Largest line in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[dict[str, JSON]]:
        """The objects that ``data`` completes.

        Raises:
            MalformedStreamError: A line is no JSON object; its offset is named.
            TooLargeError: A line is longer than the limit.
        """
        *lines, rest = data.split(b"\n")
        for line in lines:
            whole = bytes(self._pending + line) if self._pending else line
            self._pending.clear()
            value = self._decode(whole)
            if value is not None:
                yield value
            self._offset += len(whole) + 1
        self._pending += rest
        if len(self._pending) > self._limit:
            raise self._too_large()

    def close(self) -> Iterator[dict[str, JSON]]:
        """The object of a last line without its LF, if there is one."""
        line = bytes(self._pending)
        self._pending.clear()
        value = self._decode(line)
        if value is not None:
            yield value

    def _decode(self, line: bytes) -> dict[str, JSON] | None:
        """The object of a line; None if the line is blank."""
        if len(line) > self._limit:
            raise self._too_large()
        stripped = line.strip(_PADDING)
        if not stripped:
            return None
        found = "no JSON"
        try:
            value = parse_json(stripped.decode())
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(value, dict):
                return value
            found = f"JSON {type(value).__name__}, no object"
        raise self._malformed(found)

    def _malformed(self, found: str) -> MalformedStreamError:
        return MalformedStreamError(
            f"expected JSON lines, found {found} in the line at byte {self._offset}"
        )

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the line at byte {self._offset} is longer than {self._limit} bytes")


__all__ = ["JSONLines"]
