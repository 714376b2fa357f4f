"""Values, responses and refusals as chat-ui writes them.

Follows docs/protocols/huggingchat.md: sections 3 (superjson, the envelope of `/api/v2/*`, and error
bodies) and 9.1 (devalue, the flattened form of legacy page data).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.responses import Response


class Undefined:
    """JavaScript's `undefined`."""


UNDEFINED = Undefined()


class RefusedError(Exception):
    """Ends a handler with an error status.

    Without a message it is a failure that the server itself did not expect, which says nothing.
    """

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


def iso(moment: datetime) -> str:
    """Return `moment` as JavaScript prints a date: UTC, milliseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def dumps(value: object) -> str:
    """Return `value` as `JSON.stringify` prints it: no blanks, no escapes for non-ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def utf16_length(text: str) -> int:
    """Return the length of `text` in UTF-16 code units, as JavaScript counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def superjson(value: object) -> dict[str, Any]:
    """Return the envelope of `value`; `meta` names the places of dates and "undefined"."""
    values: dict[str, list[str]] = {}

    def plain(value: object, path: str) -> object:
        match value:
            case Undefined():
                values[path] = ["undefined"]
                return None
            case datetime():
                values[path] = ["Date"]
                return iso(value)
            case dict():
                return {key: plain(value[key], step(path, key)) for key in value}
            case list():
                return [plain(item, step(path, str(n))) for n, item in enumerate(value)]
        return value

    envelope = {"json": plain(value, "")}
    return {**envelope, "meta": {"values": values, "v": 1}} if values else envelope


def step(path: str, key: str) -> str:
    """Return the superjson path of the field `key` of the value at `path`."""
    key = key.replace(".", "\\.")
    return f"{path}.{key}" if path else key


class Deferred:
    """A devalue value that follows in the `chunk` line number 1."""


def devalue(value: object) -> list[object]:
    """Return `value` as the array of its parts, the root first.

    Integers inside objects and lists are places in the array, -1 is "undefined".
    """
    array: list[object] = []
    places: dict[tuple[object, object], int] = {}

    def place(value: object) -> int:
        if isinstance(value, Undefined):
            return -1
        is_scalar = value is None or isinstance(value, str | int | float)
        # Equal scalars share a place; containers only if they are the same object.
        key: tuple[object, object] = (type(value), value if is_scalar else id(value))
        if key in places:
            return places[key]
        index = places[key] = len(array)
        array.append(None)
        array[index] = flat(value)
        return index

    def flat(value: object) -> object:
        match value:
            case datetime():
                return ["Date", iso(value)]
            case Deferred():
                return ["Promise", place(1)]
            case dict():
                return {name: place(item) for name, item in value.items()}
            case list():
                return [place(item) for item in value]
        return value

    place(value)
    return array


def json_response(value: object, status: int = 200) -> Response:
    """Return `value` as plain JSON."""
    return text_response(dumps(value), status, "application/json")


def superjson_response(value: object) -> Response:
    """Return `value` in a superjson envelope."""
    return json_response(superjson(value))


def text_response(text: str | bytes, status: int = 200, kind: str = "text/plain") -> Response:
    """Return `text` with exactly this content type; starlette's own would get a charset."""
    return Response(text, status, {"content-type": kind})


def empty_response(status: int = 200, location: str | None = None) -> Response:
    """Return no body and no content type; with `location` a redirect."""
    return Response(status_code=status, headers={"location": location} if location else None)
