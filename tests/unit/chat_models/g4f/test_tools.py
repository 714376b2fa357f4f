"""Tools and structured output: by the provider itself, or asked for in words."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_g4f import ChatG4F
from langchain_g4f.errors import ConfigurationError
from tests.g4f_standins.providers import Thorough, chat, scripted
from tests.g4f_standins.tool_models import USAGE, CallsTools, ReadsTools
from tests.unit.chat_models.g4f.conftest import Ask
from tests.unit.chat_models.tools import add, repeat

NATIVE = pytest.mark.proves("g4f:8:tools", "g4f:1:supports-native-tools")
by_base = pytest.mark.parametrize(
    "base",
    [
        pytest.param(ReadsTools, id="emulated", marks=pytest.mark.proves("g4f:8:tools")),
        pytest.param(CallsTools, id="native", marks=NATIVE),
    ],
)


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


@by_base
async def test_tool_is_called(base: Any, ask: Ask) -> None:
    """With its arguments, an id, and nothing of it in the text."""
    model = chat(base=base).bind_tools([add, repeat])
    answer = await ask(model, "Please add 2 and 3.")
    ((name, given),) = [(call["name"], call["args"]) for call in answer.tool_calls]
    assert (name, given) == ("add", {"a": 2, "b": 3})
    assert answer.tool_calls[0]["id"]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert answer.text == ""
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == USAGE["total_tokens"]


@by_base
async def test_result_of_a_tool_is_answered(base: Any, ask: Ask) -> None:
    """The provider is told of the call and of its result."""
    provider = scripted(base)
    model = ChatG4F(provider=provider).bind_tools([add])
    call = {"name": "add", "args": {"a": 2, "b": 3}, "id": "c1"}
    messages = [
        HumanMessage("Please add 2 and 3."),
        AIMessage("", tool_calls=[call]),
        ToolMessage("5", tool_call_id="c1"),
    ]
    answer = await ask(model, messages)
    assert answer.text == "The result is 5."
    roles = [each["role"] for each in provider.calls[0].messages]
    assert roles[-1] == ("tool" if base is CallsTools else "user")


@pytest.mark.proves("g4f:8:structured-output")
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("schema", [Sum, {**Sum.model_json_schema(), "title": "Sum"}])
@by_base
async def test_structured_output_is_read(base: Any, schema: Any, method: Any, mode: str) -> None:
    """By a forced call or by JSON, the provider's own where it has that."""
    provider = scripted(base)
    chain = ChatG4F(provider=provider).with_structured_output(schema, method=method)
    found = chain.invoke("2 and 3") if mode == "sync" else await chain.ainvoke("2 and 3")
    assert (found if isinstance(found, dict) else found.model_dump()) == {"a": 2, "b": 3}
    if base is CallsTools and method == "json_schema":
        wanted = provider.calls[0].given["response_format"]
        assert wanted["type"] == "json_schema"
        assert wanted["json_schema"]["name"] == "Sum"
        assert set(wanted["json_schema"]["schema"]["properties"]) == {"a", "b"}
    if base is CallsTools and method == "function_calling":
        named = {"type": "function", "function": {"name": "Sum"}}
        assert provider.calls[0].given["tool_choice"] == named


SCHEMA = {"type": "object", "properties": {}}
NAMED = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        ({"type": "text"}, {"type": "text"}),
        (SCHEMA, NAMED),
    ],
)
def test_wanted_format_is_sent_in_openais_form(given: Any, sent: Any) -> None:
    """A schema without a name gets one."""
    model = chat("{}", base=Thorough)
    model.invoke("hi", response_format=given)
    assert model.wrapped.calls[0].given["response_format"] == sent


FUNCTION = {"type": "function", "function": {"name": "add"}}
CHOICES = [
    (None, None),
    ("auto", None),
    ("none", "none"),
    ("any", "required"),
    ("required", "required"),
    (True, "required"),
    ("add", FUNCTION),
    (FUNCTION, FUNCTION),
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
    model = chat("a", base=Thorough)
    with pytest.raises(ConfigurationError, match="there is no tool 'sub'"):
        model.invoke("hi", tools=[add], tool_choice="sub")
    assert model.wrapped.calls == []
