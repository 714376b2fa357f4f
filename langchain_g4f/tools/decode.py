"""Reads the calls in a ``<tool_call>`` element.

A call may be misspelled, and an element may hold several; see `langchain_g4f.tools.spelling`. If
the element has the id that only the model knows, any text may stand around the calls; without it,
text around them makes the element a quotation. Missing content is not made up: half an argument
must not be executed. The types of arguments are checked by the tool.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.tools.spelling import objects, read_json

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON
    from langchain_g4f.tools.parser import RawCall

DEPTH = 100
"""Largest depth of nested arguments; the next reader may be recursive."""

_NAME = re.compile(r"""(?<![\w-])["']?name["']?\s*+[:=]\s*+["']([^"']{1,200})["']""")
_NAMED_WITHIN = 1000
"""Characters at the beginning of an unreadable call that are searched for its name."""
_ARGUMENTS = ("arguments", "parameters", "args")
_BESIDES = {"name", "id", "type"}
_AROUND = re.compile(r"(?:[\s,\[\]}]|```\w*)*+")
"""Characters around JSON that are no words: a list, a code fence, a bracket too many."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call.

    Attributes:
        name: Name of the tool; the tool may be unknown to the caller.
        arguments: JSON: an object, or a string with the text that could not be read.
        repaired: Whether the model did not spell the call as asked.
    """

    name: str
    arguments: str
    repaired: bool = False

    @property
    def readable(self) -> bool:
        """Whether the call can be made; if not, it can only be reported."""
        return self.arguments.startswith("{")


def calls_in(raw: RawCall) -> list[Call]:
    """The calls in an element, at least one; only whole ones if the element was cut off."""
    text, closed, as_asked = raw.text.strip(), raw.closed, True
    if text.startswith('"') and isinstance(quoted := read_json(text), str):
        text, closed, as_asked = quoted.strip(), False, False
    found: list[tuple[str, Call | None]] = []
    around, end = [], 0
    for written in objects(text, closed=closed):
        spelled = as_asked and written.text == text and not written.misspelled
        found.append((written.text, _call(written.value, closed=closed, spelled=spelled)))
        begin = text.index(written.text, end)
        around.append(text[end:begin])
        end = begin + len(written.text)
    alone = (raw.marked and as_asked) or _AROUND.fullmatch("".join([*around, text[end:]]))
    if not alone or not any(call for _, call in found):
        return [_unreadable(text)]
    return [call or _unreadable(said) for said, call in found]


def _call(value: JSON, *, closed: bool, spelled: bool) -> Call | None:
    """``value`` as a call, if it is one."""
    if not isinstance(value, dict):
        return None
    name = value.get("name")
    arguments, as_asked = _arguments(value, closed=closed)
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    if _is_deep(arguments):
        return None
    said = json.dumps(arguments, ensure_ascii=False)
    if _encodable(name + said) != name + said:
        return None
    return Call(name, said, repaired=not (spelled and as_asked))


def _arguments(call: dict[str, JSON], *, closed: bool) -> tuple[JSON, bool]:
    """The arguments of a call, and whether the model spelled them as asked."""
    key = next((key for key in _ARGUMENTS if key in call), None)
    if key is None:  # no arguments, or arguments under an unknown key
        return (None if call.keys() - _BESIDES else {}), False
    given = call[key]
    if given in (None, "", []):
        return {}, False
    if isinstance(given, str):
        inner = [*objects(given, closed=closed)]
        alone = [written.text for written in inner] == [given.strip()]
        return (inner[0].value if alone else None), False
    return given, key == _ARGUMENTS[0]


def _is_deep(value: JSON) -> bool:
    """Whether it is nested deeper than `DEPTH`."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def _encodable(text: str) -> str:
    """``text`` with a question mark for each lone surrogate."""
    return text.encode(errors="replace").decode()


def _unreadable(text: str) -> Call:
    """A call that can only be reported: its arguments are a string."""
    found = _NAME.search(text, 0, _NAMED_WITHIN)
    said = _encodable(json.dumps(text, ensure_ascii=False))
    return Call(_encodable(found.group(1)) if found else "", said)


__all__ = ["Call", "calls_in"]
