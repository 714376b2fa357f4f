"""Reads the objects that a model wrote as JSON, misspelled or not.

This file corrects exactly: single quotes, trailing commas, keys without quotes, ``True`` and
``None``, line breaks and stray backslashes in strings, a missing bracket. If the result is still
no JSON, ``json_repair`` guesses; its guess counts if it kept every string that was spelled
properly. A service may send megabytes that are made to be slow to read, so the parser written in C
reads first, the correction has a bound in steps, and the guess has a bound in characters.

Missing content is not made up: a string without its end, or a comma or a colon with nothing
behind it, is half of a value and not a misspelling.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.core.http import JSON

OBJECTS = 100
"""Largest number of objects that are read from one text."""
STEPS = 5_000
"""Largest number of tokens and escapes to correct in a text: 10 milliseconds."""
GUESSED = 1000
"""Largest length in characters of a text to guess at; ``json_repair`` takes quadratic time."""

_LONG = 200
"""Length in characters from which the parser written in C is tried on a string first."""

Lack = Literal["", "brackets", "more"]

# No possessive group stands inside a capturing one: the `re` of CPython 3.11.2 fails on that.
_TOKEN = re.compile(
    r"""
    "(?P<double>[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*)(?:"|\Z)
    |
    (?P<mark>[{}\[\],:])
    (?:  # behind one of these an apostrophe is a quotation mark, but not between two letters
        (?<=[{\[,:])\s*+
        '(?P<single>[^'\\]*+(?:(?:\\(?:.|\Z)|(?<=\w)'(?=\w))[^'\\]*+){0,5000})(?:'|\Z)
    )?
    |
    (?P<word>[^\s"{}\[\],:]+)
    """,
    re.DOTALL | re.VERBOSE,
)
_DECODERS = (json.JSONDecoder(), json.JSONDecoder(strict=False))  # the second: line breaks
_IN_STRING = re.compile(r'\\(?:u[0-9a-fA-F]{4}|.)|["\x00-\x1f]', re.DOTALL)
_ESCAPES = '"\\/bfnrt'
_CLOSING = {"{": "}", "[": "]"}
_MARKS = frozenset("{}[],:")
_WORDS = {"True": "true", "False": "false", "None": "null"}


@dataclass(frozen=True, slots=True)
class Written:
    """An object as a model wrote it.

    Attributes:
        text: The text as it was written.
        value: Its value; None if it cannot be read.
        misspelled: Whether the text is no JSON.
    """

    text: str
    value: JSON
    misspelled: bool


def read_json(text: str) -> JSON:
    """The value of ``text``; None if it is no JSON."""
    value: JSON
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def objects(text: str, *, closed: bool) -> Iterator[Written]:
    """The outermost objects in ``text``, with anything around them.

    Args:
        text: The text that the model wrote.
        closed: Whether the text is complete. If not, missing brackets are not added, and
            nothing is guessed.
    """
    at, steps = 0, _Steps()
    for _ in range(OBJECTS):
        begin = text.find("{", at)
        if begin < 0:
            return
        for decoder in _DECODERS:
            try:
                value, at = decoder.raw_decode(text, begin)
            except (ValueError, RecursionError):
                continue
            yield Written(text[begin:at], value, misspelled=not decoder.strict)
            break
        else:
            at, tokens, lack = _respelled(text, begin, steps)
            value = None
            if not lack or (closed and lack == "brackets"):
                value = read_json(" ".join(tokens))
            if value is None and not lack and closed and len(text) <= GUESSED:
                value = _guessed(text[begin:at], tokens)
            yield Written(text[begin:at], value, misspelled=True)
    if text.find("{", at) >= 0:
        yield Written(text[at:], None, misspelled=True)


class _Steps:
    """Number of steps that are left."""

    def __init__(self) -> None:
        self.left = STEPS


def _respelled(text: str, begin: int, steps: _Steps) -> tuple[int, list[str], Lack]:
    """The end of the object that begins there, its tokens in JSON, and what it lacks.

    If the steps run out, the object is the rest of the text and lacks more than brackets.
    """
    tokens: list[str] = []
    closing: list[str] = []
    lack: Lack = ""
    half = False
    for token in _TOKEN.finditer(text, begin):
        steps.left -= 1
        if steps.left < 0:
            break
        mark, word = token["mark"], token["word"]
        if mark in {"}", "]"}:
            if tokens[-1] == ",":
                tokens.pop()
            if closing[-1] != mark and closing[-2:-1] == [mark]:
                tokens.append(closing.pop())
                lack = "brackets"
            closing.pop()
        elif mark in _CLOSING:
            closing.append(_CLOSING[mark])
        elif mark == ":" and tokens[-1].isidentifier() and tokens[-2] in {"{", ","}:
            tokens[-1] = f'"{tokens[-1]}"'
        if mark or word:
            tokens.append(mark or _WORDS.get(word, word))
        half = mark in {",", ":"}
        if (kind := token.lastgroup) in {"double", "single"}:
            tokens.append(_string(token[kind], steps))
            half = token.end() == token.end(kind)
        if not closing:
            return token.end(), tokens, lack
    more = half or steps.left < 0
    return len(text), tokens + closing[::-1], "more" if more else "brackets"


def _string(content: str, steps: _Steps) -> str:
    """The JSON string of this content, which may be misspelled."""
    if len(content) > _LONG:
        with suppress(ValueError):
            return json.dumps(_DECODERS[1].decode(f'"{content}"'), ensure_ascii=False)
    said, escapes = _IN_STRING.subn(_escaped, content, max(steps.left, 0) + 1)
    steps.left -= escapes
    return f'"{said}"'


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    if char == r"\'":
        return "'"
    if char[0] == "\\" and (len(char) > 2 or char[1] in _ESCAPES):
        return char
    return json.dumps(char, ensure_ascii=False)[1:-1]


def _guessed(text: str, tokens: list[str]) -> JSON:
    """The guess of ``json_repair``, if it kept the strings between two marks."""
    from json_repair import repair_json

    value: JSON
    try:
        value = repair_json(text, return_objects=True, skip_json_loads=True, strict=True)
    except Exception:  # noqa: BLE001, it asserts what some texts do not hold
        return None
    said = json.dumps(value, ensure_ascii=False)
    strings = (
        json.dumps(read_json(token), ensure_ascii=False)
        for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if token[0] == '"' and before in _MARKS and after in _MARKS
    )
    return value if all(string in said for string in strings) else None


__all__ = ["Written", "objects", "read_json"]
