"""The content of a ``<tool_call>`` element -> calls.

How a call is spelled does not matter, nor whether an element holds one or several; see
`langchain_g4f.tools.spelling`. Nor does it matter what stands around them, if the element
has the id that only the model knows; without it, words around them make it a quotation.
What is missing is not made up, for half an argument must not be executed. Types are left to
whoever validates them.
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
"""How deep arguments may be nested; whoever reads them next may recurse."""

_NAME = re.compile(r"""(?<![\w-])["']?name["']?\s*+[:=]\s*+["']([^"']{1,200})["']""")
_NAMED_WITHIN = 1000
"""Characters at the beginning of an unreadable call in which its name is looked for."""
_ARGUMENTS = ("arguments", "parameters", "args")
_BESIDES = {"name", "id", "type"}
_AROUND = re.compile(r"(?:[\s,\[\]}]|```\w*)*+")
"""What may stand around JSON that stands alone: a list, a code fence, a bracket too many."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call.

    Attributes:
        name: Of the tool; it may be unknown, which is for the caller to answer.
        arguments: As JSON; an object, or a string with what could not be read.
        repaired: Whether it was not spelled as asked for.
    """

    name: str
    arguments: str
    repaired: bool = False

    @property
    def readable(self) -> bool:
        """Whether it can be made; if not, it can only be reported."""
        return self.arguments.startswith("{")


def calls_in(raw: RawCall) -> list[Call]:
    """The calls in an element, at least one; of what was cut off, those that are whole."""
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
    """The call that ``value`` is, if it is one."""
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
    """The arguments of a call, and whether they were spelled as asked for."""
    key = next((key for key in _ARGUMENTS if key in call), None)
    if key is None:  # there are none, or they stand in a place that nobody knows
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
    """``text`` with a question mark for every half of a surrogate pair."""
    return text.encode(errors="replace").decode()


def _unreadable(text: str) -> Call:
    """A call that can only be reported: a string is no valid arguments."""
    found = _NAME.search(text, 0, _NAMED_WITHIN)
    said = _encodable(json.dumps(text, ensure_ascii=False))
    return Call(_encodable(found.group(1)) if found else "", said)


__all__ = ["Call", "calls_in"]
