"""JSON lines, as they arrive: bytes in any pieces, one JSON object a line.

Lines end at LF and nowhere else: U+2028, U+0085 and a lone CR are legal inside
JSON strings, and ``str.splitlines`` would cut there. A line is decoded as strict
UTF-8 once it is whole, so no character is ever split or replaced. Blank lines and
padding of spaces or NULs around a line are skipped. Incomplete input is capped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_g4f.errors import MalformedStreamError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.wire import JSON

_PADDING = b" \t\r\0"


class JSONLines:
    """Incremental decoder of JSON objects, one a line.

    Args:
        limit: Bytes one line may have.
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
        first, *more = data.split(b"\n")
        self._pending += first
        for following in more:
            line = bytes(self._pending)
            self._pending = bytearray(following)
            yield from self._decode(line)
            self._offset += len(line) + 1
        if len(self._pending) > self._limit:
            raise self._too_large()

    def close(self) -> Iterator[dict[str, JSON]]:
        """The object of a last line without its LF, if there is one."""
        line = bytes(self._pending)
        self._pending.clear()
        yield from self._decode(line)

    def _decode(self, line: bytes) -> Iterator[dict[str, JSON]]:
        if len(line) > self._limit:
            raise self._too_large()
        stripped = line.strip(_PADDING)
        if not stripped:
            return
        try:
            text = stripped.decode()
            value = json.loads(text)
            if "\\ud" in text or "\\uD" in text:  # half a surrogate pair is no text
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise self._malformed("no JSON") from None
        if not isinstance(value, dict):
            raise self._malformed(f"JSON {type(value).__name__}, no object")
        yield value

    def _malformed(self, found: str) -> MalformedStreamError:
        return MalformedStreamError(
            f"expected JSON lines, found {found} in the line at byte {self._offset}"
        )

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the line at byte {self._offset} is longer than {self._limit} bytes")


__all__ = ["JSONLines"]
