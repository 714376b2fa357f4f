"""Providers whose model obeys the tool protocol of this package, or calls tools itself."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_g4f.testing import Prompt, echo
from langchain_g4f.testing.gradio_space.apps.tools import Tool, arguments, best_tool, choose
from tests.g4f_standins.providers import StandIn
from tests.g4f_standins.responses import FinishReason, ToolCalls, Usage

USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of one to eight characters, the same ones each time."""
    dice, at = random.Random(text), 0
    while at < len(text):
        size = dice.randint(1, 8)
        yield text[at : at + size]
        at += size


class ReadsTools(StandIn):
    """Reads what it is told of tools in words, and writes calls as it is told to."""

    default_model = "words"

    @classmethod
    async def create_async_generator(
        cls,
        model: str,
        messages: list[dict[str, Any]],
        *,
        media: list[Any] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        api_key: str | None = None,
    ) -> AsyncIterator[Any]:
        cls.noted(model, messages, {"media": media, "temperature": temperature})
        for piece in _pieces(echo(Prompt(model, messages)).text):
            yield piece
        yield Usage(**USAGE)


class CallsTools(StandIn):
    """Takes tools and wanted formats in OpenAI's form, and answers in deltas."""

    default_model = "native"
    supports_native_tools = True

    @classmethod
    async def create_async_generator(
        cls,
        model: str,
        messages: list[dict[str, Any]],
        *,
        tools: list[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | None = None,
        media: list[Any] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        api_key: str | None = None,
    ) -> AsyncIterator[Any]:
        given = {"tools": tools, "tool_choice": tool_choice, "response_format": response_format}
        cls.noted(model, messages, given | {"media": media})
        question = next((_text(m) for m in reversed(messages) if m["role"] == "user"), "")
        results = [_text(m) for m in messages if m["role"] == "tool"]
        told = "\n".join(results) if messages[-1]["role"] == "tool" else ""
        calls = _calls(tools or [], tool_choice, question, told)
        for index, (name, values) in enumerate(calls):
            head = {"index": index, "id": f"c{len(messages)}-{index}"}
            yield ToolCalls([head | {"function": {"name": name, "arguments": ""}}])
            for piece in _pieces(json.dumps(values)):
                yield ToolCalls([{"index": index, "function": {"arguments": piece}}])
        if not calls:
            for piece in _pieces(_said(response_format, question, told)):
                yield piece
        yield Usage(**USAGE)
        yield FinishReason("tool_calls" if calls else "stop")


def _calls(
    tools: list[dict[str, Any]], choice: Any, question: str, told: str
) -> list[tuple[str, dict[str, Any]]]:
    known = [Tool.read(tool["function"]) for tool in tools]
    if choice == "none" or not known:
        return []
    if isinstance(choice, dict):
        known = [tool for tool in known if tool.name == choice["function"]["name"]]
    elif choice is None and told:
        return []
    if choice == "required" and told:
        return [(known[-1].name, arguments(known[-1].parameters, told, question))]
    chosen = choose(question, known) if choice is None else []
    if choice is not None:
        chosen = [(best_tool(question, known) or known[-1], question)]
    return [(tool.name, arguments(tool.parameters, told, text)) for tool, text in chosen]


def _said(wanted: dict[str, Any] | None, question: str, told: str) -> str:
    if wanted is None:
        return f"The result is {told}." if told else f"Echo: {question}"
    if wanted["type"] == "json_object":
        return json.dumps({"answer": told or question})
    return json.dumps(arguments(wanted["json_schema"]["schema"], told, question))


def _text(message: dict[str, Any]) -> str:
    content = message["content"] or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")
