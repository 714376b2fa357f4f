"""Which tools a question is about, and arguments for them out of its words.

Nothing is random and nothing is understood: a tool is chosen by the words it has in common with the
question, integers are taken from digits and strings from what is quoted or capitalised, in their
order in the text, each of them once.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Schema = Mapping[str, Any]

_QUOTED = re.compile(
    r"(?<!\w)'(?P<single>[^'\n]+)'(?!\w)|\"(?P<double>[^\"\n]+)\"|[“「](?P<other>[^”」\n]+)[”」]"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)")
_NAME = re.compile(
    r"(?<=[a-z0-9,:]\s)[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*(?:,\s[A-Z]{2}\b)?"
    r"|(?<=\()[A-Z][\w' -]*(?=\))"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|er|or|s|e)$")
_AND = re.compile(r"\s*(?:;|,?\s*\b(?:and|then|also)\b(?:\s+(?:then|also))*)\s*", re.IGNORECASE)
# Joined, these are several values for one thing: "in Paris and in London".
_JOINED = re.compile(r"[\s'\"]*(?:,|,?\s*and)(?:\s+(?:in|for|of|at|to))?[\s'\"]*", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:no|not|never|off|false|without)\b", re.IGNORECASE)
_SIGNS = {
    "+": "add sum plus",
    "*": "multiply times product",
    "\N{MULTIPLICATION SIGN}": "multiply times product",
    "-": "subtract minus difference",
    "/": "divide quotient",
}
_SIGN = re.compile(r"\d\s*([-+*/\N{MULTIPLICATION SIGN}])\s*\d")
# Words of questions and descriptions that say nothing about their subject.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a about all an and answer any are as at be by call can do does for from function get give
        given has have hello how i in input integer is it let list make me my need no not number
        of on one or please result return should some take tell that the their them then this to
        tool two use using value want was we what when where which who will with you your
        """,
    )
)
_SAMPLES = {
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "time": "03:04:05",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
_DEEPEST = 8


@dataclass(frozen=True)
class Tool:
    """A tool as the instructions describe it."""

    name: str
    description: str
    parameters: Schema

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Tool":
        """Return the tool that a line of the instructions describes."""
        return cls(line["name"], line.get("description") or "", line.get("parameters") or {})

    def score(self, text: str) -> int:
        """Return how much a text is about this tool; 0 for not at all."""
        said = _words(text)
        score = 3 * len(said & _words(self.name)) + len(said & _words(self.description))
        return score + 10 * bool(re.search(rf"(?<!\w){re.escape(self.name)}(?!\w)", text))

    def required(self) -> list[Schema]:
        """Return the schemas of the required arguments."""
        properties = self.parameters.get("properties", {})
        return [properties.get(name, {}) for name in self.parameters.get("required", ())]


def best_tool(text: str, tools: Sequence[Tool]) -> Tool | None:
    """Return the tool that a text is about, the first of equals."""
    best = max(tools, key=lambda tool: tool.score(text))
    return best if best.score(text) else None


def choose(question: str, tools: Sequence[Tool]) -> list[tuple[Tool, str]]:
    """Return the calls a question asks for: the tool, and the text that has its arguments."""
    parts: list[tuple[Tool | None, str]] = []
    for text in _parts(question):
        tool = best_tool(text, tools)
        has_arguments = tool and (not tool.required() or _numbers(text) or _names(text))
        # "Add 2 and 3 and tell me the sum" is one call, "add 2 and 3 and multiply 4 by 5" two.
        if parts and not (parts[-1][0] and has_arguments):
            earlier, start = parts.pop()
            parts.append((earlier or (tool if has_arguments else None), f"{start} and {text}"))
        else:
            parts.append((tool, text))
    return [call for tool, text in parts if tool for call in _one_call_per_value(tool, text)]


def _parts(question: str) -> list[str]:
    """Return a question cut at its "and"s, but not inside a quotation."""
    quoted = [found.span() for found in _QUOTED.finditer(question)]
    parts, start = [], 0
    for found in _AND.finditer(question):
        if not any(begin < found.start() < end for begin, end in quoted):
            parts.append(question[start : found.start()])
            start = found.end()
    return [part for part in [*parts, question[start:]] if part.strip()]


def _one_call_per_value(tool: Tool, text: str) -> list[tuple[Tool, str]]:
    """Return several calls where a tool takes one value and the text has several, joined."""
    required = tool.required()
    kind = required[0].get("type") if len(required) == 1 else None
    found = _names(text) if kind == "string" else []
    if kind in {"integer", "number"}:
        found = [str(number) for number in _numbers(text)]
    begin = 0
    for value, following in pairwise(found):
        begin = text.find(value, begin) + len(value)
        if not _JOINED.fullmatch(text, begin, max(begin, text.find(following, begin))):
            return [(tool, text)]
    if len(found) < 2:
        return [(tool, text)]
    return [(tool, f'"{value}"' if kind == "string" else value) for value in found]


def _words(text: str) -> set[str]:
    """Return the words of a text that count, without their endings."""
    signs = " ".join(_SIGNS[sign] for sign in _SIGN.findall(text))
    words = {word.lower() for word in _WORD.findall(f"{text} {signs}")}
    return {_ENDING.sub("", word) for word in words if word not in _COMMON}


def _numbers(text: str) -> list[float]:
    """Return the numbers in a text; whole ones are integers."""
    found = _NUMBER.findall(_QUOTED.sub(" ", text)) or _NUMBER.findall(text)
    return [float(number) if "." in number else int(number) for number in found]


def _names(text: str) -> list[str]:
    """Return what is quoted in a text, and then what has a capital inside a sentence."""
    quoted = [next(filter(None, found.groups())) for found in _QUOTED.finditer(text)]
    return quoted + _NAME.findall(_QUOTED.sub(" ", text))


def arguments(schema: Schema, *texts: str) -> dict[str, Any]:
    """Return an object that fits `schema`.

    Args:
        schema: The schema of an object.
        texts: Where the values are looked for, the best place first.
    """
    value = _Filler(schema, texts).fill(schema, "", 0)
    return value if isinstance(value, dict) else {"value": value}


class _Filler:
    """The values of a text, each used once."""

    def __init__(self, root: Schema, texts: Sequence[str]) -> None:
        self._root = root
        self._text = "\n".join(filter(None, texts))
        self._numbers = [number for text in texts for number in _numbers(text)]
        self._names = [name for text in texts for name in _names(text)]

    def fill(self, schema: Schema, name: str, depth: int) -> Any:
        """Return a value for a field of this name."""
        schema = self._resolve(schema)
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "null")
        if "const" in schema:
            return schema["const"]
        if choices := schema.get("enum"):
            return next(filter(self._mentions, choices), choices[0])
        match kind:
            case "object":
                return {
                    field: self.fill(inner, field, depth + 1)
                    for field, inner in schema.get("properties", {}).items()
                    if field in schema.get("required", ())
                    or (depth < _DEEPEST and self._is_asked_for(field, inner))
                }
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number":
                value = self._numbers.pop(0) if self._numbers else schema.get("default") or 1
                low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf) + 1)
                high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf) - 1)
                value = min(max(value, low), high)
                return int(value) if kind == "integer" else value
            case "boolean":
                return not _NEGATION.search(self._text)
            case "null":
                return None
        if schema.get("format") in _SAMPLES:
            return _SAMPLES[schema["format"]]
        if self._names:
            return self._names.pop(0)
        return str(schema.get("default") or " ".join(self._text.split()) or name or "text")

    def _resolve(self, schema: Schema) -> Schema:
        """Follow references and choose between alternatives."""
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                target: Any = self._root
                for step in schema["$ref"].lstrip("#/").split("/"):
                    target = target[step]
                schema = target
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((o for o in options if o.get("type") != "null"), options[0])
        return schema

    def _is_asked_for(self, name: str, schema: Schema) -> bool:
        """Return whether the text speaks of an optional field."""
        choices = self._resolve(schema).get("enum") or ()
        return any(map(self._mentions, [name, name.replace("_", " "), *choices]))

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        if fixed := schema.get("prefixItems"):
            return [self.fill(item, name, depth + 1) for item in fixed]
        items = self._resolve(schema.get("items", {}))
        if choices := items.get("enum"):
            return [item for item in choices if self._mentions(item)] or choices[:1]
        found: Sequence[Any] = self._names if items.get("type") == "string" else ()
        if items.get("type") in {"integer", "number"}:
            found = self._numbers
        least, most = schema.get("minItems", 0), schema.get("maxItems", 100)
        count = min(max(len(found), least, int(depth < _DEEPEST)), most)
        return [self.fill(items, name, depth + 1) for _ in range(count)]

    def _mentions(self, choice: object) -> bool:
        return bool(re.search(rf"\b{re.escape(str(choice))}\b", self._text, re.IGNORECASE))
