"""Typed readers for decoded JSON: a wrong shape is an error that names the key."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from langchain_g4f.core.http import parse_json
from langchain_g4f.core.urls import is_id
from langchain_g4f.errors import MalformedStreamError

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

T = TypeVar("T", str, bool, int, list["JSON"], dict[str, "JSON"])


def decoded(text: str, what: str) -> JSON:
    """``text`` as JSON.

    Raises:
        MalformedStreamError: It is something else; ``what`` names it.
    """
    with suppress(ValueError, RecursionError):
        return parse_json(text.strip())
    raise MalformedStreamError(f"{what} is no JSON")


def need(value: JSON, key: str, kind: type[T]) -> T:
    """``value[key]``, which has to be there and of this kind.

    Raises:
        MalformedStreamError: It is not; the message names the key.
    """
    if not isinstance(value, dict):
        raise MalformedStreamError(f"expected an object with {key!r}, got {type(value).__name__}")
    if key not in value:
        raise MalformedStreamError(f"missing key {key!r}")
    found = value[key]
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise MalformedStreamError(f"{key!r} should be {kind.__name__}, is {type(found).__name__}")
    return found


def need_id(value: JSON, key: str) -> str:
    """``value[key]``, which has to be an id; see `is_id`.

    Raises:
        MalformedStreamError: It is not; the message names the key.
    """
    found = need(value, key, str)
    if not is_id(found):
        raise MalformedStreamError(f"{key!r} is no id")
    return found


def want(value: JSON, key: str, kind: type[T], *, default: T) -> T:
    """Like `need`, but ``default`` where the key is missing or null."""
    if isinstance(value, dict) and value.get(key) is None:
        return default
    return need(value, key, kind)


__all__ = ["decoded", "need", "need_id", "want"]
