"""Tools and structured output: by the provider itself, or asked for in words."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_g4f import ChatG4F
from langchain_g4f.errors import ConfigurationError
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, Thorough, scripted
from tests.g4f_standins.tool_models import USAGE, CallsTools, ReadsTools
from tests.unit.chat_models.tools import add, repeat
from tests.unit.chat_models.ways import WAYS, ask

MODELS = [
    pytest.param(ReadsTools, id="emulated", marks=pytest.mark.proves("g4f:8:tools")),
    pytest.param(
        CallsTools,
        id="native",
        marks=pytest.mark.proves("g4f:8:tools", "g4f:1:supports-native-tools"),
    ),
]


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", MODELS)
async def test_tool_is_called(base: Any, way: str) -> None:
    """With its arguments, an id, and nothing of it in the text."""
    model = ChatG4F(provider=scripted(base)).bind_tools([add, repeat])
    answer = await ask(model, way, "Please add 2 and 3.")
    ((name, given),) = [(call["name"], call["args"]) for call in answer.tool_calls]
    assert (name, given) == ("add", {"a": 2, "b": 3})
    assert answer.tool_calls[0]["id"]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert answer.text == ""
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", MODELS)
async def test_result_of_a_tool_is_answered(base: Any, way: str) -> None:
    """The provider is told of the call and of its result."""
    provider = scripted(base)
    model = ChatG4F(provider=provider).bind_tools([add])
    call = {"name": "add", "args": {"a": 2, "b": 3}, "id": "c1"}
    messages = [
        HumanMessage("Please add 2 and 3."),
        AIMessage("", tool_calls=[call]),
        ToolMessage("5", tool_call_id="c1"),
    ]
    answer = await ask(model, way, messages)
    assert answer.text == "The result is 5."
    roles = [each["role"] for each in provider.calls[0].messages]
    assert roles[-1] == ("tool" if base is CallsTools else "user")


@pytest.mark.proves("g4f:8:tools")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("base", MODELS)
async def test_agent_uses_tools(base: Any, kind: str) -> None:
    """LangGraph's loop runs to its end, with the result in the answer."""
    agent: Any = create_agent(ChatG4F(provider=scripted(base)), [add, repeat])
    question = {"messages": [HumanMessage("Please add 2 and 3.")]}
    state = agent.invoke(question) if kind == "sync" else await agent.ainvoke(question)
    kinds = [message.type for message in state["messages"]]
    assert kinds == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].text == "The result is 5."


@pytest.mark.proves("g4f:8:structured-output")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("schema", [Sum, {**Sum.model_json_schema(), "title": "Sum"}])
@pytest.mark.parametrize("base", MODELS)
async def test_structured_output_is_read(base: Any, schema: Any, method: Any, kind: str) -> None:
    """By a forced call or by JSON, the provider's own where it has that."""
    provider = scripted(base)
    chain = ChatG4F(provider=provider).with_structured_output(schema, method=method)
    found = chain.invoke("2 and 3") if kind == "sync" else await chain.ainvoke("2 and 3")
    assert (found if isinstance(found, dict) else found.model_dump()) == {"a": 2, "b": 3}
    if base is CallsTools and method == "json_schema":
        wanted = provider.calls[0].given["response_format"]
        assert wanted["type"] == "json_schema"
        assert wanted["json_schema"]["name"] == "Sum"
        assert set(wanted["json_schema"]["schema"]["properties"]) == {"a", "b"}
    if base is CallsTools and method == "function_calling":
        named = {"type": "function", "function": {"name": "Sum"}}
        assert provider.calls[0].given["tool_choice"] == named


@pytest.mark.proves("g4f:8:structured-output")
@pytest.mark.parametrize("base", MODELS)
async def test_json_mode_needs_no_schema(base: Any) -> None:
    """Any object will do."""
    model = ChatG4F(provider=scripted(base)).with_structured_output(method="json_mode")
    assert await model.ainvoke("hi there") == {"answer": "hi there"}


FORMATS = [
    ({"type": "json_object"}, {"type": "json_object"}),
    ({"type": "text"}, {"type": "text"}),
    (
        {"type": "object", "properties": {}},
        {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}},
        },
    ),
]


@pytest.mark.parametrize(("given", "sent"), FORMATS)
def test_wanted_format_is_sent_in_openais_form(given: Any, sent: Any) -> None:
    """A schema without a name gets one."""
    provider = scripted(Thorough, "{}")
    ChatG4F(provider=provider).invoke("hi", response_format=given)
    assert provider.calls[0].given["response_format"] == sent


CHOICES = [
    (None, None),
    ("auto", None),
    ("none", "none"),
    ("any", "required"),
    ("required", "required"),
    (True, "required"),
    ("add", {"type": "function", "function": {"name": "add"}}),
    (
        {"type": "function", "function": {"name": "add"}},
        {"type": "function", "function": {"name": "add"}},
    ),
]


@pytest.mark.proves("g4f:8:tools")
@pytest.mark.parametrize(("given", "sent"), CHOICES)
@pytest.mark.parametrize("bound", [False, True])
def test_choice_is_sent_in_openais_form(given: Any, sent: Any, bound: bool) -> None:
    """Bound or given with a call; tools, too, in whatever form they are."""
    provider = scripted(Thorough, "a")
    model = ChatG4F(provider=provider)
    if bound:
        model.bind_tools([add], tool_choice=given, parallel_tool_calls=False).invoke("hi")
    else:
        model.invoke("hi", tools=[add], tool_choice=given, parallel_tool_calls=False)
    (call,) = provider.calls
    assert call.given.get("tool_choice") == sent
    assert call.given["parallel_tool_calls"] is False
    assert call.given["tools"][0]["function"]["name"] == "add"


def test_choice_of_a_tool_that_is_not_there_is_refused() -> None:
    """Before the provider is asked."""
    provider = scripted(Thorough, "a")
    with pytest.raises(ConfigurationError, match="there is no tool 'sub'"):
        ChatG4F(provider=provider).invoke("hi", tools=[add], tool_choice="sub")
    assert provider.calls == []


def test_tools_of_a_provider_that_has_them_are_not_warned_of() -> None:
    """It may take them without naming them, as nearly all do."""
    provider = scripted(AsyncGeneratorProvider, "a", supports_native_tools=True)
    ChatG4F(provider=provider).bind_tools([add], tool_choice="any").invoke("hi")
    assert set(provider.calls[0].given) == {"tools", "tool_choice"}


@pytest.mark.proves("g4f:5:tool-calls")
@pytest.mark.parametrize("way", WAYS)
async def test_call_without_an_id_gets_one(way: str) -> None:
    """Its result has to name it."""
    call = {"function": {"name": "add", "arguments": '{"a": 1}'}}
    provider = scripted(AsyncGeneratorProvider, old.ToolCalls([call, call]))
    answer = await ask(ChatG4F(provider=provider), way, "hi")
    first, second = (str(each["id"]) for each in answer.tool_calls)
    assert first.startswith("call_")
    assert first != second


@pytest.mark.proves("g4f:8:tools")
@pytest.mark.parametrize("way", WAYS)
async def test_forced_call_that_does_not_come_is_asked_for_again(way: str) -> None:
    """Where calls are emulated, as in all chat models of this package."""
    steps: list[Any] = []
    model = ChatG4F(provider=scripted(ReadsTools), tool_retries=1, on_progress=steps.append)
    bound = model.bind_tools([add], tool_choice="any")
    answer = await ask(bound, way, "add 2 and 3 [[tool:late]]")
    assert [call["name"] for call in answer.tool_calls] == ["add"]
    assert [step.kind for step in steps] == ["tool_retry"]
