"""Callbacks, progress, and the model inside of LangChain's and LangGraph's runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_g4f import ChatHuggingChat
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
)
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, WAYS, ask

THINKING = "hi there [[think]]"


class Tokens(BaseCallbackHandler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.chunks: list[Any] = []
        self.tokens: list[str] = []
        self.results: list[LLMResult] = []
        self.errors: list[BaseException] = []

    def on_llm_new_token(
        self, token: str | list[str | dict[Any, Any]], *, chunk: Any = None, **kwargs: Any
    ) -> None:
        assert isinstance(token, str)
        self.tokens.append(token)
        self.chunks.append(chunk)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.results.append(response)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


async def by_ask(mode: str, model: ChatHuggingChat, config: Any) -> None:
    """Ask in one of the four ways."""
    await ask(model, mode, THINKING, config=config)


async def by_invoke_streaming(model: ChatHuggingChat, config: Any) -> None:
    """Ask a model that is told to stream underneath."""
    model.model_copy(update={"streaming": True}).invoke(THINKING, config)


async def by_stream_argument(model: ChatHuggingChat, config: Any) -> None:
    """Ask for streaming underneath with the call."""
    model.invoke(THINKING, config, stream=True)


async def by_astream_events_v2(model: ChatHuggingChat, config: Any) -> None:
    """Read the events of version 2."""
    async for _ in model.astream_events(THINKING, config, version="v2"):
        pass


async def by_stream_events_v3(model: ChatHuggingChat, config: Any) -> None:
    """Read the events of version 3."""
    list(model.stream_events(THINKING, version="v3", config=config))


async def by_astream_events_v3(model: ChatHuggingChat, config: Any) -> None:
    """Wait for the answer of the events of version 3."""
    stream = await model.astream_events(THINKING, version="v3", config=config)
    await stream.output
    await asyncio.sleep(0.01)  # the end is told by a task of core's, after the answer is out


@pytest.mark.proves("promise:callbacks-once")
@pytest.mark.parametrize(
    "call",
    [
        *(pytest.param(lambda m, c, mode=mode: by_ask(mode, m, c), id=mode) for mode in WAYS),
        by_invoke_streaming,
        by_stream_argument,
        by_astream_events_v2,
        by_stream_events_v3,
        by_astream_events_v3,
    ],
)
async def test_new_token_is_told_once_per_chunk(
    model: ChatHuggingChat, call: Callable[..., Any]
) -> None:
    """On every path the handlers hear of each chunk once, in order, and of the end once."""
    expected = [chunk.text for chunk in model.stream(THINKING)]
    heard = Tokens()
    await call(model, {"callbacks": [heard]})
    assert heard.tokens == expected
    assert [chunk.text for chunk in heard.chunks] == expected
    assert all(isinstance(chunk, GenerationChunk) or chunk.message for chunk in heard.chunks)
    assert len(heard.results) == 1
    assert not heard.errors


async def test_events_of_version_3_show_reasoning_and_text_as_blocks(
    model: ChatHuggingChat,
) -> None:
    """The block-wise stream has a reasoning block, then a text block, sync and async."""

    def kind(event: Any) -> Any:
        return event["content"]["type"] if event["event"] == "content-block-start" else None

    stream = [kind(event) for event in model.stream_events(THINKING, version="v3")]
    assert list(filter(None, stream)) == ["reasoning", "text"]
    astream = await model.astream_events(THINKING, version="v3")
    assert [kind(event) async for event in astream] == stream


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


async def streamed(graph: Any, mode: str, question: str, stream_mode: str) -> list[Any]:
    """What the graph yields."""
    given = {"messages": [("user", question)]}
    if mode == "invoke":
        return list(graph.stream(given, stream_mode=stream_mode))
    return [each async for each in graph.astream(given, stream_mode=stream_mode)]


@pytest.mark.proves("promise:progress-langgraph")
async def test_progress_inside_langgraph_reaches_the_custom_stream(
    model: ChatHuggingChat, mode: str
) -> None:
    """`stream_mode="custom"` shows each step once, while the node is still at work."""
    told = await streamed(graph_of(model), mode, PROMPT, "custom")
    assert [each["kind"] for each in told] == ["started", "title"]
    assert told[1] == TITLE


async def test_custom_stream_may_be_kept_free_of_progress(
    model: ChatHuggingChat, mode: str
) -> None:
    """The callback is told all the same."""
    told: list[Any] = []
    quiet = model.model_copy(update={"progress_events": False, "on_progress": told.append})
    assert await streamed(graph_of(quiet), mode, PROMPT, "custom") == []
    assert [each.kind for each in told] == ["started", "title"]


TOKENS = ["The ", "sky ", "is ", "blue."]


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """Make a model on that server."""
    return ChatHuggingChat(**{"base_url": sandbox.base_url, "model": MODEL, **settings})


@pytest.mark.parametrize(
    "graph", [graph_of, partial(create_agent, tools=[])], ids=["node", "agent"]
)
async def test_graph_streams_the_tokens_of_a_node_that_invokes(mode: str, graph: Any) -> None:
    """`stream_mode="messages"` shows each token of a whole answer, in a node and in an agent."""
    with Sandbox(reply=Reply(tokens=TOKENS, pace_s=0.01)) as sandbox:
        found = graph(model_on(sandbox))
        told = await streamed(found, mode, "Why is the sky blue?", "messages")
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
