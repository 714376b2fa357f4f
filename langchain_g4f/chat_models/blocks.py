"""LangChain's standard content blocks for what our answers hold besides text.

The mapper keeps text in ``content`` and the rest in ``additional_kwargs``; the translator
here, registered for each provider, reads both back as blocks. Blocks of chunks have string
indexes with the prefix ``lc_``, the form that langchain-core merges without joining them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import ContentBlock

from langchain_g4f.core.events import File, ServerToolCall, ServerToolResult
from langchain_g4f.errors import ConfigurationError

_KINDS = ("image", "audio", "video")
_OTHERS = ("server_tools", "files", "non_standard")
"""Where blocks besides text are kept."""


def file_block(file: File) -> dict[str, Any]:
    """The block of a file that belongs to an answer."""
    kind = file.kind or file.mime_type.partition("/")[0]
    block: dict[str, Any] = {
        "type": kind if kind in _KINDS else "file",
        "extras": ({"filename": file.name} if file.name else {}) | file.about,
    }
    if file.mime_type:
        block["mime_type"] = file.mime_type
    if file.data:
        return block | {"base64": base64.b64encode(file.data).decode()}
    return block | {"url": file.url}


def call_block(call: ServerToolCall) -> dict[str, Any]:
    """The block of a tool call that the service ran itself."""
    return {
        "type": "server_tool_call",
        "id": call.id,
        "name": call.name,
        "args": call.arguments,
    }


def result_block(result: ServerToolResult) -> dict[str, Any]:
    """The block of what came out of such a call."""
    return {
        "type": "server_tool_result",
        "tool_call_id": result.id,
        "status": "error" if result.is_error else "success",
        "output": result.output,
    }


def content_of(block: Mapping[str, Any]) -> bytes:
    """The bytes that stand in a block; none where it only has an address."""
    content = block.get("base64")
    return base64.b64decode(content) if isinstance(content, str) else b""


def address_of(block: Mapping[str, Any]) -> str:
    """The address of a block's bytes.

    Raises:
        ConfigurationError: It has none.
    """
    url = block.get("url")
    if not isinstance(url, str):
        msg = "expected an image or file block with a URL or base64"
        raise ConfigurationError(msg)
    return url


def register(provider: str) -> None:
    """Let langchain-core translate the messages of ``provider`` with this module."""
    register_translator(provider, _whole, _chunk)


def _whole(message: AIMessage) -> list[ContentBlock]:
    blocks = _chunk(message)
    for block in blocks:
        block.pop("index", None)
    return blocks


def _chunk(message: AIMessage) -> list[ContentBlock]:
    if not isinstance(message.content, str):
        raise NotImplementedError  # core then does its best with a list
    extras = message.additional_kwargs
    found: list[dict[str, Any]] = []
    if reasoning := extras.get("reasoning_content"):
        found.append({"type": "reasoning", "reasoning": reasoning, "index": "lc_rs_0"})
    others = [dict(block) for key in _OTHERS for block in extras.get(key, ())]
    found.extend(sorted(others, key=_place))
    text: dict[str, Any] = {"type": "text", "text": str(message.text), "index": "lc_txt_0"}
    if sources := extras.get("sources"):
        text["annotations"] = [{"type": "citation", **source} for source in sources]
    if text["text"] or sources:  # where it stands when chunks are added up
        found.insert(len(found) - len(others) if extras.get("text_first") else len(found), text)
    found.extend(_tool_calls(message))
    return cast("list[ContentBlock]", found)


def _place(block: dict[str, Any]) -> int:
    """Position in the answer; a block of another origin has no number."""
    number = str(block.get("index", "")).rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _tool_calls(message: AIMessage) -> list[dict[str, Any]]:
    """Calls for the caller to run; until the last chunk they are pieces of calls."""
    if isinstance(message, AIMessageChunk) and message.chunk_position != "last":
        return [
            {"type": "tool_call_chunk", **call, "index": f"lc_tc_{call.get('index') or 0}"}
            for call in message.tool_call_chunks
        ]
    return [{**call, "type": "tool_call"} for call in message.tool_calls]


__all__ = [
    "address_of",
    "call_block",
    "content_of",
    "file_block",
    "register",
    "result_block",
]
