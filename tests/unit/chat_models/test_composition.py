from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import (
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
    ServerError,
)
from langchain_g4f.testing import Prompt, Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, OTHER_MODEL, WAYS, ask

TOKENS = ["The ", "sky ", "is ", "blue."]


@pytest.fixture
def paced() -> Any:
    """A server that takes its time between tokens."""
    with Sandbox(reply=Reply(tokens=TOKENS, pace_s=0.01)) as sandbox:
        yield sandbox


def model_on(sandbox: Sandbox, **settings: Any) -> ChatHuggingChat:
    """Make a model on that server."""
    return ChatHuggingChat(**{"base_url": sandbox.base_url, "model": MODEL, **settings})


async def streamed(runnable: Any, way: str, question: Any, **kwargs: Any) -> list[Any]:
    """What `stream` or `astream` yields."""
    if way == "stream":
        return list(runnable.stream(question, **kwargs))
    return [each async for each in runnable.astream(question, **kwargs)]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_chain_streams_token_by_token(paced: Sandbox, way: str) -> None:
    """Prompt, model and parser in a row pass each token on as it comes."""
    prompt = ChatPromptTemplate([("system", "Be {manner}."), ("user", "{question}")])
    chain = prompt | model_on(paced) | StrOutputParser()
    question = {"manner": "brief", "question": "Why is the sky blue?"}
    assert [text for text in await streamed(chain, way, question) if text] == TOKENS
    assert paced.prompts[-1][0] == {"role": "system", "content": "Be brief.\n\nBe brief."}


async def test_chain_that_is_left_early_stops_the_server() -> None:
    """A chain over an answer without an end gives its beginning, and can be left."""
    # Async only: langchain-core reads the rest of a sync chain's input, for its trace.
    with Sandbox(reply=Reply(tokens=itertools.repeat("w "), pace_s=0.002)) as sandbox:
        chain = model_on(sandbox) | StrOutputParser()
        stream = chain.astream("go")
        assert [await anext(stream) for _ in range(3)] == ["w "] * 3
        await stream.aclose()  # type: ignore[attr-defined]  # a generator in fact
        await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
        assert sandbox.requests[-1].path.endswith("/stop-generating")


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
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_graph_streams_the_tokens_of_a_node_that_invokes(
    paced: Sandbox, way: str, how: str
) -> None:
    """`stream_mode="messages"` shows each token of a whole answer, in a node and in an agent."""
    model = model_on(paced)
    graph = node_graph(model, asynchronous=way == "astream")
    if how == "agent":
        graph = create_agent(model, tools=[])
    question = {"messages": [("user", "Why is the sky blue?")]}
    told = await streamed(graph, way, question, stream_mode="messages")
    chunks = [message for message, _ in told]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert [chunk.text for chunk in chunks] == [*TOKENS, ""]
    assert {metadata["ls_model_name"] for _, metadata in told} == {MODEL}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_agent_without_tools_answers_with_its_prompt(sandbox: Sandbox, way: str) -> None:
    """`create_agent` needs nothing more than the model for a conversation."""
    agent: Any = create_agent(model_on(sandbox), tools=[], system_prompt="Be brief.")
    question = {"messages": [("user", "hi")]}
    state = agent.invoke(question) if way == "invoke" else await agent.ainvoke(question)
    assert isinstance(state["messages"][-1], AIMessage)
    assert state["messages"][-1].text == f"Echo ({MODEL}, turn 1): hi"
    assert sandbox.requests[0].json["preprompt"] == "Be brief."


@pytest.mark.proves("promise:errors-are-langchain-errors")
@pytest.mark.parametrize("way", WAYS)
async def test_fallback_answers_where_the_first_model_fails(way: str) -> None:
    """`with_fallbacks` takes over on the error it is told, and on no other."""
    with Sandbox(login_required=True) as closed, Sandbox() as open_:
        first, second = model_on(closed), model_on(open_, model=OTHER_MODEL)
        chain = first.with_fallbacks([second], exceptions_to_handle=(AuthenticationError,))
        assert (await ask(chain, way, "hi")).text == f"Echo ({OTHER_MODEL}, turn 1): hi"
        strict = first.with_fallbacks([second], exceptions_to_handle=(RateLimitError,))
        with pytest.raises(AuthenticationError):
            await ask(strict, way, "hi")


class Flaky:
    """A server's model that fails twice before it answers."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, prompt: Prompt) -> Reply:
        self.asked += 1
        if self.asked < 3:
            return Reply(error=(503, "503 come back later"))
        return Reply(text="at last")


@pytest.mark.proves("promise:errors-are-langchain-errors")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_retry_of_langchain_repeats_what_it_is_told_to(way: str) -> None:
    """`with_retry` asks again on a class of error of ours, and gives up on another."""
    script = Flaky()
    with Sandbox(script) as sandbox:
        model = model_on(sandbox)
        patient = model.with_retry(
            retry_if_exception_type=(ServerError,), wait_exponential_jitter=False
        )
        assert (await ask(patient, way, "hi")).text == "at last"
        assert script.asked == 3
        impatient = model.with_retry(retry_if_exception_type=(RateLimitError,))
        script.asked = 0
        with pytest.raises(ServerError) as caught:
            await ask(impatient, way, "hi")
        assert (script.asked, caught.value.is_retryable) == (1, True)


@pytest.mark.parametrize("way", WAYS)
async def test_settings_can_be_made_configurable(way: str) -> None:
    """`configurable_fields` makes a setting one of the call, and keeps the others."""
    with Sandbox(login_required=True) as sandbox:
        model = model_on(sandbox, cookies=sandbox.login()).configurable_fields(
            model=ConfigurableField(id="model")
        )
        answer = await ask(model, way, "hi", config={"configurable": {"model": OTHER_MODEL}})
        assert answer.response_metadata["model_name"] == OTHER_MODEL
        assert (await ask(model, way, "hi")).response_metadata["model_name"] == MODEL


async def test_rate_limiter_of_langchain_is_obeyed(sandbox: Sandbox) -> None:
    """A limiter set on the model spaces the calls."""
    limiter = InMemoryRateLimiter(
        requests_per_second=20, check_every_n_seconds=0.005, max_bucket_size=1
    )
    model = model_on(sandbox, rate_limiter=limiter)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for way in WAYS:
        await ask(model, way, "hi")
    assert loop.time() - start > 0.12


def test_disable_streaming_of_langchain_is_obeyed(sandbox: Sandbox) -> None:
    """With `disable_streaming`, `stream` yields the whole answer at once."""
    model = model_on(sandbox, disable_streaming=True)
    (chunk,) = [chunk for chunk in model.stream("hi") if chunk.text]
    assert chunk.text == f"Echo ({MODEL}, turn 1): hi"


def test_batch_gives_errors_in_their_place(sandbox: Sandbox) -> None:
    """`return_exceptions=True` keeps the answers of the other prompts."""
    answers: list[Any] = model_on(sandbox).batch(
        ["hi", "[[error:429]]", ""], return_exceptions=True
    )
    assert answers[0].text
    assert isinstance(answers[1], RateLimitError)
    assert isinstance(answers[2], ConfigurationError)
