"""Programs with a LangGraph checkpointer; run as a process, each of them takes one turn.

python -m tests.contract.sandbox.huggingchat.graphs BASE_URL FOLDER TEXT
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_g4f import ChatHuggingChat
from tests.unit.chat_models.ways import MODEL

KINDS = ("graph", "async-agent")
COOKIES = {"hf-chat": "55555555-5555-4555-8555-555555555555"}


def chat_model(base_url: str) -> ChatHuggingChat:
    """The model of all of them, the same caller in every process."""
    return ChatHuggingChat(base_url=base_url, model=MODEL, cookies=COOKIES)


def build(kind: str, base_url: str, saver: Any) -> Any:
    """A graph with a single node, or an agent without tools."""
    model = chat_model(base_url)
    if kind.endswith("agent"):
        return create_agent(model, tools=[], checkpointer=saver)

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def answer_soon(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer_soon if kind.startswith("async") else answer)
    graph.add_edge(START, "answer")
    return graph.compile(checkpointer=saver)


def database(folder: Path, kind: str) -> str:
    """Where a kind keeps its checkpoints."""
    return str(folder / f"{kind}.sqlite")


def thread(kind: str) -> RunnableConfig:
    """The one conversation of a kind."""
    return {"configurable": {"thread_id": kind}}


def question(kind: str, text: str) -> dict[str, Any]:
    """The input of a turn."""
    return {"messages": [HumanMessage(f"{text} of {kind}")]}


@contextmanager
def opened(kind: str, base_url: str, folder: Path) -> Iterator[Any]:
    """The program of a sync kind, its checkpoints open."""
    with SqliteSaver.from_conn_string(database(folder, kind)) as saver:
        yield build(kind, base_url, saver)


@asynccontextmanager
async def aopened(kind: str, base_url: str, folder: Path) -> AsyncIterator[Any]:
    """The program of an async kind."""
    async with AsyncSqliteSaver.from_conn_string(database(folder, kind)) as saver:
        yield build(kind, base_url, saver)


async def turn(kind: str, base_url: str, folder: Path, text: str) -> None:
    """One turn of one kind, from wherever its thread is."""
    if kind.startswith("async"):
        async with aopened(kind, base_url, folder) as graph:
            await graph.ainvoke(question(kind, text), thread(kind))
    else:
        with opened(kind, base_url, folder) as graph:
            graph.invoke(question(kind, text), thread(kind))


def main(base_url: str, folder: str, text: str) -> None:
    """One turn of every kind."""
    for kind in KINDS:
        asyncio.run(turn(kind, base_url, Path(folder), text))


if __name__ == "__main__":
    main(*sys.argv[1:])
