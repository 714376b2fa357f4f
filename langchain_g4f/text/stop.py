"""Stop strings, enforced here because the services have no such parameter."""

from __future__ import annotations


class StopCutter:
    """Passes text on until a stop string begins, wherever pieces are cut.

    Args:
        stop: The stop strings, none of them empty.

    Attributes:
        stopped: Whether a stop string was found.
        found: The stop string that was found.
    """

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stop = stop
        self._pending = ""
        self.stopped = False
        self.found = ""

    def feed(self, text: str) -> str:
        """The text that is certain now; sets ``stopped`` at the first stop string."""
        if self.stopped:
            return ""
        text = self._pending + text
        found = [(at + len(m), at) for m in self._stop if (at := text.find(m)) >= 0]
        if found:  # the one that is complete first, as if characters came one by one
            end, begin = min(found)
            self.stopped, self.found, self._pending = True, text[begin:end], ""
            return text[:begin]
        waiting = held_back(text, self._stop)
        self._pending = text[len(text) - waiting :]
        return text[: len(text) - waiting]

    def close(self) -> str:
        """The text that waited and is no stop string."""
        pending, self._pending = self._pending, ""
        return pending


def held_back(text: str, markers: tuple[str, ...]) -> int:
    """Length of the longest suffix of ``text`` that is a proper prefix of a marker."""
    longest = max((len(marker) for marker in markers), default=0) - 1
    for length in range(min(longest, len(text)), 0, -1):
        suffix = text[-length:]
        if any(marker.startswith(suffix) and marker != suffix for marker in markers):
            return length
    return 0


__all__ = ["StopCutter", "held_back"]
