"""Structured answers of agents, by each of the ways they can be asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel, Field

from tests.contract.sandbox.tools.agents import MOVED, WAYS, asked, run, weather
from tests.contract.sandbox.tools.service import Serve, Service, call

FENCED = 'Here you are:\n```json\n{"city": "Rome", "degrees": 21}\n```\n'
RAIN = {"city": "Rome", "degrees": 21}


class Report(BaseModel):
    """The weather somewhere."""

    city: str
    degrees: int = Field(le=60)


REPORT = Report(city="Rome", degrees=21)
JSON_SCHEMA = {
    "title": "Report",
    "description": "The weather somewhere.",
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
}

by_way = pytest.mark.parametrize("way", WAYS)


def expect_one_conversation(service: Service) -> None:
    """Whatever is kept is kept in one place."""
    assert len(getattr(service.sandbox, "conversations", "1")) == 1


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Report, REPORT),
        (ToolStrategy(Report), REPORT),
        (JSON_SCHEMA, RAIN),
    ],
    ids=["raw", "ToolStrategy", "JSON Schema"],
)
@by_way
async def test_structured_answer_comes_by_a_tool_call(
    serve: Serve, way: str, wanted: Any, expected: Any
) -> None:
    """A raw schema is a tool, too: the services promise no format of their own."""
    service = serve(call("weather", city="Rome"), call("Report", **RAIN))
    agent = create_agent(service.model, [weather], response_format=wanted)
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == expected
    service.expect_cost(answers=2)
    expect_one_conversation(service)
    assert '"name": "Report"' in service.system()
    # the answer must be a call, which is said with the newest message of each call
    for answer in range(2):
        asked_for = r'answer with a <tool_call id="\w+"> element\.\Z'
        assert re.search(asked_for, service.told(answer)[-1])


@by_way
async def test_structured_answer_that_does_not_fit_is_asked_for_again(
    serve: Serve, way: str
) -> None:
    """What is wrong with it is told the model as the result of its call."""
    service = serve(call("Report", city="Rome", degrees=100), call("Report", **RAIN))
    agent = create_agent(service.model, [], response_format=ToolStrategy(Report))
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == REPORT
    assert "less than or equal to 60" in service.told(1)[-1]
    service.expect_cost(answers=2)
    expect_one_conversation(service)


@by_way
async def test_call_that_was_asked_for_again_is_no_end_of_the_conversation(
    serve: Serve, way: str
) -> None:
    """The service knows of the second try, LangChain does not, and yet they go on together."""
    service = serve("It is warm.", call("weather", city="Rome"), call("Report", **RAIN))
    model = service.model.model_copy(update={"tool_retries": 1})
    agent = create_agent(model, [weather], response_format=ToolStrategy(Report))
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == REPORT
    service.expect_cost(answers=3)
    expect_one_conversation(service)


@pytest.mark.parametrize(
    ("wanted", "expected"), [(Report, REPORT), (JSON_SCHEMA, RAIN)], ids=["class", "schema"]
)
@by_way
async def test_provider_strategy_gets_bare_json(
    serve: Serve, way: str, wanted: Any, expected: Any
) -> None:
    """A fence and words around it are left out; the schema is told with the message."""
    service = serve(FENCED)
    agent = create_agent(service.model, [], response_format=ProviderStrategy(wanted))
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == expected
    assert state["messages"][-1].text == '{"city": "Rome", "degrees": 21}'
    assert '"degrees"' in service.told()[-1]
    service.expect_cost(answers=1)


@by_way
async def test_provider_strategy_goes_with_tools(serve: Serve, way: str) -> None:
    """A call is no JSON answer, and the JSON comes when the model is done."""
    service = serve(f"Let me see. {call('weather', city='Rome')}", FENCED)
    agent = create_agent(service.model, [weather], response_format=ProviderStrategy(Report))
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == REPORT
    service.expect_cost(answers=2)
    expect_one_conversation(service)


@pytest.mark.filterwarnings(MOVED)
@by_way
async def test_react_agent_asks_for_the_format_in_the_end(serve: Serve, way: str) -> None:
    """The last message is then an answer; the conversation goes on from there all the same."""
    service = serve(call("weather", city="Rome"), "It is sunny.", call("Report", **RAIN))
    agent = create_react_agent(service.model, [weather], response_format=Report)
    state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == REPORT
    assert state["messages"][-1].text == "It is sunny."
    service.expect_cost(answers=3)
    expect_one_conversation(service)
