"""The encodings of chat-ui: superjson envelopes, devalue arrays, padded lines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from langchain_g4f.testing.chat_ui.devalue import Deferred, flatten
from langchain_g4f.testing.chat_ui.stream import encode_line
from langchain_g4f.testing.chat_ui.superjson import UNDEFINED, ObjectId, encode
from langchain_g4f.testing.chat_ui.units import cut_utf16, utf16_length
from tests.unit.testing.recordings import unflatten

NOON = datetime(2026, 11, 20, 12, 0, 0, 34_000, tzinfo=UTC)


def test_superjson_without_special_values_has_no_meta() -> None:
    """Ordinary JSON stays what it is."""
    assert encode({"a": [1, None, "x"]}) == {"json": {"a": [1, None, "x"]}}


def test_superjson_names_dates_ids_and_undefined_by_path() -> None:
    """Dots in names are escaped, an id used twice is said to be equal."""
    identifier = ObjectId("6affab1e")
    value = {"at": NOON, "no.pe": UNDEFINED, "list": [{"_id": identifier, "id": identifier}]}
    assert encode(value) == {
        "json": {
            "at": "2026-11-20T12:00:00.034Z",
            "no.pe": None,
            "list": [{"_id": "6affab1e", "id": "6affab1e"}],
        },
        "meta": {
            "values": {
                "at": ["Date"],
                "no\\.pe": ["undefined"],
                "list.0._id": [["custom", "ObjectId"]],
                "list.0.id": [["custom", "ObjectId"]],
            },
            "referentialEqualities": {"list.0._id": ["list.0.id"]},
            "v": 1,
        },
    }


def test_devalue_shares_equal_scalars_and_keeps_kinds_apart() -> None:
    """1 and true are different values, equal texts are one."""
    assert flatten({"a": "x", "b": ["x", 1, True], "c": {}}) == [
        {"a": 1, "b": 2, "c": 5},
        "x",
        [1, 3, 4],
        1,
        True,
        {},
    ]


def test_devalue_has_marks_for_dates_undefined_and_what_follows_later() -> None:
    """A promise points at the number of its chunk."""
    assert flatten([NOON, UNDEFINED, Deferred(1), None]) == [
        [1, -1, 2, 4],
        ["Date", "2026-11-20T12:00:00.034Z"],
        ["Promise", 3],
        1,
        None,
    ]


def test_devalue_comes_back_as_it_was() -> None:
    """Flattening loses nothing."""
    value = {"models": [{"name": "a", "tags": ["x", "a"]}, {"name": "a", "tags": []}], "n": 0}
    assert unflatten(flatten(value), 0) == value


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("\N{GRINNING FACE}", 2)])
def test_text_is_measured_in_utf16_units(text: str, units: int) -> None:
    """As JavaScript does."""
    assert utf16_length(text) == units


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, ""), (1, "a"), (2, "a"), (3, "a\N{GRINNING FACE}"), (9, "a\N{GRINNING FACE}")],
)
def test_a_cut_never_leaves_half_a_character(units: int, text: str) -> None:
    """A pair that does not fit is left out."""
    assert cut_utf16("a\N{GRINNING FACE}", units) == text


def test_tokens_are_padded_to_sixteen_units() -> None:
    """Longer ones are sent as they are."""
    short = encode_line({"type": "stream", "token": "\N{GRINNING FACE}"})
    assert short.count(b"\\u0000") == 14
    long = encode_line({"type": "stream", "token": "x" * 17})
    assert long == b'{"type":"stream","token":"' + b"x" * 17 + b'"}\n'


def test_half_a_character_is_sent_as_its_escape() -> None:
    """A cut answer may hold a lone surrogate, which UTF-8 has no bytes for."""
    assert encode_line({"type": "title", "title": "\ud83d"}).endswith(b'"title":"\\ud83d"}\n')
