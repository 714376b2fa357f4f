"""Agents of both makes, and two ways to run them, as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.tools import ToolException, tool
from langgraph.prebuilt import create_react_agent

Make = Callable[..., Any]

MAKES: tuple[Make, ...] = (create_agent, create_react_agent)
WAYS = ("invoke", "astream")

MOVED = "ignore:create_react_agent has been moved"
"""What langgraph says of its agent, for as long as it has it."""


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


def _refuse() -> str:
    """Open the vault."""
    raise ToolException("the vault is closed")


refuse = tool("open_vault", description="Open the vault.")(_refuse)
refuse.handle_tool_error = True


@tool
def fail() -> str:
    """Open the vault."""
    raise RuntimeError("the vault has fallen down")


async def run(agent: Any, way: str, messages: list[BaseMessage] | str, config: Any = None) -> Any:
    """The state in the end. Streamed chunks have to make up the same answers."""
    given = {"messages": messages}
    if way == "invoke":
        return agent.invoke(given, config)
    modes = ["messages", "values"]
    parts = [part async for part in agent.astream(given, config, stream_mode=modes)]
    state = [value for mode, value in parts if mode == "values"][-1]
    streamed: dict[str, AIMessageChunk] = {}
    for mode, value in parts:
        if mode == "messages" and isinstance(value[0], AIMessageChunk):
            chunk = value[0]
            key = str(chunk.id)
            streamed[key] = streamed[key] + chunk if key in streamed else chunk
    whole = {m.id: m for m in state["messages"] if m.id in streamed}
    assert whole
    for name, message in whole.items():
        assert message.text == streamed[name].text
        assert message.tool_calls == streamed[name].tool_calls
    return state


def asked(text: str) -> list[BaseMessage]:
    """One question."""
    return [HumanMessage(text)]


__all__ = ["MAKES", "MOVED", "WAYS", "Make", "add", "asked", "fail", "refuse", "run", "weather"]
