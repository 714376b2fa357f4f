"""Arguments out of the words of a question."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from langchain_g4f.testing.gradio_space.apps.tool_arguments import arguments


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    city: str
    number: int


class Person(BaseModel):
    name: str
    colour: Colour
    address: Address
    nickname: str | None = None


class Node(BaseModel):
    value: int
    children: list[Node]


def one(schema: dict[str, Any], text: str, name: str = "value") -> Any:
    """Return what is given to a single field."""
    wanted = {"type": "object", "properties": {name: schema}, "required": [name]}
    return arguments(wanted, text)[name]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, "magic_function(3)", 3),
        ({"type": "integer"}, "minus: -12", -12),
        ({"type": "integer"}, "none", 1),
        ({"type": "integer", "exclusiveMinimum": 4}, "none", 5),
        ({"type": "integer", "maximum": 7}, "9 of them", 7),
        ({"type": "number"}, "2.5 metres", 2.5),
        ({"type": "string"}, 'say "two words"', "two words"),
        ({"type": "string"}, "a customer named '你好啊集团' (Hello Group)", "你好啊集团"),
        ({"type": "string"}, "the weather in San Francisco, CA?", "San Francisco, CA"),
        ({"type": "string"}, "nothing  special", "nothing special"),
        ({"type": "string", "format": "date"}, "on 2024-03-01", "2024-03-01"),
        ({"type": "string", "format": "email"}, "nobody", "someone@example.org"),
        ({"type": "string"}, "with value=this", "this"),
        ({"type": "boolean"}, "loudly", True),
        ({"type": "boolean"}, "not loudly", False),
        ({"type": "null"}, "x", None),
        ({"const": "fixed"}, "x", "fixed"),
        ({"enum": ["celsius", "kelvin"]}, "in Kelvin", "kelvin"),
        ({"enum": ["celsius", "kelvin"]}, "please", "celsius"),
        ({"type": ["null", "integer"]}, "4", 4),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "4", 4),
        ({"allOf": [{"type": "integer"}, {"minimum": 5}]}, "4", 5),
        ({"type": "array", "items": {"type": "integer"}}, "1, 2 and 3", [1, 2, 3]),
        ({"type": "array", "items": {"type": "string"}}, "'a' and 'b'", ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 1}, "1, 2", [1]),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, "c or b", ["b", "c"]),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 2}, "1, 2, 3", [1, 2]),
        ({"type": "object"}, "x", {}),
    ],
)
def test_value_is_taken_from_the_text_and_fits_the_schema(
    schema: dict[str, Any], text: str, value: object
) -> None:
    """Each kind of schema has its own way to find a value, or a value without one."""
    assert one(schema, text) == value


def test_schema_of_no_object_has_its_value_in_one() -> None:
    """Arguments are an object whatever is wanted."""
    assert arguments({"type": "integer"}, "4") == {"value": 4}


def test_values_are_used_once_and_in_order() -> None:
    """Two numbers and two names go to four arguments."""
    properties = {name: {"type": "integer"} for name in ("low", "high")}
    properties |= {name: {"type": "string"} for name in ("start", "end")}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    given = arguments(schema, "from 'a' to 'b', between 10 and 20")
    assert given == {"low": 10, "high": 20, "start": "a", "end": "b"}


def test_named_values_go_where_their_name_says() -> None:
    """The order in the text does not matter to what is named."""
    properties = {name: {"type": "integer"} for name in ("a", "b", "c")}
    schema = {"type": "object", "properties": properties, "required": ["a", "b", "c"]}
    assert arguments(schema, "b = 2, a is 1, and 3") == {"a": 1, "b": 2, "c": 3}


def test_optional_value_is_given_only_where_the_text_speaks_of_it() -> None:
    """What is not required is left out otherwise."""

    class Weather(BaseModel):
        place: str
        unit: Literal["celsius", "kelvin"] = "celsius"

    schema = Weather.model_json_schema()
    assert arguments(schema, "for 'Rome'") == {"place": "Rome"}
    assert arguments(schema, "for 'Rome' in kelvin") == {"place": "Rome", "unit": "kelvin"}


def test_references_and_nested_objects_are_filled() -> None:
    """A pydantic model with an enumeration and another model inside validates."""
    text = "'Ann' likes blue and lives in 'Rome' at number 7"
    found = Person.model_validate(arguments(Person.model_json_schema(), text))
    assert found == Person(
        name="Ann", colour=Colour.BLUE, address=Address(city="Rome", number=7), nickname=None
    )


def test_schema_that_contains_itself_ends() -> None:
    """A tree is filled down to some depth, and validates."""
    schema = Node.model_json_schema()
    Node.model_validate(arguments({**schema, **schema["$defs"]["Node"]}, "1"))


def test_first_text_is_looked_at_first() -> None:
    """A result counts before the question it answers."""

    class Total(BaseModel):
        total: int = Field(ge=0)

    assert arguments(Total.model_json_schema(), "5", "what is 2 + 3") == {"total": 5}
