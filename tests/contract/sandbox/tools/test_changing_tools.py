"""A conversation in which the tools change: its model is told once, where it has to know."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_g4f.core.chat_request import NO_TOOLS
from tests.contract.sandbox.tools.agents import WAYS, add, run, weather
from tests.contract.sandbox.tools.service import Serve, call, service


@pytest.mark.parametrize("way", WAYS)
async def test_other_tools_are_told_with_the_next_message_only(
    serve_native: Serve, way: str
) -> None:
    """The system prompt stays as it is; the reminder stands in the conversation once."""
    chat = serve_native("Hello.", call("weather", city="Rome"), "It is sunny.", "Bye.")
    history: list[BaseMessage] = [HumanMessage("Hello")]
    history = (await run(create_agent(chat.model, [add]), way, history))["messages"]
    history.append(HumanMessage("How is it in Rome?"))
    other = create_agent(chat.model, [weather])
    history = (await run(other, way, history))["messages"]
    history.append(HumanMessage("Bye"))
    history = (await run(other, way, history))["messages"]

    chat.expect_cost(answers=4)
    hello, _, rome, _, result, _, bye = chat.told()
    assert rome.startswith("# Tools\n")
    assert '"name": "weather"' in rome
    assert '"name": "add"' not in rome
    assert rome.endswith("\n\nHow is it in Rome?")
    assert (hello, bye) == ("Hello", "Bye")
    assert result.startswith("<tool_response ")
    assert '"name": "add"' in chat.system()
    assert [m.text for m in history if m.type == "ai"] == ["Hello.", "", "It is sunny.", "Bye."]
    assert len(chat.sandbox.conversations) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("way", WAYS)
async def test_tools_that_are_gone_are_taken_back_once(serve_native: Serve, way: str) -> None:
    """An agent without tools goes on in the conversation, and its model hears of it."""
    chat = serve_native(call("add", a=2, b=3), "5.", "One.", "Two.")
    with_tools = create_agent(chat.model, [add])
    history = (await run(with_tools, way, [HumanMessage("2 and 3?")]))["messages"]
    without = create_agent(chat.model, [])
    for text in ("one", "two"):
        history.append(HumanMessage(text))
        history = (await run(without, way, history))["messages"]
    assert chat.told()[-3::2] == [f"{NO_TOOLS}\n\none", "two"]
    assert len(chat.sandbox.conversations) == 1  # type: ignore[union-attr]
    chat.expect_cost(answers=4)


@pytest.mark.parametrize("way", WAYS)
async def test_same_tools_are_told_once(serve: Serve, way: str) -> None:
    """Nobody is told of the tools again as long as they are the same."""
    chat = serve("One.", "Two.", "Three.")
    history: list[BaseMessage] = [SystemMessage("Be brief.")]
    for text in ("one", "two", "three"):
        history.append(HumanMessage(text))
        agent = create_agent(chat.model, [add, weather])
        history = (await run(agent, way, history))["messages"]
    chat.expect_cost(answers=3)
    assert chat.told() == ["one", "One.", "two", "Two.", "three"]
    assert chat.system().startswith("Be brief.\n\n# Tools\n")


async def test_other_tools_are_all_that_a_service_without_memory_hears() -> None:
    """Where every message is sent each time, the system prompt has the tools of the call."""
    with service("flowgpt", "Hello.", "Bye.") as chat:
        history: list[BaseMessage] = [HumanMessage("Hello")]
        history = (await run(create_agent(chat.model, [add]), "invoke", history))["messages"]
        history.append(HumanMessage("Bye"))
        await run(create_agent(chat.model, [weather]), "invoke", history)
        assert '"name": "weather"' in chat.system()
        assert '"name": "add"' not in chat.system()
        assert chat.told() == ["Hello", "Hello.", "Bye"]
