from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIConnectionError
from langchain_g4f.testing import Sandbox
from tests.unit.chat_models.ways import MODEL, ask

PROMPT = "hi there"
TITLE = {
    "type": "g4f_progress",
    "provider": "huggingchat",
    "kind": "title",
    "message": "Title: hi there",
}


@pytest.mark.proves("promise:progress-callback")
async def test_progress_reaches_the_callback(sandbox: Sandbox, mode: str) -> None:
    """Start and title are told while the answer comes, and are no part of it."""
    told: list[Progress] = []
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, on_progress=told.append)
    answer = await ask(model, mode, PROMPT)
    assert [progress.kind for progress in told] == ["started", "title"]
    assert told[1].message == "Title: hi there"
    assert answer.text == f"Echo ({MODEL}, turn 1): hi there"


@pytest.mark.proves("promise:progress-callback")
async def test_callback_is_told_of_a_retry(mode: str) -> None:
    """A request that is repeated is no secret, nor is the reason."""
    told: list[Progress] = []
    with Sandbox() as sandbox:
        base_url = sandbox.base_url
    model = ChatHuggingChat(base_url=base_url, model=MODEL, max_retries=1, on_progress=told.append)
    with pytest.raises(APIConnectionError):
        await ask(model, mode, "hi")
    assert [(progress.kind, progress.data["attempt"]) for progress in told] == [("retry", 1)]


def parent_of(model: ChatHuggingChat) -> RunnableLambda[str, str]:
    """A run that calls the model and passes nothing on by hand."""

    def call(text: str) -> str:
        return model.invoke(text).text

    async def acall(text: str) -> str:
        return (await model.ainvoke(text)).text

    return RunnableLambda(call, acall)


@pytest.mark.proves("promise:progress-custom-event")
async def test_progress_inside_a_parent_run_is_a_custom_event(
    model: ChatHuggingChat, mode: str
) -> None:
    """Whoever watches the events of a chain sees the title of the answer inside it."""
    parent = parent_of(model)
    if mode == "invoke":
        parent = RunnableLambda(parent.func)
    events = [event async for event in parent.astream_events(PROMPT, version="v2")]
    custom: list[Any] = [event for event in events if event["event"] == "on_custom_event"]
    assert [event["name"] for event in custom] == ["g4f_progress"] * 2
    assert [event["data"]["kind"] for event in custom] == ["started", "title"]
    assert custom[1]["data"] == TITLE


def graph_of(model: ChatHuggingChat) -> Any:
    """A graph with the model in its one node, sync and async."""

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def anode(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", RunnableLambda(node, anode))
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return builder.compile()


@pytest.mark.proves("promise:progress-langgraph")
async def test_progress_inside_langgraph_reaches_the_custom_stream(
    model: ChatHuggingChat, mode: str
) -> None:
    """`stream_mode="custom"` shows each step once, while the node is still at work."""
    graph = graph_of(model)
    question = {"messages": [("user", PROMPT)]}
    if mode == "invoke":
        told = list(graph.stream(question, stream_mode="custom"))
    else:
        told = [each async for each in graph.astream(question, stream_mode="custom")]
    assert [each["kind"] for each in told] == ["started", "title"]
    assert told[1] == TITLE


async def test_custom_stream_may_be_kept_free_of_progress(
    model: ChatHuggingChat, mode: str
) -> None:
    """The callback is told all the same."""
    told: list[Any] = []
    quiet = model.model_copy(update={"progress_events": False, "on_progress": told.append})
    graph = graph_of(quiet)
    given = {"messages": [("user", PROMPT)]}
    if mode == "invoke":
        found = list(graph.stream(given, stream_mode="custom"))
    else:
        found = [each async for each in graph.astream(given, stream_mode="custom")]
    assert found == []
    assert [each.kind for each in told] == ["started", "title"]
