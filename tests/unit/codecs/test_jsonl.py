"""JSON lines, in any pieces."""

from __future__ import annotations

import json
import tracemalloc
from itertools import combinations
from typing import Any

import pytest

from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.core.http import parse_json
from langchain_g4f.errors import MalformedStreamError, TooLargeError
from tests.unit.timing import assert_grows

LIMIT = 1 << 20
SAMPLE = b'{"a": "\xc3\xa4"}\r\n\n  \0\n{"b": "\xf0\x9f\x99\x82\\n"}\n    {"c": 3}'
OBJECTS = [{"a": "ä"}, {"b": "🙂\n"}, {"c": 3}]


def decode(*pieces: bytes, limit: int = LIMIT) -> list[dict[str, Any]]:
    """What the pieces say, the end included."""
    lines = JSONLines(limit)
    found = [value for piece in pieces for value in lines.feed(piece)]
    return [*found, *lines.close()]


@pytest.mark.proves("obligation:huggingchat:7")
def test_lines_cut_anywhere_are_the_same_objects() -> None:
    """At every pair of places, between the bytes of a character, too; and in single bytes."""
    for first, second in combinations(range(len(SAMPLE) + 1), 2):
        pieces = (SAMPLE[:first], SAMPLE[first:second], SAMPLE[second:])
        assert decode(*pieces) == OBJECTS
    single = [SAMPLE[n : n + 1] for n in range(len(SAMPLE))]
    assert decode(b"", *(piece for each in single for piece in (each, b""))) == OBJECTS


def test_object_is_given_out_as_soon_as_its_line_ends() -> None:
    """Nothing waits for the next line."""
    lines = JSONLines(LIMIT)
    assert list(lines.feed(b'{"a": 1}')) == []
    assert list(lines.feed(b"\n")) == [{"a": 1}]
    assert list(lines.close()) == []


@pytest.mark.parametrize(
    "text",
    [
        *(f'{{"a": "x{end}y"}}' for end in ("\u2028", "\u2029", "\x85", "\\r", "\\u000b")),
        *(f'{{"a": "{text}"}}' for text in ("\\ud83d\\ude42", "\\uD83D\\uDE42", "\\\\ud800")),
        '{"a":\r1,\r"b": 2}',
    ],
)
def test_line_is_what_json_makes_of_it(text: str) -> None:
    """Only a line feed ends it; a whole surrogate pair is a character."""
    assert decode(text.encode() + b"\n") == [json.loads(text)]


@pytest.mark.proves("obligation:huggingchat:7")
@pytest.mark.parametrize("padding", [b" " * 4096, b"\0" * 16, b"\t", b"\r", b" \0\r\t "])
def test_padding_around_a_line_is_skipped(padding: bytes) -> None:
    """Before it, behind it, and on a line of its own."""
    line = padding + b'{"a": 1}' + padding
    assert decode(line + b"\n" + padding + b"\n" + line + b"\n" + padding) == [{"a": 1}] * 2


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n\r\n", b" ", b"\0"])
def test_nothing_but_blanks_is_no_object(data: bytes) -> None:
    """And no error."""
    assert decode(data) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"<html>", "no JSON"),
        (b'{"a": 1', "no JSON"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
        (b'{"a": "\xff"}', "no JSON"),
        (b'{"a": "x\x1cy"}', "no JSON"),
        (b'{"a": "\xed\xa0\x80"}', "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b'{"a": "\\ud800"}', "no JSON"),
        (b'{"a": "\\uDC00x"}', "no JSON"),
        (b'{"\\uDBFF": 1}', "no JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1]", "JSON list, no object"),
        (b"null", "JSON NoneType, no object"),
        (b'"text"', "JSON str, no object"),
        (b"1", "JSON int, no object"),
        (b"true", "JSON bool, no object"),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("end", [b"\n", b""], ids=["ended", "unended"])
def test_line_that_is_no_object_is_an_error_with_its_offset(
    line: bytes, found: str, end: bytes
) -> None:
    """It is never skipped in silence, and the error does not bring the line along."""
    lines = JSONLines(LIMIT)
    assert list(lines.feed(b'{"a": 1}\n\n')) == [{"a": 1}]
    with pytest.raises(MalformedStreamError) as caught:
        _ = [*lines.feed(line + end), *lines.close()]
    assert str(caught.value) == f"expected JSON lines, found {found} in the line at byte 10"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("text", ["1", '"a"', "null", "[1, 2]", '{"a": "\\ud83d\\ude42"}', "NaN"])
def test_parse_json_gives_any_value(text: str) -> None:
    """Not only objects."""
    assert repr(parse_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "x", "1 2", "{} ", '"\\ud800"', "1" * 5000])
def test_parse_json_of_something_else_is_a_value_error(text: str) -> None:
    """What follows the value, half a character and a number too long included."""
    with pytest.raises(ValueError):  # noqa: PT011 -- several kinds, each one of these
        parse_json(text)


def test_objects_before_a_bad_line_are_given_out_first() -> None:
    """Even if they came in the same piece."""
    values = JSONLines(LIMIT).feed(b'{"a": 1}\n{"b": 2}\n?\n{"c": 3}\n')
    assert [next(values), next(values)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(MalformedStreamError, match="at byte 18"):
        next(values)


@pytest.mark.parametrize("feed", [[b'{"a": "%s"}'], [b'{"a": ', b'"%s"}']])
def test_line_up_to_the_limit_is_read_and_a_longer_one_is_not(feed: list[bytes]) -> None:
    """The limit counts the bytes of the line, wherever it is cut."""
    for length, ends in ((20, b"\n"), (21, b"\n"), (20, b""), (21, b"")):
        text = b"x" * (length - len(b'{"a": ""}'))
        pieces = [piece.replace(b"%s", text) for piece in feed]
        pieces[-1] += ends
        if length == 20:
            assert decode(*pieces, limit=20) == [{"a": text.decode()}]
        else:
            with pytest.raises(TooLargeError, match="the line at byte 0 is longer than 20 bytes"):
                decode(*pieces, limit=20)


def test_line_without_an_end_is_given_up_at_the_limit() -> None:
    """Memory stays within a few times the limit, however much comes."""
    lines, piece = JSONLines(1 << 20), b"x" * (1 << 16)
    endless = (value for _ in range(1000) for value in lines.feed(piece))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            next(endless)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 << 20


def test_single_bytes_of_a_long_line_take_linear_time() -> None:
    """Ten times the length takes far less than a hundred times as long."""

    def read(length: int) -> None:
        lines = JSONLines(LIMIT)
        for _ in range(length):
            list(lines.feed(b" "))

    assert_grows(read, 8_000, 80_000, less_than=50, least_s=0.001)
