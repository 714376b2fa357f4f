"""devalue, the flattened form of legacy page data.

Follows docs/protocols/huggingchat.md, section 9.1: element 0 is the root, integers inside objects
and lists are places in the array, -1 is "undefined", and equal values are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from langchain_g4f.testing.chat_ui.superjson import Undefined, iso

_UNDEFINED = -1


@dataclass(frozen=True, slots=True)
class Deferred:
    """A value that follows in a later `chunk` line with this number."""

    number: int


def flatten(value: object) -> list[object]:
    """Return `value` as the array of its parts."""
    parts = _Parts()
    parts.place(value)
    return parts.array


class _Parts:
    """The array in the making and where each value is in it."""

    def __init__(self) -> None:
        self.array: list[object] = []
        self._places: dict[tuple[object, object], int] = {}

    def place(self, value: object) -> int:
        """Return where `value` is, adding it if it is not there yet."""
        if isinstance(value, Undefined):
            return _UNDEFINED
        shared = value is None or isinstance(value, str | int | float)
        # Equal scalars are one value; of containers only the very same one is.
        key: tuple[object, object] = (type(value), value if shared else id(value))
        if key in self._places:
            return self._places[key]
        place = self._places[key] = len(self.array)
        self.array.append(None)
        self.array[place] = self._flat(value)
        return place

    def _flat(self, value: object) -> object:
        match value:
            case datetime():
                return ["Date", iso(value)]
            case Deferred():
                return ["Promise", self.place(value.number)]
            case dict():
                return {name: self.place(item) for name, item in value.items()}
            case list():
                return [self.place(item) for item in value]
        return value
