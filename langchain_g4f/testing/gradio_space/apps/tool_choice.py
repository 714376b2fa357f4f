"""Which tools a question is about: words in common, and one part of the question for each call."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .tool_arguments import QUOTED, names, numbers

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|er|or|s|e)$")
_AND = re.compile(r"\s*(?:;|,?\s*\b(?:and|then|also)\b(?:\s+(?:then|also))*)\s*", re.IGNORECASE)
# Joined, these are several values for one thing: "in Paris and in London".
_JOINED = re.compile(r"[\s'\"]*(?:,|,?\s*and)(?:\s+(?:in|for|of|at|to))?[\s'\"]*", re.IGNORECASE)
_SIGNS = {
    "+": "add sum plus",
    "*": "multiply times product",
    "\N{MULTIPLICATION SIGN}": "multiply times product",
    "-": "subtract minus difference",
    "/": "divide quotient",
}
_SIGN = re.compile(r"\d\s*([-+*/\N{MULTIPLICATION SIGN}])\s*\d")
# What questions and descriptions have in common whatever they are about.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a about all an and answer any are as at be by call can do does for from function get give
        given has have hello how i in input integer is it let list make me my need no not number of
        on one or please result return should some take tell that the their them then this to tool
        two use using value want was we what when where which who will with you your
        """,
    )
)


@dataclass(frozen=True)
class Tool:
    """What the model is told of a tool."""

    name: str
    description: str
    parameters: Mapping[str, Any]

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Tool":
        """Return the tool that a line of the instructions describes."""
        return cls(line["name"], line.get("description") or "", line.get("parameters") or {})

    def score(self, text: str) -> int:
        """Return how much a text is about this tool; 0 for not at all."""
        said = _words(text)
        score = 3 * len(said & _words(self.name)) + len(said & _words(self.description))
        return score + 10 * bool(re.search(rf"(?<!\w){re.escape(self.name)}(?!\w)", text))

    def required(self) -> list[Mapping[str, Any]]:
        """Return the schemas of the arguments it must have."""
        properties = self.parameters.get("properties", {})
        return [properties.get(name, {}) for name in self.parameters.get("required", ())]

    def can_be_given(self, text: str) -> bool:
        """Return whether a text has anything for the arguments."""
        required = self.required()
        return not required or bool(numbers(text) or names(text))


def best_tool(text: str, tools: Sequence[Tool]) -> Tool | None:
    """Return the tool that a text is about, the first of equals."""
    best = max(tools, key=lambda tool: tool.score(text))
    return best if best.score(text) else None


def choose(question: str, tools: Sequence[Tool]) -> list[tuple[Tool, str]]:
    """Return the calls a question asks for: the tool, and the text that has its arguments."""
    parts: list[tuple[Tool | None, str]] = []
    for text in _parts(question):
        tool = best_tool(text, tools)
        # "Add 2 and 3 and tell me the sum" is one call, "add 2 and 3 and multiply 4 by 5" two.
        if parts and (tool is None or not tool.can_be_given(text)):
            parts[-1] = (parts[-1][0], f"{parts[-1][1]} and {text}")
        elif parts and parts[-1][0] is None:
            parts[-1] = (tool, f"{parts[-1][1]} and {text}")
        else:
            parts.append((tool, text))
    return [call for tool, text in parts if tool for call in _one_each(tool, text)]


def _parts(question: str) -> list[str]:
    """Return a question cut at its "and"s, but not inside a quotation."""
    quoted = [found.span() for found in QUOTED.finditer(question)]
    parts, start = [], 0
    for found in _AND.finditer(question):
        if not any(begin < found.start() < end for begin, end in quoted):
            parts.append(question[start : found.start()])
            start = found.end()
    return [part for part in [*parts, question[start:]] if part.strip()]


def _one_each(tool: Tool, text: str) -> list[tuple[Tool, str]]:
    """Return a call for each value, where a tool takes one and the text has several."""
    required = tool.required()
    if len(required) != 1:
        return [(tool, text)]
    kind = required[0].get("type")
    if kind in {"integer", "number"}:
        found = [str(number) for number in numbers(text)]
    else:
        found = [name for name in names(text) if kind == "string"]
    if len(found) < 2:
        return [(tool, text)]
    begin = 0
    for value, following in pairwise(found):
        begin = text.find(value, begin) + len(value)
        if not _JOINED.fullmatch(text, begin, max(begin, text.find(following, begin))):
            return [(tool, text)]
    quote = "" if kind in {"integer", "number"} else '"'
    return [(tool, f"{quote}{value}{quote}") for value in found]


def _words(text: str) -> set[str]:
    """Return what counts of the words of a text, without their endings."""
    signs = " ".join(_SIGNS[sign] for sign in _SIGN.findall(text))
    words = {word.lower() for word in _WORD.findall(f"{text} {signs}")}
    return {_ENDING.sub("", word) for word in words if word not in _COMMON}
