"""A graph that waits for a person, and continues in another process.

    python examples/graph_with_interrupt.py mail.sqlite "Tell Ada that I come at nine."
    python examples/graph_with_interrupt.py mail.sqlite "Shorter, please."
    python examples/graph_with_interrupt.py mail.sqlite yes

The model writes a draft; a person says yes, or what to change. The file is the only thing that the
processes share. The answers in it identify the conversation on the service, so the next process
continues that conversation and sends only the new message.

Server and account: HUGGINGCHAT_BASE_URL and HUGGINGCHAT_COOKIES. Without cookies, each process has
its own anonymous session and sends the whole history. Needs langgraph and
langgraph-checkpoint-sqlite.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_g4f import ChatHuggingChat

THREAD: RunnableConfig = {"configurable": {"thread_id": "mail"}}


def draft(state: MessagesState) -> dict[str, Any]:
    return {"messages": [ChatHuggingChat().invoke(state["messages"])]}


def review(state: MessagesState) -> Command[Literal["draft", "send"]]:
    said = interrupt(state["messages"][-1].text)
    if said == "yes":
        return Command(goto="send")
    return Command(goto="draft", update={"messages": [HumanMessage(said)]})


def send(state: MessagesState) -> None:
    print("Sent:", state["messages"][-1].text)


def main(file: str, said: str) -> None:
    builder = StateGraph(MessagesState)
    for node in (draft, review, send):
        builder.add_node(node)
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "review")
    with SqliteSaver.from_conn_string(file) as saver:
        graph = builder.compile(checkpointer=saver)
        waits = graph.get_state(THREAD).next
        start: MessagesState = {"messages": [HumanMessage(said)]}
        result = graph.invoke(Command(resume=said) if waits else start, THREAD)
    for question in result.get("__interrupt__", ()):
        print("Draft:", question.value)
        print("Send it? Say yes, or what to change.")


if __name__ == "__main__":
    main(*sys.argv[1:])
