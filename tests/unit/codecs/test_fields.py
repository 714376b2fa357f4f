"""Typed readers for decoded JSON."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.errors import MalformedStreamError

VALUES: list[tuple[Any, type[Any]]] = [
    ("text", str),
    ("", str),
    (True, bool),
    (False, bool),
    (7, int),
    (0, int),
    ([1, "a"], list),
    ([], list),
    ({"a": 1}, dict),
    ({}, dict),
]
KINDS: tuple[type[Any], ...] = (str, bool, int, list, dict)


@pytest.mark.parametrize(("value", "kind"), VALUES)
@pytest.mark.parametrize("read", [need, lambda v, k, t: want(v, k, t, default=None)])
def test_value_of_the_kind_is_returned(read: Any, value: object, kind: type[Any]) -> None:
    """An empty value is a value."""
    assert read({"key": value}, "key", kind) is value


@pytest.mark.parametrize(
    ("value", "kind"),
    [(value, kind) for value, own in VALUES for kind in KINDS if kind is not own]
    + [(1.5, kind) for kind in KINDS],
)
@pytest.mark.parametrize("read", [need, lambda v, k, t: want(v, k, t, default=None)])
def test_value_of_another_kind_is_an_error_that_names_key_and_kinds(
    read: Any, value: object, kind: type[Any]
) -> None:
    """No number passes for a flag, and no flag for a number."""
    with pytest.raises(MalformedStreamError) as caught:
        read({"key": value}, "key", kind)
    said = f"'key' should be {kind.__name__}, is {type(value).__name__}"
    assert str(caught.value) == said


def test_missing_key_is_an_error_that_names_it() -> None:
    """Never a bare KeyError."""
    with pytest.raises(MalformedStreamError, match="missing key 'key'"):
        need({"other": 1}, "key", str)


@pytest.mark.parametrize("value", [None, "text", 7, 1.5, True, ["key"]])
@pytest.mark.parametrize("read", [need, lambda v, k, t: want(v, k, t, default="x")])
def test_what_is_no_object_is_an_error_that_names_key_and_kind(read: Any, value: object) -> None:
    """Also where the key is optional."""
    with pytest.raises(MalformedStreamError) as caught:
        read(value, "key", str)
    assert str(caught.value) == f"expected an object with 'key', got {type(value).__name__}"


def test_null_that_is_needed_is_an_error() -> None:
    """Null is a value of another kind."""
    with pytest.raises(MalformedStreamError, match="'key' should be str, is NoneType"):
        need({"key": None}, "key", str)


@pytest.mark.parametrize("value", [{}, {"key": None}])
def test_missing_or_null_that_is_wanted_is_the_default(value: Any) -> None:
    """Servers write an optional field as null, or leave it out."""
    assert want(value, "key", str, default="default") == "default"
