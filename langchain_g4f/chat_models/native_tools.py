"""Tools and wanted formats that a provider's service handles itself, in OpenAI's form.

Where it does not, `langchain_g4f.chat_models.tool_calling` asks for them in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

from langchain_g4f.chat_models.tool_calling import tool_choice
from langchain_g4f.g4f_adapter.provider import Facts
from langchain_g4f.tools.prompt import ANY

_FORMATS = ("text", "json_object", "json_schema")
_BLOCKS_KEPT = ("text", "tool_use", "tool_result")


def take_native(kwargs: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """Take what the service handles out of the arguments of a call.

    Raises:
        ConfigurationError: A tool is chosen that is not there.
    """
    found: dict[str, Any] = {}
    if facts.has_tools and kwargs.get("tools"):
        found["tools"] = [convert_to_openai_tool(tool) for tool in kwargs.pop("tools")]
        found["tool_choice"] = _choice(kwargs.pop("tool_choice", None), found["tools"])
        found["parallel_tool_calls"] = kwargs.pop("parallel_tool_calls", None)
    if "response_format" in facts.parameters and kwargs.get("response_format") is not None:
        found["response_format"] = _format(kwargs.pop("response_format"))
    return {name: value for name, value in found.items() if value is not None}


def _choice(given: Any, tools: Sequence[Mapping[str, Any]]) -> str | dict[str, Any] | None:
    names = [tool["function"]["name"] for tool in tools if "function" in tool]
    chosen = tool_choice(given, names)
    if chosen in ("", "none"):
        return chosen or None
    if chosen == ANY:
        return "required"
    return {"type": "function", "function": {"name": chosen}}


def _format(wanted: Any) -> Mapping[str, Any]:
    if isinstance(wanted, Mapping) and wanted.get("type") in _FORMATS:
        return wanted
    schema = wanted
    with suppress(ValueError):  # it has no title, and needs none here
        schema = convert_to_json_schema(wanted)
    name = schema.get("title", "answer")
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}


def native_messages(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The conversation with its tool calls, without its files, which are an argument."""
    return convert_to_openai_messages([_without_files(message) for message in messages])


def _without_files(message: BaseMessage) -> BaseMessage:
    if isinstance(message.content, str):
        return message
    kept = [b for b in message.content if isinstance(b, str) or b.get("type") in _BLOCKS_KEPT]
    return message.model_copy(update={"content": kept or ""})


__all__ = ["native_messages", "take_native"]
