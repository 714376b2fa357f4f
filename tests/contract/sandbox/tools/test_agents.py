"""Agents of LangChain and LangGraph call tools, and a service hears everything once."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_g4f.core.chat_request import NO_TOOLS
from langchain_g4f.errors import UnsupportedMediaError
from langchain_g4f.testing import Sandbox
from tests.contract.sandbox.huggingchat.pictures import base64_of, picture, read, seen, uploads
from tests.contract.sandbox.tools.agents import (
    MAKES,
    MOVED,
    WAYS,
    Make,
    add,
    asked,
    fail,
    refuse,
    run,
    weather,
)
from tests.contract.sandbox.tools.service import VISION, Serve, call, response, service

pytestmark = pytest.mark.filterwarnings(MOVED)

by_make = pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
by_way = pytest.mark.parametrize("way", WAYS)


@by_make
@by_way
async def test_agent_with_a_tool_calls_it_and_answers(serve: Serve, make: Make, way: str) -> None:
    """Two answers, nothing resent, and what is streamed is what the state holds."""
    service = serve(f"Let me see. {call('add', a=2, b=3)}", "The sum is 5.")
    agent = make(service.model, [add, weather])
    state = await run(agent, way, asked("What is 2 and 3?"))
    question, called, result, answer = state["messages"]
    assert [(c["name"], c["args"]) for c in called.tool_calls] == [("add", {"a": 2, "b": 3})]
    assert called.response_metadata["finish_reason"] == "tool_calls"
    assert (result.content, result.status) == ("5", "success")
    assert answer.text == "The sum is 5."
    service.expect_cost(answers=2)
    service.expect_told_once([question, called, result, answer])
    assert service.told()[-1] == response(result)
    assert '"name": "weather"' in service.system()


@by_make
@by_way
async def test_parallel_calls_are_answered_together(serve: Serve, make: Make, way: str) -> None:
    """Two calls of one answer are both made, and both results go in one message."""
    calls = call("add", a=2, b=3) + "\n" + call("weather", city="Zürich")
    service = serve(calls, "5, and sunny.")
    state = await run(make(service.model, [add, weather]), way, asked("Sum and weather?"))
    _, called, *results, answer = state["messages"]
    assert [c["name"] for c in called.tool_calls] == ["add", "weather"]
    assert [r.content for r in results] == ["5", "It is sunny in Zürich."]
    assert [r.tool_call_id for r in results] == [c["id"] for c in called.tool_calls]
    assert answer.text == "5, and sunny."
    service.expect_cost(answers=2)
    service.expect_told_once(state["messages"])


@by_make
@by_way
async def test_error_of_a_tool_is_told_the_model(serve: Serve, make: Make, way: str) -> None:
    """What a tool says of its failure reaches the model, marked as an error."""
    service = serve(call("open_vault"), "It is closed.")
    state = await run(make(service.model, [refuse]), way, asked("Open it."))
    (result,) = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert 'status="error">\nthe vault is closed\n' in service.told()[-1]
    assert result.status == "error"
    service.expect_cost(answers=2)
    service.expect_told_once(state["messages"])


@by_make
@by_way
async def test_tool_that_raises_ends_the_agent_with_its_error(
    serve: Serve, make: Make, way: str
) -> None:
    """An error that is not handled is the caller's; the model is not asked again."""
    service = serve(call("fail"))
    with pytest.raises(RuntimeError, match="the vault has fallen down"):
        await run(make(service.model, [fail]), way, asked("Open it."))
    service.expect_cost(answers=1)


@by_make
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (call("subtract", a=2, b=3), "subtract is not a valid tool"),
        (call("add", a="two", b=3), "a: Input should be a valid integer"),
    ],
    ids=["unknown tool", "wrong type"],
)
@by_way
async def test_wrong_call_is_answered_and_corrected(
    serve: Serve, make: Make, way: str, wrong: str, told: str
) -> None:
    """A tool that is not there and arguments that do not fit are told the model."""
    service = serve(wrong, call("add", a=2, b=3), "5.")
    state = await run(make(service.model, [add]), way, asked("What is 2 and 3?"))
    assert told in service.told(1)[-1]
    assert 'status="error"' in service.told(1)[-1]
    assert state["messages"][-1].text == "5."
    service.expect_cost(answers=3)
    service.expect_told_once(state["messages"])


@by_make
@by_way
async def test_ten_steps_cost_eleven_answers(serve: Serve, make: Make, way: str) -> None:
    """The price of a step does not grow, and every message is told once."""
    steps = [call("add", a=n, b=1) for n in range(10)]
    service = serve(*steps, "Ten.")
    state = await run(
        make(service.model, [add]), way, asked("Count to ten."), {"recursion_limit": 50}
    )
    results = [m.content for m in state["messages"] if isinstance(m, ToolMessage)]
    assert results == [str(n) for n in range(1, 11)]
    assert state["messages"][-1].text == "Ten."
    service.expect_cost(answers=11)
    service.expect_told_once(state["messages"])


@by_make
@by_way
async def test_second_question_goes_on_in_the_conversation(
    serve: Serve, make: Make, way: str
) -> None:
    """With a checkpointer, a thread is one conversation, however many tools it has called."""
    service = serve(
        call("add", a=2, b=3), "The sum is 5.", call("weather", city="Rome"), "Sunny, too."
    )
    agent = make(service.model, [add, weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    await run(agent, "invoke", asked("What is 2 and 3?"), thread)
    state = await run(agent, way, asked("And the weather in Rome?"), thread)
    texts = [m.text for m in state["messages"] if isinstance(m, AIMessage)]
    assert texts == ["", "The sum is 5.", "", "Sunny, too."]
    assert sum(isinstance(m, HumanMessage) for m in state["messages"]) == 2
    service.expect_cost(answers=4)
    service.expect_told_once(state["messages"])


RED = picture("red")


@tool
def take_photo() -> list[dict[str, Any]]:
    """Take a photo."""
    image = {"type": "image", "base64": base64_of(RED), "mime_type": "image/png"}
    return [{"type": "text", "text": "Here it is."}, image]


@pytest.mark.parametrize("way", WAYS)
async def test_image_of_a_tool_is_uploaded_with_its_result(serve_native: Serve, way: str) -> None:
    """The model sees the very bytes, with the message that has the result, and once."""
    chat = serve_native(call("take_photo"), "It is red.", "Yes, red.", model=VISION)
    sandbox = chat.sandbox
    assert isinstance(sandbox, Sandbox)
    agent = create_agent(chat.model, [take_photo])
    state = await run(agent, way, asked("Take a photo. What is on it?"))
    (result,) = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert seen(sandbox) == [RED]
    assert read(sandbox) == (
        f'<tool_response id="{result.tool_call_id}" name="take_photo" status="success">\n'
        "Here it is.\n</tool_response>"
    )
    assert [len(names) for names in uploads(sandbox)] == [0, 1]
    asked_for_models = 2 if chat.kind == "huggingchat-legacy" else 1
    chat.expect_cost(2, asked_for_models)

    state = await run(agent, way, [*state["messages"], *asked("Really?")])
    assert state["messages"][-1].text == "Yes, red."
    assert [len(names) for names in uploads(sandbox)] == [0, 1, 0]
    assert len(sandbox.conversations) == 1
    chat.expect_cost(3, asked_for_models)


@pytest.mark.parametrize("way", WAYS)
async def test_image_of_a_tool_for_a_service_without_images_is_an_error(way: str) -> None:
    """It is not dropped in silence: nothing more is sent."""
    with service("flowgpt", call("take_photo")) as chat:
        agent = create_agent(chat.model, [take_photo])
        with pytest.raises(UnsupportedMediaError, match="text only"):
            await run(agent, way, asked("Take a photo."))
        chat.expect_cost(answers=1)


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
    """The model is not told of the tools again, as long as they are the same."""
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
