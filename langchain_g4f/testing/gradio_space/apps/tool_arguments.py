"""Arguments for a tool, out of the words of a question: a JSON Schema in, a value out.

Nothing is random and nothing is understood: integers are taken from digits and strings from what is
quoted or capitalised, in the order in which they stand, each of them once.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

QUOTED = re.compile(
    r"(?<!\w)'(?P<single>[^'\n]+)'(?!\w)|\"(?P<double>[^\"\n]+)\"|[“「](?P<other>[^”」\n]+)[”」]"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)")
_NAME = re.compile(
    r"(?<=[a-z0-9,:]\s)[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*(?:,\s[A-Z]{2}\b)?"
    r"|(?<=\()[A-Z][\w' -]*(?=\))"
)
_REFUSAL = re.compile(r"\b(?:no|not|never|off|false|without)\b", re.IGNORECASE)
_FORMATS = {
    "date": (r"\d{4}-\d\d-\d\d(?!T)", "2026-01-02"),
    "date-time": (r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?", "2026-01-02T03:04:05Z"),
    "time": (r"\d\d:\d\d(?::\d\d)?", "03:04:05"),
    "email": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "someone@example.org"),
    "uri": (r"https?://\S+", "https://example.org/"),
    "uuid": (
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ),
}
_DEEPEST = 8


def numbers(text: str) -> list[float]:
    """Return the numbers in a text; whole ones are integers."""
    found = _NUMBER.findall(QUOTED.sub(" ", text)) or _NUMBER.findall(text)
    return [float(number) if "." in number else int(number) for number in found]


def names(text: str) -> list[str]:
    """Return what is quoted in a text, and then what has a capital inside a sentence."""
    quoted = [next(filter(None, found.groups())) for found in QUOTED.finditer(text)]
    return quoted + _NAME.findall(QUOTED.sub(" ", text))


def arguments(schema: Schema, *texts: str) -> dict[str, Any]:
    """Return an object that fits `schema`.

    Args:
        schema: Of an object.
        texts: Where the values are looked for, the best place first.
    """
    value = _Filler(schema, texts).fill(schema, "", 0)
    return value if isinstance(value, dict) else {"value": value}


class _Filler:
    """The values of a text, each given out once."""

    def __init__(self, root: Schema, texts: Sequence[str]) -> None:
        self._root = root
        self._text = "\n".join(filter(None, texts))
        self._numbers = [number for text in texts for number in numbers(text)]
        self._names = [name for text in texts for name in names(text)]

    def fill(self, schema: Schema, name: str, depth: int) -> Any:
        """Return a value for a field of this name."""
        schema = self._settled(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._one_of(schema["enum"])
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, name, kind)
        if kind == "boolean":
            return not _REFUSAL.search(self._text)
        return None if kind == "null" else self._string(schema, name)

    def _settled(self, schema: Schema) -> Schema:
        """Follow references and choose between alternatives."""
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                target: Any = self._root
                for step in schema["$ref"].lstrip("#/").split("/"):
                    target = target[step]
                schema = target
            elif schema.get("allOf"):
                parts = [self._settled(part) for part in schema["allOf"]]
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                schema = {key: value for part in [*parts, rest] for key, value in part.items()}
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((o for o in options if o.get("type") != "null"), options[0])
            else:
                break
        return schema

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        filled = {}
        for name, inner in schema.get("properties", {}).items():
            if name in required or (depth < _DEEPEST and self._is_mentioned(name, inner)):
                filled[name] = self.fill(inner, name, depth + 1)
        return filled

    def _is_mentioned(self, name: str, schema: Schema) -> bool:
        """Return whether the text speaks of an optional field."""
        choices = map(str, self._settled(schema).get("enum") or ())
        spoken = [name, name.replace("_", " "), *choices]
        return any(re.search(rf"\b{re.escape(s)}\b", self._text, re.IGNORECASE) for s in spoken)

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        if schema.get("prefixItems"):
            return [self.fill(item, name, depth + 1) for item in schema["prefixItems"]]
        items = self._settled(schema.get("items", {}))
        least, most = schema.get("minItems", 0), schema.get("maxItems", 100)
        kind = _kind(items)
        if depth > _DEEPEST:
            wanted = 0
        elif items.get("enum"):
            found = [item for item in items["enum"] if self._says(item)]
            return (found or items["enum"][: max(least, 1)])[:most]
        elif kind in {"integer", "number"}:
            wanted = len(self._numbers)
        else:
            wanted = len(self._names) if kind == "string" else 1
        count = min(max(wanted, least, 1 if depth <= _DEEPEST else 0), most)
        return [self.fill(items, name, depth + 1) for _ in range(count)]

    def _one_of(self, choices: Sequence[Any]) -> Any:
        return next((choice for choice in choices if self._says(choice)), choices[0])

    def _says(self, choice: object) -> bool:
        return bool(re.search(rf"\b{re.escape(str(choice))}\b", self._text, re.IGNORECASE))

    def _number(self, schema: Schema, name: str, kind: str) -> float:
        named = self._named(name, _NUMBER.pattern)
        if named is not None:
            value = float(named)
            if value in self._numbers:
                self._numbers.remove(value)
        elif self._numbers:
            value = self._numbers.pop(0)
        else:
            value = schema.get("default") or 1
        low = [schema["minimum"]] if "minimum" in schema else []
        low += [schema["exclusiveMinimum"] + 1] if "exclusiveMinimum" in schema else []
        high = [schema["maximum"]] if "maximum" in schema else []
        high += [schema["exclusiveMaximum"] - 1] if "exclusiveMaximum" in schema else []
        value = min([max([value, *low]), *high])
        return int(value) if kind == "integer" or value == int(value) else value

    def _string(self, schema: Schema, name: str) -> str:
        if schema.get("format") in _FORMATS:
            pattern, otherwise = _FORMATS[schema["format"]]
            found = re.search(pattern, self._text)
            return found.group() if found else otherwise
        named = self._named(name, r"[\w-]+")
        if named is not None:
            return named
        if self._names:
            return self._names.pop(0)
        return str(schema.get("default") or " ".join(self._text.split()) or name or "text")

    def _named(self, name: str, pattern: str) -> str | None:
        """Return what the text gives to a field by its name, as in `b = 3`."""
        if not name:
            return None
        called = re.escape(name).replace("_", "[_ ]")
        equals = r"\s*(?:=|:(?!//))\s*" if pattern == r"[\w-]+" else r"\s*(?:=|:|\bis\b)\s*"
        found = re.search(rf"\b{called}\b{equals}({pattern})", self._text, re.IGNORECASE)
        return found.group(1) if found else None


def _kind(schema: Schema) -> str:
    """Return the type a schema asks for, `string` where it does not say."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)
