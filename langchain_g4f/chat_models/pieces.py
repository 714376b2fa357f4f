"""Tool calls and token counts in LangChain's form."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

if TYPE_CHECKING:
    from langchain_g4f.core.events import ToolCall, ToolCallPart, Usage


def whole_call(call: ToolCall, index: int) -> ToolCallChunk:
    """A call, the answer's ``index``-th."""
    return tool_call_chunk(name=call.name, args=call.arguments, id=_call_id(call), index=index)


def part_of_call(part: ToolCallPart) -> ToolCallChunk:
    """A piece of a call; what it does not have was in an earlier one."""
    name, call_id = part.name or None, part.id or None
    return tool_call_chunk(name=name, args=part.arguments, id=call_id, index=part.index)


def set_calls(message: AIMessage, calls: Sequence[ToolCall]) -> None:
    """Let ``message`` have these calls and no others."""
    chunks = [whole_call(call, at) for at, call in enumerate(calls)]
    read = AIMessageChunk(content="", tool_call_chunks=chunks, chunk_position="last")
    message.tool_calls, message.invalid_tool_calls = read.tool_calls, read.invalid_tool_calls


def usage_metadata(usage: Usage) -> UsageMetadata:
    """Token counts."""
    found = UsageMetadata(
        input_tokens=usage.input, output_tokens=usage.output, total_tokens=usage.total
    )
    if usage.reasoning is not None:
        found["output_token_details"] = {"reasoning": usage.reasoning}
    if usage.cached is not None:
        found["input_token_details"] = {"cache_read": usage.cached}
    return found


def _call_id(call: ToolCall) -> str:
    return call.id or f"call_{uuid.uuid4().hex}"


__all__ = ["part_of_call", "set_calls", "usage_metadata", "whole_call"]
