"""The part of a streamed text that waits, because a marker may begin there."""

from __future__ import annotations


def held_back(text: str, markers: tuple[str, ...]) -> int:
    """Length of the longest suffix of ``text`` that is a proper prefix of a marker."""
    longest = max((len(marker) for marker in markers), default=0) - 1
    for length in range(min(longest, len(text)), 0, -1):
        suffix = text[-length:]
        if any(marker.startswith(suffix) and marker != suffix for marker in markers):
            return length
    return 0


__all__ = ["held_back"]
