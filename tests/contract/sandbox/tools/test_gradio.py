"""Agents on Gradio apps: in a session with a memory, and where the history is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_g4f import ChatGradioSpace, ChatMicrosoftPhi4
from langchain_g4f.testing.gradio_space.apps.model import PartialAnswer, Question
from tests import gradio_standin
from tests.contract.sandbox.tools.agents import MAKES, MOVED, WAYS, Make, add, asked, run
from tests.contract.sandbox.tools.service import call, response
from tests.gradio_standin import GradioStandin
from tests.unit.chat_models.tools import as_told
from tests.unit.chat_models.ways import ask

pytestmark = pytest.mark.filterwarnings(MOVED)

by_way = pytest.mark.parametrize("way", WAYS)


class Report(BaseModel):
    """The weather somewhere."""

    city: str
    degrees: int


class Model:
    """Says its lines, with the id that it is told in its calls, and keeps what it was asked."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked: list[Question] = []

    def __call__(self, question: Question, *_: object, **__: object) -> Iterator[PartialAnswer]:
        """The growing answer."""
        self.asked.append(question)
        told = "\n".join([str(question.system), *question.prompts])
        line = as_told(told, self.lines.pop(0))
        for end in (len(line) // 2, len(line)):
            yield PartialAnswer(line[:end])


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model behind the apps."""
    model = Model()
    monkeypatch.setattr(gradio_standin, "answer", model)
    return model


def paths(server: GradioStandin) -> list[str]:
    """The requests, by their last words."""
    return [request.path.removeprefix("/gradio_api/") for request in server.requests]


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
@by_way
async def test_agent_on_phi4_goes_on_in_its_session(scripted: Model, make: Make, way: str) -> None:
    """The app has a memory: it is sent the question, then the result alone."""
    scripted.lines = [f"Let me see. {call('add', a=2, b=3)}", "The sum is 5."]
    with GradioStandin("phi4") as server:
        agent = make(ChatMicrosoftPhi4(base_url=server.base_url), [add])
        state = await run(agent, way, asked("What is 2 and 3?"))
    assert state["messages"][-1].text == "The sum is 5."
    (result,) = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    first, second = scripted.asked
    assert "# Tools" in first.text
    assert first.text.endswith("What is 2 and 3?")
    assert second.text == response(result)
    assert second.prompts == [first.text, second.text]
    steps = ["run/predict", "queue/join", "queue/data"]
    assert paths(server) == ["/config", *steps, "app_id", *steps]


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
@by_way
async def test_agent_on_an_app_sends_history_or_goes_on(
    scripted: Model, make: Make, way: str
) -> None:
    """Tools go where the app has a system prompt, and are told with no message then."""
    scripted.lines = [call("add", a=2, b=3), "The sum is 5."]
    with GradioStandin("chat_interface") as server:
        agent = make(ChatGradioSpace(base_url=server.base_url), [add])
        state = await run(agent, way, asked("What is 2 and 3?"))
    assert state["messages"][-1].text == "The sum is 5."
    (result,) = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    first, second = scripted.asked
    assert (first.text, second.text) == ("What is 2 and 3?", response(result))
    for question in (first, second):
        assert '"name": "add"' in str(question.system)
    steps = ["queue/join", "queue/data"]
    assert paths(server) == ["/config", *steps, "app_id", *steps]


@by_way
async def test_ten_steps_on_phi4_are_one_session(scripted: Model, way: str) -> None:
    """The app hears eleven messages, each of them once."""
    scripted.lines = [*(call("add", a=n, b=1) for n in range(10)), "Ten."]
    with GradioStandin("phi4") as server:
        agent = create_agent(ChatMicrosoftPhi4(base_url=server.base_url), [add])
        state = await run(agent, way, asked("Count to ten."), {"recursion_limit": 50})
    assert state["messages"][-1].text == "Ten."
    assert len(server.requests) == 4 * 11
    prompts = scripted.asked[-1].prompts
    assert len(prompts) == len(set(prompts)) == 11
    assert sum("# Tools" in prompt for prompt in prompts) == 1


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (Report, call("Report", city="Rome", degrees=21)),
        (ToolStrategy(Report), call("Report", city="Rome", degrees=21)),
        (ProviderStrategy(Report), '```json\n{"city": "Rome", "degrees": 21}\n```'),
    ],
    ids=["raw", "ToolStrategy", "ProviderStrategy"],
)
@by_way
async def test_structured_answer_of_phi4(scripted: Model, way: str, wanted: Any, line: str) -> None:
    """Four requests, whichever way it is asked for."""
    scripted.lines = [line]
    with GradioStandin("phi4") as server:
        model = ChatMicrosoftPhi4(base_url=server.base_url)
        agent = create_agent(model, [], response_format=wanted)
        state = await run(agent, way, asked("How is it in Rome?"))
    assert state["structured_response"] == Report(city="Rome", degrees=21)
    assert len(server.requests) == 4


@by_way
async def test_other_tools_are_told_in_the_session(scripted: Model, way: str) -> None:
    """An app without a place for a system prompt hears of them with the message."""
    scripted.lines = ["Hello.", "Hello again.", "Bye."]
    with GradioStandin("phi4") as server:
        model = ChatMicrosoftPhi4(base_url=server.base_url)
        history: list[Any] = []
        for text, tools in (("one", []), ("two", [add]), ("three", [add])):
            history.append(HumanMessage(text))
            history.append(await ask(model.bind_tools(tools), way, history))
    assert scripted.asked[0].text == "one"
    assert scripted.asked[1].text.startswith("# Tools")
    assert scripted.asked[1].text.endswith("\n\ntwo")
    assert scripted.asked[2].text == "three"
    assert len(scripted.asked[2].prompts) == 3
