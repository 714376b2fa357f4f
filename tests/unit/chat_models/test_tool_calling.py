"""What the model is told of tools and formats, and answers that are read by a schema."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import HumanMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableLambda
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.tool_calling import Emulation
from langchain_g4f.errors import ConfigurationError, ToolCallError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.tools import ADD, add, asked, calls, repeat, saying, system
from tests.unit.chat_models.ways import ask

INTEGER = {"type": "integer"}
SCHEMA = {
    "title": "Sum",
    "description": "Two numbers.",
    "type": "object",
    "properties": {"a": INTEGER, "b": INTEGER},
    "required": ["a", "b"],
}


def plain(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Model(BaseModel):
    """Add two numbers."""

    a: int
    b: int = Field(description="the other one")


class Typed(TypedDict):
    """Add two numbers."""

    a: int
    b: Annotated[int, ..., "the other one"]


TOOLS: dict[str, Any] = {
    "a function": plain,
    "a pydantic class": Model,
    "a typed dict": Typed,
    "a LangChain tool": add,
    "a runnable": RunnableLambda(lambda x: x["a"] + x["b"]).as_tool(
        name="sum", description="Add two numbers.", arg_types={"a": int, "b": int}
    ),
    "a JSON schema": SCHEMA,
    "OpenAI's form": convert_to_openai_tool(add),
    "Anthropic's form": {
        "name": "add",
        "description": "Add two numbers.",
        "input_schema": {"type": "object", "properties": {"a": INTEGER, "b": INTEGER}},
    },
}


def described(text: str) -> list[Any]:
    """The tools that the model was told of."""
    found = re.search(r"<tools>\n(.*)\n</tools>", text, re.DOTALL)
    return [json.loads(line) for line in found.group(1).splitlines()] if found else []


def taken(**kwargs: Any) -> Emulation:
    """What a call with these arguments needs."""
    emulation = Emulation.take(kwargs)
    assert emulation is not None
    assert not kwargs
    return emulation


@pytest.mark.parametrize("given", TOOLS.values(), ids=TOOLS.keys())
def test_tool_in_any_form_is_described_to_the_model(
    model: ChatHuggingChat, sandbox: Sandbox, given: Any
) -> None:
    """Its name and the schema of its arguments are told before everything else."""
    bound = model.bind_tools([given])
    assert isinstance(bound, RunnableBinding)
    bound.invoke("hi")
    (found,) = described(system(sandbox))
    assert found["name"] == convert_to_openai_tool(given)["function"]["name"]
    assert found["description"]
    assert {key: p["type"] for key, p in found["parameters"]["properties"].items()} == {
        "a": "integer",
        "b": "integer",
    }
    assert asked(sandbox) == "hi"


def test_tools_stand_behind_the_callers_system_prompt(
    model: ChatHuggingChat, sandbox: Sandbox
) -> None:
    """The caller's words come first."""
    model.bind_tools([add, repeat]).invoke([("system", "Be brief."), ("user", "hi")])
    assert system(sandbox).startswith("Be brief.\n\n# Tools")
    assert [tool["name"] for tool in described(system(sandbox))] == ["add", "repeat"]


@pytest.mark.parametrize("choice", [None, False, "auto", "", {"type": "auto"}])
def test_no_choice_is_no_directive(choice: Any) -> None:
    """The model decides."""
    emulation = taken(tools=[add], tool_choice=choice)
    assert (emulation.note, emulation.forced) == ("", False)
    assert (
        "tool_choice" not in vars(ChatHuggingChat().bind_tools([add], tool_choice=choice))["kwargs"]
    )


@pytest.mark.parametrize("choice", [True, "any", "required", {"type": "any"}])
def test_any_choice_demands_some_call(
    model: ChatHuggingChat, sandbox: Sandbox, choice: Any
) -> None:
    """It is said with the message, not before everything else."""
    model.bind_tools([add, repeat], tool_choice=choice).invoke("hi")
    assert asked(sandbox).startswith("hi\n\nYou must call one of the tools now")
    assert "You must" not in system(sandbox)


@pytest.mark.parametrize(
    "choice",
    [
        "repeat",
        {"type": "function", "function": {"name": "repeat"}},
        {"type": "function", "name": "repeat"},
        {"type": "tool", "name": "repeat"},
    ],
)
def test_named_choice_demands_that_call(
    model: ChatHuggingChat, sandbox: Sandbox, choice: Any
) -> None:
    """By name, or in the forms of other services."""
    model.bind_tools([add, repeat], tool_choice=choice).invoke("hi")
    assert 'You must call the tool "repeat" now' in asked(sandbox)


@pytest.mark.parametrize("choice", ["none", {"type": "none"}])
async def test_choice_of_none_hides_the_tools(mode: str, choice: Any) -> None:
    """The model is not told of them, and what looks like a call is text."""
    with saying(ADD) as (model, sandbox):
        answer = await ask(model.bind_tools([add], tool_choice=choice), mode, "hi")
        assert system(sandbox) == ""
    assert (answer.tool_calls, answer.content) == ([], ADD)


@pytest.mark.parametrize(
    "choice",
    ["sub", {"type": "function"}, {"type": "function", "function": {"name": "sub"}}, {}, 3],
)
def test_choice_of_an_unknown_tool_is_refused_when_it_is_bound(choice: Any) -> None:
    """The error names the tools there are."""
    with pytest.raises(ConfigurationError, match=r"tool_choice.*the tools are: add"):
        ChatHuggingChat().bind_tools([add], tool_choice=choice)
    with pytest.raises(ConfigurationError, match="tool_choice"):
        ChatHuggingChat().invoke("hi", tools=[add], tool_choice=choice)


def test_tool_of_another_service_is_refused() -> None:
    """Its description is known to that service only."""
    with pytest.raises(ConfigurationError, match="'web_search_preview' is run by another service"):
        ChatHuggingChat().bind_tools([{"type": "web_search_preview"}])


async def test_no_parallel_calls_keeps_the_first(mode: str) -> None:
    """The model is asked for one, and of several the first counts."""
    second = ADD.replace("2", "7")
    with saying(f"{ADD}\n{second}") as (model, sandbox):
        answer = await ask(model.bind_tools([add], parallel_tool_calls=False), mode, "hi")
        assert "Make one call at a time." in system(sandbox)
        assert calls(answer) == [("add", {"a": 2, "b": 3})]
        both = await ask(model.bind_tools([add], parallel_tool_calls=True), mode, "hi")
        assert "Several calls are several such elements." in system(sandbox)
        assert calls(both) == [("add", {"a": 2, "b": 3}), ("add", {"a": 7, "b": 3})]


def test_calls_without_tools_are_not_looked_for() -> None:
    """A model without tools is read as it always was."""
    assert Emulation.take({"tools": [], "strict": True}) == Emulation()
    assert Emulation.take({"response_format": {"type": "text"}}) == Emulation()
    with saying(ADD) as (plain, _):
        assert plain.invoke("hi").content == ADD


FORMATS: dict[str, Any] = {
    "a JSON schema": SCHEMA,
    "a pydantic class": Model,
    "a typed dict": Typed,
    "OpenAI's form": {"type": "json_schema", "json_schema": {"name": "Sum", "schema": SCHEMA}},
    "the form of OpenAI's responses": {"type": "json_schema", "name": "Sum", "schema": SCHEMA},
    "a schema without a title": {key: SCHEMA[key] for key in ("type", "properties", "required")},
}


@pytest.mark.parametrize("wanted", FORMATS.values(), ids=FORMATS.keys())
async def test_wanted_format_is_told_and_its_fence_left_out(mode: str, wanted: Any) -> None:
    """As a plain parameter, in any form; the answer is JSON and nothing else."""
    with saying('Here: ```json\n{"a": 1, "b": 2}\n```') as (model, sandbox):
        answer = await ask(model, mode, "hi", response_format=wanted)
        schema = json.loads(asked(sandbox).partition("JSON Schema:\n")[2])
        assert answer.content == '{"a": 1, "b": 2}'
        assert answer.response_metadata["finish_reason"] == "stop"
        assert system(sandbox) == ""
    assert schema["properties"].keys() == {"a", "b"}


def test_any_json_may_be_wanted() -> None:
    """There is no schema then."""
    note = taken(response_format={"type": "json_object"}).note
    assert "JSON object" in note
    assert "Schema" not in note


@pytest.mark.parametrize(
    "wanted", ["json", 3, {}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}]
)
def test_format_that_is_not_known_is_refused(wanted: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="response_format"):
        ChatHuggingChat().invoke("hi", response_format=wanted)


async def test_tools_and_a_format_go_together(mode: str) -> None:
    """A call is a call, and around JSON nothing is left."""
    with saying(f"Well. {ADD}", 'So: {"a": 1} Bye.') as (model, sandbox):
        bound = model.bind_tools([add], response_format=SCHEMA)
        first = await ask(bound, mode, [HumanMessage("hi")])
        assert "JSON Schema" in asked(sandbox)
        assert described(system(sandbox))
        second = await ask(bound, mode, "hi")
    assert calls(first) == [("add", {"a": 2, "b": 3})]
    assert (second.tool_calls, second.content) == ([], '{"a": 1}')


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


class SumDict(TypedDict):
    """Two numbers."""

    a: int
    b: int


SUM = {**Sum.model_json_schema(), "title": "Sum"}
METHODS = ("function_calling", "json_schema", "json_mode")


def answer(method: str, name: str = "Sum", arguments: str = '{"a": 1, "b": 2}') -> str:
    """What a model says that is asked by this method."""
    if method != "function_calling":
        return f"```json\n{arguments}\n```"
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


async def result(chain: Runnable[Any, Any], mode: str) -> Any:
    """What the chain gives; the last thing, if it gives several."""
    if mode == "astream":
        return [each async for each in chain.astream("hi")][-1]
    return chain.invoke("hi") if mode == "invoke" else await chain.ainvoke("hi")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Sum, SumDict, SUM], ids=["pydantic", "typed dict", "JSON"])
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


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_other_methods_need_a_schema(method: Any) -> None:
    """It is said at once."""
    with pytest.raises(ConfigurationError, match="needs a schema"):
        ChatHuggingChat().with_structured_output(method=method)


def test_unknown_method_is_refused() -> None:
    """By its name."""
    with pytest.raises(ConfigurationError, match="'magic'"):
        ChatHuggingChat().with_structured_output(Sum, method="magic")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["invoke", "ainvoke"])
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


@pytest.mark.parametrize("schema", [Sum, SUM], ids=["pydantic", "JSON"])
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


@pytest.mark.parametrize("schema", [Sum, SUM], ids=["pydantic", "JSON"])
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


@pytest.mark.parametrize("mode", ["invoke", "ainvoke"])
async def test_call_of_another_tool_is_an_error(mode: str) -> None:
    """There is no such tool, but a model may make one up."""
    said = '<tool_call>{"name": "add", "arguments": {}}</tool_call>'
    expected = pytest.raises(ToolCallError, match="no call of 'Sum', but of 'add'")
    with saying(said) as (model, _), expected:
        await result(model.with_structured_output(Sum), mode)


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
