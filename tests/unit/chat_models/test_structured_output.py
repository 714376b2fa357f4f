"""Answers that are read as what a schema says."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.runnables import Runnable
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError, ToolCallError
from tests.unit.chat_models.tools import asked, saying, system


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


class SumDict(TypedDict):
    """Two numbers."""

    a: int
    b: int


SCHEMA = {**Sum.model_json_schema(), "title": "Sum"}
METHODS = ("function_calling", "json_schema", "json_mode")
KINDS = ("invoke", "ainvoke", "stream", "astream")


def answer(method: str, name: str = "Sum", arguments: str = '{"a": 1, "b": 2}') -> str:
    """What a model says that is asked by this method."""
    if method != "function_calling":
        return f"```json\n{arguments}\n```"
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


async def result(chain: Runnable[Any, Any], mode: str) -> Any:
    """What the chain gives; the last thing, if it gives several."""
    match mode:
        case "invoke":
            return chain.invoke("hi")
        case "ainvoke":
            return await chain.ainvoke("hi")
        case "stream":
            return list(chain.stream("hi"))[-1]
        case _:
            return [each async for each in chain.astream("hi")][-1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Sum, SumDict, SCHEMA], ids=["pydantic", "typed dict", "JSON"])
async def test_answer_is_read_as_the_schema_says(mode: str, method: Any, schema: Any) -> None:
    """By each method, an object of the class, or a dict."""
    name = schema["title"] if isinstance(schema, dict) else schema.__name__
    with saying(answer(method, name)) as (model, sandbox):
        found = await result(model.with_structured_output(schema, method=method), mode)
        told = asked(sandbox)
        assert ("You must call the tool" in told) is (method == "function_calling")
        assert ("JSON Schema" in told) is (method != "function_calling")
        assert ("# Tools" in system(sandbox)) is (method == "function_calling")
    assert found == (Sum(a=1, b=2) if schema is Sum else {"a": 1, "b": 2})


async def test_json_mode_needs_no_schema() -> None:
    """Any JSON will do."""
    with saying('{"x": [1]}') as (model, _):
        chain = model.with_structured_output(method="json_mode")
        assert await result(chain, "invoke") == {"x": [1]}


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_other_methods_need_a_schema(method: Any) -> None:
    """It is said at once."""
    with pytest.raises(ConfigurationError, match="needs a schema"):
        ChatHuggingChat().with_structured_output(method=method)


def test_unknown_method_is_refused() -> None:
    """By its name."""
    with pytest.raises(ConfigurationError, match="'magic'"):
        ChatHuggingChat().with_structured_output(Sum, method="magic")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
async def test_answer_that_does_not_fit_is_an_error(mode: str, method: Any) -> None:
    """It is raised, or given with the raw answer where that is asked for."""
    with saying(answer(method, arguments='{"a": "x", "b": 2}')) as (model, _):
        with pytest.raises((OutputParserException, ValidationError)):
            await result(model.with_structured_output(Sum, method=method), mode)
        found = await result(
            model.with_structured_output(Sum, method=method, include_raw=True), mode
        )
    assert found["parsed"] is None
    assert isinstance(found["parsing_error"], OutputParserException | ValidationError)
    assert found["raw"].response_metadata["finish_reason"]


BARE = {
    "the arguments": '{"a": 1, "b": 2}',
    "the arguments in a fence": '```json\n{"a": 1, "b": 2}\n```\n',
    "the call": '{"name": "Sum", "arguments": {"a": 1, "b": 2}}',
    "the call in a fence": '```\n{"name": "Sum", "arguments": {"a": 1, "b": 2}}\n```',
    "the call, misspelled": "{'name': 'Sum', 'arguments': {'a': 1, 'b': 2,}}",
}


@pytest.mark.parametrize("schema", [Sum, SCHEMA], ids=["pydantic", "JSON"])
@pytest.mark.parametrize("said", BARE.values(), ids=BARE)
async def test_json_of_a_call_alone_is_the_call(mode: str, schema: Any, said: str) -> None:
    """The element is missing, and all else is right."""
    with saying(said) as (model, _):
        found = await result(model.with_structured_output(schema), mode)
    assert found == (Sum(a=1, b=2) if schema is Sum else {"a": 1, "b": 2})


NONE = {
    "a refusal": ("I would rather not.", "no call of 'Sum' in the answer: 'I would rather not.'"),
    "nothing of the schema": ('{"c": 3}', "no call of 'Sum'"),
    "a part of the arguments": ('{"a": 1}', "no call of 'Sum'"),
    "words around the JSON": ('Here: {"a": 1, "b": 2}', "no call of 'Sum'"),
    "half a call": ('<tool_call>{"name": "Sum", "arguments": {"a": 1', "cannot be read"),
}


@pytest.mark.parametrize("schema", [Sum, SCHEMA], ids=["pydantic", "JSON"])
@pytest.mark.parametrize(("said", "why"), NONE.values(), ids=NONE)
async def test_call_that_does_not_come_is_an_error(
    mode: str, schema: Any, said: str, why: str
) -> None:
    """And no silent None; with the raw answer it is given, and the answer as it was."""
    with saying(said) as (model, _):
        with pytest.raises(ToolCallError, match=why) as caught:
            await result(model.with_structured_output(schema), mode)
        if mode.endswith("invoke"):
            found = await result(model.with_structured_output(schema, include_raw=True), mode)
            assert found["parsed"] is None
            assert isinstance(found["parsing_error"], ToolCallError)
            assert found["raw"].text == caught.value.llm_output
    assert isinstance(caught.value, OutputParserException)


async def test_long_answer_is_no_part_of_an_error() -> None:
    """Only its beginning, and all of it as an attribute."""
    with saying("no " * 1000) as (model, _), pytest.raises(ToolCallError) as caught:
        await result(model.with_structured_output(Sum), "invoke")
    assert len(str(caught.value)) < 300
    assert str(caught.value.llm_output).strip() == ("no " * 1000).strip()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strict", [True, False, None])
def test_strict_is_taken_and_the_schema_is_traced(method: Any, strict: bool | None) -> None:
    """What is bound tells a tracer what was wanted."""
    chain: Any = ChatHuggingChat().with_structured_output(Sum, method=method, strict=strict)
    bound = chain.first.kwargs
    assert bound.get("strict") is strict
    assert bound["ls_structured_output_format"] == {"kwargs": {"method": method}, "schema": Sum}
