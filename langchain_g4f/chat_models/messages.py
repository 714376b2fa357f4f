"""LangChain messages -> Turn.

What cannot be mapped is an error before anything is sent: nothing of a message is
dropped in silence. System messages are joined; they have one place in a `Turn`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_g4f.errors import ConfigurationError, UnsupportedMediaError
from langchain_g4f.turn import Message, Role, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}
_NOT_SENT = {"reasoning", "thinking", "redacted_thinking"}
"""Blocks of an earlier answer that are no part of what was said."""


def to_turn(messages: Sequence[BaseMessage], *, model: str, options: Mapping[str, object]) -> Turn:
    """The turn that ``messages`` ask for.

    Raises:
        ConfigurationError: There is nothing to answer, or a message has no place here.
        UnsupportedMediaError: A message has content that cannot be sent.
    """
    system: list[str] = []
    turns: list[Message] = []
    for message in messages:
        text = _text(message)
        match message:
            case SystemMessage():
                system.append(text)
            case HumanMessage():
                turns.append(Message("user", text))
            case AIMessage() if not (message.tool_calls or message.invalid_tool_calls):
                turns.append(Message("assistant", text))
            case ChatMessage() if message.role in _ROLES:
                turns.append(Message(_ROLES[message.role], text))
            case ChatMessage() if message.role in ("system", "developer"):
                system.append(text)
            case AIMessage() | ToolMessage() | FunctionMessage():
                msg = "tool calls and tool results are not supported by this model"
                raise ConfigurationError(msg)
            case _:
                msg = f"a message of type {message.type!r} cannot be sent"
                raise ConfigurationError(msg)
    if not any(turn.role == "user" and turn.text.strip() for turn in turns):
        msg = "there is no user message with text to answer"
        raise ConfigurationError(msg)
    return Turn(tuple(turns), model, "\n\n".join(filter(None, system)), options)


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(_block_text(block) for block in message.content)


def _block_text(block: str | dict[Any, Any]) -> str:
    if isinstance(block, str):
        return block
    kind = block.get("type")
    if kind in ("text", "text-plain") and isinstance(block.get("text"), str):
        return str(block["text"])
    if kind in _NOT_SENT:
        return ""
    msg = f"content of type {kind!r} cannot be sent to this model"
    raise UnsupportedMediaError(msg)


__all__ = ["to_turn"]
