"""What happens on the way, for those who watch."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_g4f import ChatG4F
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.providers_old import AbstractProvider
from tests.unit.chat_models.test_progress import graph_of

SCRIPT = (
    old.Reasoning(status="reading", label="L"),
    old.RequestLogin("Some", "https://login.example"),
    old.ImagePreview("https://a.example/half.png", "half"),
    "a",
    old.TitleGeneration("A title"),
)
TOLD: list[dict[str, Any]] = [
    {"kind": "status", "message": "reading", "label": "L"},
    {
        "kind": "login_required",
        "message": "Some wants a login",
        "login_url": "https://login.example",
        "label": "Some",
    },
    {
        "kind": "preview",
        "message": "",
        "urls": "https://a.example/half.png",
        "alt": "half",
        "options": {},
    },
    {"kind": "title", "message": "A title"},
]
PAYLOADS = [{"type": "g4f_progress", "provider": "g4f"} | each for each in TOLD]
BASES = [AsyncGeneratorProvider, AbstractProvider]


@pytest.mark.proves("g4f:9:events", "g4f:8:login")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("base", BASES)
async def test_progress_inside_a_parent_run_is_a_custom_event(base: Any, kind: str) -> None:
    """For whoever watches the events of a chain."""
    model = ChatG4F(provider=scripted(base, *SCRIPT))

    def call(text: str) -> str:
        return model.invoke(text).text

    async def acall(text: str) -> str:
        return (await model.ainvoke(text)).text

    parent = RunnableLambda(call, acall) if kind == "async" else RunnableLambda(call)
    events: list[Any] = [event async for event in parent.astream_events("hi", version="v2")]
    found = [event for event in events if event["event"] == "on_custom_event"]
    assert {event["name"] for event in found} == {"g4f_progress"}
    assert [event["data"] for event in found] == PAYLOADS


@pytest.mark.proves("g4f:9:events")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("base", BASES)
async def test_progress_inside_langgraph_reaches_the_custom_stream(base: Any, kind: str) -> None:
    """While the node is at work."""
    graph = graph_of(ChatG4F(provider=scripted(base, *SCRIPT)))  # type: ignore[arg-type]
    question = {"messages": [("user", "hi")]}
    if kind == "sync":
        told = list(graph.stream(question, stream_mode="custom"))
    else:
        told = [each async for each in graph.astream(question, stream_mode="custom")]
    assert told == PAYLOADS
