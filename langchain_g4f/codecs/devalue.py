"""devalue, the flattened form in which SvelteKit sends the data of a page.

Follows docs/protocols/huggingchat.md, section 9.1. A value is an array: element 0 is
the root, an integer inside an object or list is the index of a part, and some negative
integers stand for values that JSON lacks. Equal values are shared, in the result too.
Nothing here recurses. A cycle, and nesting deeper than ``MAX_DEPTH``, is refused. So is a page
that would be much larger without sharing, because walking it would take as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.errors import MalformedStreamError

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

MAX_DEPTH = 300
"""Levels of nesting a value may have."""

MAX_SHARING = 16
"""Largest ratio of the size of a page without sharing to its size as written."""

_SPECIAL: dict[int, JSON] = {-1: None, -2: None, -3: nan, -4: inf, -5: -inf, -6: -0.0}
"""undefined, a hole in a list, and numbers that JSON lacks."""


@dataclass(frozen=True, slots=True)
class NodeError:
    """A part of the page failed; the HTTP status does not say so.

    Attributes:
        status: HTTP status of the failure; 303 for a redirect.
        message: The server's message; for a redirect, its target.
    """

    status: int
    message: str


def unflatten(data: JSON) -> JSON:
    """The value that ``data`` stands for.

    Dates and regular expressions become strings, sets lists, maps lists of pairs. A
    type that is not known becomes its argument.

    Raises:
        MalformedStreamError: A place does not exist, or a value contains itself.
    """
    return _Values({0: data}).root()


def page_data(body: bytes) -> list[JSON | NodeError]:
    """The nodes of a ``__data.json`` body: layouts first, the page last.

    A skipped node is None. Values from later lines stand where a node refers to them, and
    None where a line is missing. A redirect is a single error.

    Raises:
        MalformedStreamError: The body is something else.
    """
    decoder = JSONLines(len(body))
    lines = [*decoder.feed(body), *decoder.close()]
    if not lines:
        raise MalformedStreamError("expected page data, got nothing")
    page, *rest = lines
    kind = need(page, "type", str)
    if kind == "redirect":
        return [NodeError(303, need(page, "location", str))]
    if kind != "data":
        raise MalformedStreamError(f"expected page data, got {kind[:40]!r}")
    chunks = {
        need(line, "id", int): line["data"]
        for line in rest
        if line.get("type") == "chunk" and "data" in line
    }
    return [_node(node, chunks) for node in need(page, "nodes", list)]


def _node(node: JSON, chunks: Mapping[int, JSON]) -> JSON | NodeError:
    kind = None if node is None else need(node, "type", str)
    if not isinstance(node, dict):
        return None
    if kind == "error":
        # the server leaves the status out of what it did not expect
        status = want(node, "status", int, default=500)
        return NodeError(status, want(need(node, "error", dict), "message", str, default=""))
    if kind != "data":
        return None
    if "data" not in node:
        raise MalformedStreamError("missing key 'data'")
    return _Values({**chunks, 0: node["data"]}).page()


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a value is made.

    Attributes:
        make: Makes it of its parts.
        parts: Their places.
        number: The array they are in.
    """

    make: Callable[[list[JSON]], JSON]
    parts: list[int]
    number: int = 0


class _Values:
    """The values of some arrays: number 0 is the page's, the others fill its promises."""

    def __init__(self, arrays: Mapping[int, JSON]) -> None:
        self._arrays = arrays
        self._done: dict[int, dict[int, JSON]] = {number: {} for number in arrays}
        self._heights: dict[tuple[int, int], int] = {}
        self._sizes: dict[tuple[int, int], int] = {}  # if nothing were shared
        self._written = 0

    def page(self) -> JSON:
        """Like `root`, but refuses a page that is much larger without sharing.

        Raises:
            MalformedStreamError: See `MAX_SHARING`.
        """
        value = self.root()
        if self._sizes[0, 0] > MAX_SHARING * self._written:
            raise _malformed(0, f"is more than {MAX_SHARING} times as large as it is written")
        return value

    def root(self) -> JSON:
        """The page's value."""
        path: dict[tuple[int, int], _Shape] = {}  # from the root to the value under way
        waiting = [(0, 0)]
        while waiting:
            number, index = place = waiting[-1]
            if index in self._done[number]:
                waiting.pop()
            elif place in path:
                self._finish(place, path.pop(place))
            else:
                path[place] = shape = self._shape(number, index)
                for part in dict.fromkeys(shape.parts):
                    below = (shape.number, part)
                    if below in path:
                        raise _malformed(part, "contains itself")
                    if len(path) + self._heights.get(below, 1) > MAX_DEPTH:
                        raise _malformed(part, f"is nested deeper than {MAX_DEPTH} levels")
                    waiting.append(below)
        return self._done[0][0]

    def _finish(self, place: tuple[int, int], shape: _Shape) -> None:
        number, index = place
        done = self._done[shape.number]
        self._done[number][index] = shape.make([done[part] for part in shape.parts])
        heights = (self._heights[shape.number, part] for part in set(shape.parts))
        self._heights[place] = 1 + max(heights, default=0)
        self._sizes[place] = 1 + sum(self._sizes[shape.number, part] for part in shape.parts)
        self._written += 1 + len(shape.parts)

    def _shape(self, number: int, index: int) -> _Shape:
        if index in _SPECIAL:
            return _constant(_SPECIAL[index])
        match self._raw(number, index):
            case dict() as value:
                return _object(list(value), _places(index, list(value.values())), number)
            case [str() as kind, *arguments]:
                return self._typed(kind, arguments, number, index)
            case list() as value:
                return _Shape(list, _places(index, value), number)
            case value:
                return _constant(value)

    def _raw(self, number: int, index: int) -> JSON:
        array = self._arrays[number]
        if isinstance(array, int) and array in _SPECIAL:
            return _SPECIAL[array]
        if not isinstance(array, list) or not 0 <= index < len(array):
            raise _malformed(index, "does not exist")
        return array[index]

    def _typed(self, kind: str, arguments: list[JSON], number: int, index: int) -> _Shape:
        """A value that is written as the name of its type and its arguments."""
        match kind, arguments:
            case "Set", _:
                return _Shape(list, _places(index, arguments), number)
            case "Map", _ if len(arguments) % 2 == 0:
                return _Shape(_pairs, _places(index, arguments), number)
            case "null", _ if len(arguments) % 2 == 0:
                names = [str(name) for name in arguments[::2]]
                return _object(names, _places(index, arguments[1::2]), number)
            case "BigInt", [str() as digits]:
                return _constant(_integer(digits, index))
            case "RegExp", [str() as source]:
                return _constant(f"/{source}/")
            case "RegExp", [str() as source, str() as flags]:
                return _constant(f"/{source}/{flags}")
            case "Object", [None | bool() | int() | float() | str() as value]:
                return _constant(value)
            case "Promise", [_]:
                return self._promise(number, *_places(index, arguments))
            case "Map" | "null" | "BigInt" | "RegExp" | "Object" | "Promise", _:
                raise _malformed(index, f"is no {kind}")
            case _, [int() as part, *_] if not isinstance(part, bool):
                return _Shape(lambda parts: parts[0], [part], number)
            case _:
                return _constant(arguments[0] if arguments else None)

    def _promise(self, number: int, index: int) -> _Shape:
        """The value of a later line; None if the line is missing."""
        line = self._raw(number, index)
        if type(line) is not int:
            raise _malformed(index, "is not the number of a line")
        if line == 0 or line not in self._arrays:
            return _constant(None)
        return _Shape(lambda parts: parts[0], [0], line)


def _places(index: int, references: list[JSON]) -> list[int]:
    places = [place for place in references if type(place) is int]
    if len(places) != len(references):
        raise _malformed(index, "has a part that is no index")
    return places


def _constant(value: JSON) -> _Shape:
    return _Shape(lambda _: value, [])


def _object(names: list[str], places: list[int], number: int) -> _Shape:
    return _Shape(lambda parts: dict(zip(names, parts, strict=True)), places, number)


def _pairs(parts: list[JSON]) -> JSON:
    return [list(pair) for pair in zip(parts[::2], parts[1::2], strict=True)]


def _integer(digits: str, index: int) -> int:
    try:
        return int(digits)
    except ValueError:
        pass
    raise _malformed(index, "is no BigInt")


def _malformed(index: int, what: str) -> MalformedStreamError:
    return MalformedStreamError(f"expected page data, the value at index {index} {what}")


__all__ = ["MAX_DEPTH", "MAX_SHARING", "NodeError", "page_data", "unflatten"]
