from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
)
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, ask

TOKENS = ["The ", "sky ", "is ", "blue."]


@pytest.fixture
def paced() -> Any:
    """A server that takes its time between tokens."""
    with Sandbox(reply=Reply(tokens=TOKENS, pace_s=0.01)) as sandbox:
        yield sandbox


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """Make a model on that server."""
    return ChatHuggingChat(**{"base_url": sandbox.base_url, "model": MODEL, **settings})


async def streamed(runnable: Any, mode: str, question: Any, **kwargs: Any) -> list[Any]:
    """What `stream` or `astream` yields."""
    if mode == "stream":
        return list(runnable.stream(question, **kwargs))
    return [each async for each in runnable.astream(question, **kwargs)]


def node_graph(model: ChatHuggingChat, *, asynchronous: bool) -> Any:
    """A graph whose node asks the model for a whole answer."""

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def anode(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", anode if asynchronous else node)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return builder.compile()


@pytest.mark.parametrize("how", ["node", "agent"])
@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_graph_streams_the_tokens_of_a_node_that_invokes(
    paced: Sandbox, mode: str, how: str
) -> None:
    """`stream_mode="messages"` shows each token of a whole answer, in a node and in an agent."""
    model = model_on(paced)
    graph = node_graph(model, asynchronous=mode == "astream")
    if how == "agent":
        graph = create_agent(model, tools=[])
    question = {"messages": [("user", "Why is the sky blue?")]}
    told = await streamed(graph, mode, question, stream_mode="messages")
    chunks = [message for message, _ in told]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert [chunk.text for chunk in chunks] == [*TOKENS, ""]
    assert {metadata["ls_model_name"] for _, metadata in told} == {MODEL}


@pytest.mark.proves("promise:errors-are-langchain-errors")
async def test_fallback_answers_where_the_first_model_fails(mode: str) -> None:
    """`with_fallbacks` takes over on the error it is told, and on no other."""
    with Sandbox(login_required=True) as closed, Sandbox() as open_:
        first, second = model_on(closed), model_on(open_, model=OTHER_MODEL)
        chain = first.with_fallbacks([second], exceptions_to_handle=(AuthenticationError,))
        assert (await ask(chain, mode, "hi")).text == f"Echo ({OTHER_MODEL}, turn 1): hi"
        strict = first.with_fallbacks([second], exceptions_to_handle=(RateLimitError,))
        with pytest.raises(AuthenticationError):
            await ask(strict, mode, "hi")


def test_batch_gives_errors_in_their_place(sandbox: Sandbox) -> None:
    """`return_exceptions=True` keeps the answers of the other prompts."""
    answers: list[Any] = model_on(sandbox).batch(
        ["hi", "[[error:429]]", ""], return_exceptions=True
    )
    assert answers[0].text
    assert isinstance(answers[1], RateLimitError)
    assert isinstance(answers[2], ConfigurationError)
