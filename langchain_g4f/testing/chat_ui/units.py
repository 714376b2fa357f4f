"""Text measured as JavaScript does, in UTF-16 code units."""

from __future__ import annotations


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units of `text`."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut_utf16(text: str, units: int) -> str:
    """Return at most the first `units` UTF-16 code units, never half a pair."""
    data = text.encode("utf-16-le", "surrogatepass")[: 2 * max(units, 0)]
    return data.decode("utf-16-le", "ignore")
