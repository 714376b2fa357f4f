"""Agents of LangChain and LangGraph call tools, and a service hears everything once."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

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
from tests.contract.sandbox.tools.service import Serve, call, response

pytestmark = pytest.mark.filterwarnings(MOVED)

by_make = pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
by_way = pytest.mark.parametrize("way", WAYS)
by_two_ways = pytest.mark.parametrize("way", ["invoke", "astream"])


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
@by_two_ways
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
@by_two_ways
async def test_tool_that_raises_ends_the_agent_with_its_error(
    serve: Serve, make: Make, way: str
) -> None:
    """An error that nobody handles is the caller's; the model is not asked again."""
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
@by_two_ways
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
@by_two_ways
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
    await run(agent, "ainvoke", asked("What is 2 and 3?"), thread)
    state = await run(agent, way, asked("And the weather in Rome?"), thread)
    texts = [m.text for m in state["messages"] if isinstance(m, AIMessage)]
    assert texts == ["", "The sum is 5.", "", "Sunny, too."]
    assert sum(isinstance(m, HumanMessage) for m in state["messages"]) == 2
    service.expect_cost(answers=4)
    service.expect_told_once(state["messages"])
