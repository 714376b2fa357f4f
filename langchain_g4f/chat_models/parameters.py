"""The parameters of a chat model, for people and programs that choose among them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a chat model or of one of its calls.

    Attributes:
        name: Its name.
        type: Of its values, in words.
        default: What counts if it is not given.
        supported: Whether it has an effect; None if the service does not say.
    """

    name: str
    type: str
    default: Any = None
    supported: bool | None = True

    @classmethod
    def of(cls, name: str, found: inspect.Parameter) -> Parameter:
        """A parameter of a function."""
        empty = inspect.Parameter.empty
        kind = "any" if found.annotation is empty else _in_words(found.annotation)
        return cls(name, kind, None if found.default is empty else found.default)

    @classmethod
    def of_field(cls, name: str, field: FieldInfo, *, supported: bool | None) -> Parameter:
        """A field of a chat model; a factory's default is not made."""
        default = None if field.default is PydanticUndefined else field.default
        return cls(name, _in_words(field.annotation), default, supported)

    def as_json(self) -> dict[str, Any]:
        """The parameter in values that JSON has."""
        plain = self.default is None or isinstance(self.default, bool | int | float | str)
        return {
            "name": self.name,
            "type": self.type,
            "default": self.default if plain else str(self.default),
            "supported": self.supported,
        }


def in_lines(parameters: Iterable[Parameter]) -> str:
    """One line for each parameter."""
    words = {True: "", False: "  (has no effect)", None: "  (may have no effect)"}
    return "\n".join(f"{p.name}: {p.type} = {p.default!r}{words[p.supported]}" for p in parameters)


def _in_words(annotation: object) -> str:
    if isinstance(annotation, str):
        return annotation
    if annotation is type(None):
        return "None"
    if annotation is SecretStr:
        return "secret"
    if get_origin(annotation) is not None and isinstance(annotation, type) is False:
        inner = [_in_words(each) for each in get_args(annotation)]
        if " | " in str(annotation) or "Union" in str(annotation):
            return " | ".join(inner)
        return str(annotation).replace("typing.", "").replace("collections.abc.", "")
    return getattr(annotation, "__name__", str(annotation))


__all__ = ["Parameter", "in_lines"]
