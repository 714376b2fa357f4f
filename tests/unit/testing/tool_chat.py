"""What the tests of the scripted model with tools have in common."""

from __future__ import annotations

import json
from typing import Any

from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter
from langchain_g4f.core.events import Text, ToolCall
from langchain_g4f.testing.gradio_space.apps import tool_model
from langchain_g4f.tools.prompt import render_call, render_result, tools_section


def described(name: str, about: str, **properties: str) -> dict[str, Any]:
    """Return a tool whose arguments, all required, have these types."""
    fields = {field: {"type": kind} for field, kind in properties.items()}
    parameters = {"type": "object", "properties": fields, "required": list(fields)}
    return {"name": name, "description": about, "parameters": parameters}


ADD = described("add", "Add two numbers.", a="integer", b="integer")
WEATHER = described("get_weather", "Get the weather at a location.", location="string")
NOW = described("now", "Tell the time of day.")
SQUARE = described("square", "Square a number.", of="integer")
REPORT = described("Report", "What is handed in at the end.", total="integer")
SECTION = tools_section([ADD, WEATHER, NOW])

CALL = '{"name": "add", "arguments": {"a": 2, "b": 3}}'
"""The call that the tests ask for most often."""

Messages = list[tuple[str, str]]


def said(messages: Messages) -> str | None:
    """Return what the model answers."""
    found = tool_model.answer(messages)
    assert found is not None
    return found.said


def ask(question: str, section: str = SECTION, note: str = "") -> Messages:
    """Return a system prompt with tools, and a question."""
    return [("system", section), ("user", "\n\n".join(filter(None, (question, note))))]


def calls(messages: Messages) -> list[tuple[str, Any]]:
    """Return the calls in the answer, as the package reads them."""
    reading = ToolCallFilter(tools=True, bare_json=False, parallel=True)
    events = [*reading.feed(Text(said(messages) or "")), *reading.close()]
    found = [event for event in events if isinstance(event, ToolCall)]
    return [(call.name, json.loads(call.arguments)) for call in found]


def result(text: str, *, name: str = "add", status: str = "success") -> str:
    """Return a result as the model is told it."""
    return render_result(text, call_id="call_1", name=name, status=status)


def after(question: str, told: str, section: str = SECTION, note: str = "") -> Messages:
    """Return a conversation with a question, a call and its result."""
    called = ("assistant", render_call("add", {"a": 2, "b": 3}))
    return [*ask(question, section), called, ("user", "\n\n".join(filter(None, (told, note))))]
