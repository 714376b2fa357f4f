"""Reads the objects that a model wrote as JSON, misspelled or not.

What can be said exactly is respelled here: single quotes, trailing commas, keys without
quotes, ``True`` and ``None``, line breaks and stray backslashes in strings, a bracket
that is missing. That takes linear time. What is no JSON then, ``json_repair`` may guess
at if it is short, for its time grows with the square of the length; and its guess counts
if it kept every string that had been spelled properly.

What is missing is not made up: a string without its end, or a comma or a colon with
nothing behind it, is no misspelling but half of something.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.wire import JSON

GUESSED = 1000
"""Characters of a text to guess at, at most; hostile ones take a tenth of a second."""

Lack = Literal["", "brackets", "more"]

_TOKEN = re.compile(
    r"""
    "(?P<double>[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+)(?:"|\Z)
    |
    (?P<mark>[{}\[\],:])
    (?:  # behind one of these an apostrophe is a quote, and between two letters it is none
        (?<=[{\[,:])\s*+
        '(?P<single>[^'\\]*+(?:(?:\\(?:.|\Z)|(?<=\w)'(?=\w))[^'\\]*+)*+)(?:'|\Z)
    )?
    |
    (?P<word>[^\s"{}\[\],:]+)
    """,
    re.DOTALL | re.VERBOSE,
)
_IN_STRING = re.compile(r'\\(?:u[0-9a-fA-F]{4}|.)|["\x00-\x1f]', re.DOTALL)
_ESCAPES = '"\\/bfnrt'
_CLOSING = {"{": "}", "[": "]"}
_MARKS = frozenset("{}[],:")
_WORDS = {"True": "true", "False": "false", "None": "null"}


@dataclass(frozen=True, slots=True)
class Written:
    """An object as a model wrote it.

    Attributes:
        text: As it was written.
        value: What it says; None if that cannot be told.
        misspelled: Whether it is no JSON.
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
        text: What was written.
        closed: Whether it is all that was meant. If not, missing brackets are not put
            there, and nothing is guessed.
    """
    value = read_json(text)
    if isinstance(value, dict):
        yield Written(text, value, misspelled=False)
        return
    at = 0
    while (begin := text.find("{", at)) >= 0:
        at, tokens, lack = _respelled(text, begin)
        written = text[begin:at]
        value = read_json(written)
        misspelled = value is None
        if misspelled and (not lack or (closed and lack == "brackets")):
            value = read_json(" ".join(tokens))
        if value is None and not lack and closed and len(text) <= GUESSED:
            value = _guessed(written, tokens)
        yield Written(written, value, misspelled=misspelled)


def _respelled(text: str, begin: int) -> tuple[int, list[str], Lack]:
    """Where the object ends that begins there, its tokens in JSON, and what it lacked."""
    tokens: list[str] = []
    closing: list[str] = []
    lack: Lack = ""
    half = False
    for token in _TOKEN.finditer(text, begin):
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
            tokens[-1] = _string(tokens[-1])
        if mark or word:
            tokens.append(mark or _WORDS.get(word, word))
        half = mark in {",", ":"}
        if (kind := token.lastgroup) in {"double", "single"}:
            tokens.append(_string(token[kind]))
            half = token.end() == token.end(kind)
        if not closing:
            return token.end(), tokens, lack
    return len(text), tokens + closing[::-1], "more" if half else "brackets"


def _string(content: str) -> str:
    """A string in JSON whose content was written in some other way, or in this one."""
    return f'"{_IN_STRING.sub(_escaped, content)}"'


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    if char == r"\'":
        return "'"
    if char[0] == "\\" and (len(char) > 2 or char[1] in _ESCAPES):
        return char
    return json.dumps(char, ensure_ascii=False)[1:-1]


def _guessed(text: str, tokens: list[str]) -> JSON:
    """What ``json_repair`` makes of ``text``, if it kept the strings between two marks."""
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
