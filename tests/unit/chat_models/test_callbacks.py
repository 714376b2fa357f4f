from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import GenerationChunk, LLMResult

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, WAYS, ask

PROMPT = "hi there [[think]]"


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


class Failing(BaseCallbackHandler):
    """Fails at the second token, as a handler whose errors count."""

    raise_error = True

    def __init__(self) -> None:
        self.tokens = 0

    def on_llm_new_token(self, token: str | list[str | dict[Any, Any]], **kwargs: Any) -> None:
        self.tokens += 1
        if self.tokens == 2:
            raise LookupError("no room for another token")


async def by_ask(mode: str, model: ChatHuggingChat, config: Any) -> None:
    """Ask in one of the four ways."""
    await ask(model, mode, PROMPT, config=config)


async def by_invoke_streaming(model: ChatHuggingChat, config: Any) -> None:
    """Ask a model that is told to stream underneath."""
    model.model_copy(update={"streaming": True}).invoke(PROMPT, config)


async def by_stream_argument(model: ChatHuggingChat, config: Any) -> None:
    """Ask for streaming underneath with the call."""
    model.invoke(PROMPT, config, stream=True)


async def by_astream_events_v2(model: ChatHuggingChat, config: Any) -> None:
    """Read the events of version 2."""
    async for _ in model.astream_events(PROMPT, config, version="v2"):
        pass


async def by_stream_events_v3(model: ChatHuggingChat, config: Any) -> None:
    """Read the events of version 3."""
    list(model.stream_events(PROMPT, version="v3", config=config))


async def by_astream_events_v3(model: ChatHuggingChat, config: Any) -> None:
    """Wait for the answer of the events of version 3."""
    stream = await model.astream_events(PROMPT, version="v3", config=config)
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
    expected = [chunk.text for chunk in model.stream(PROMPT)]
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

    stream = [kind(event) for event in model.stream_events(PROMPT, version="v3")]
    assert list(filter(None, stream)) == ["reasoning", "text"]
    astream = await model.astream_events(PROMPT, version="v3")
    assert [kind(event) async for event in astream] == stream


@pytest.mark.proves("fault:52:HC")
async def test_handler_that_raises_ends_the_stream_on_the_server(mode: str) -> None:
    """The caller gets the handler's error, and the server sees the close within a second."""
    endless = Reply(tokens=itertools.repeat("w "), pace_s=0.002)
    with Sandbox(reply=endless) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        with pytest.raises(LookupError, match="no room"):
            await ask(model, mode, "hi", config={"callbacks": [Failing()]})
        # in a thread: an async stream is closed by the event loop
        await asyncio.to_thread(sandbox.wait_until, lambda: not sandbox.busy, timeout_s=1)
        answer, stop = sandbox.requests[-2:]
        assert answer.closed_early
        assert stop.path.endswith("/stop-generating")
    assert [request.path for request in sandbox.requests].count(stop.path) == 1


async def test_handler_hears_of_the_error_with_our_class(model: ChatHuggingChat, mode: str) -> None:
    """A failed answer reaches handlers as the error the caller gets."""
    heard = Tokens()
    with pytest.raises(Exception, match="backend says 500") as caught:
        await ask(model, mode, "[[error:500]]", config={"callbacks": [heard]})
    assert heard.errors == [caught.value]
