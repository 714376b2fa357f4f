"""superjson, the envelope of `/api/v2/*`: `{"json": value, "meta": {...}}`.

Follows docs/protocols/huggingchat.md, section 3. Only what chat-ui sends: dates, ids and
"undefined".
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any


class Undefined:
    """JavaScript's `undefined`: null in `json`, named in `meta`."""


UNDEFINED = Undefined()


class ObjectId(str):
    """A database id, which superjson marks as a custom type."""

    __slots__ = ()


def iso(moment: datetime) -> str:
    """Return `moment` as JavaScript prints a date: UTC, milliseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def dumps(value: object) -> str:
    """Return `value` as `JSON.stringify` prints it: no blanks, no escapes for non-ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode(value: object) -> dict[str, Any]:
    """Return the envelope of `value`; `meta` is left out when there is nothing to say."""
    walk = _Walk()
    plain = walk.plain(value, "")
    if not walk.values:
        return {"json": plain}
    meta: dict[str, Any] = {"values": walk.values}
    if walk.equal:
        meta["referentialEqualities"] = walk.equal
    return {"json": plain, "meta": {**meta, "v": 1}}


class _Walk:
    """One pass over a value, noting the places of everything JSON cannot say."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.equal: dict[str, list[str]] = {}
        self._ids: dict[int, str] = {}

    def plain(self, value: object, path: str) -> object:
        match value:
            case Undefined():
                self.values[path] = ["undefined"]
                return None
            case datetime():
                self.values[path] = ["Date"]
                return iso(value)
            case ObjectId():
                self.values[path] = [["custom", "ObjectId"]]
                first = self._ids.setdefault(id(value), path)
                if first != path:
                    self.equal.setdefault(first, []).append(path)
                return str(value)
            case dict():
                keys = {key: key.replace(".", "\\.") for key in value}
                return {key: self.plain(value[key], _join(path, keys[key])) for key in value}
            case list():
                return [self.plain(item, _join(path, str(n))) for n, item in enumerate(value)]
        return value


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
