"""Events -> chunks for the caller, and progress beside them; blocking and awaited.

An answer that had to bring a tool call and did not may be asked for again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, Self

from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.chat_models.progress import login_required
from langchain_g4f.core.chat_request import Message
from langchain_g4f.core.events import Progress
from langchain_g4f.core.redact import forget_locals
from langchain_g4f.errors import AuthenticationError, G4FError
from langchain_g4f.text.escape import escape
from langchain_g4f.tools.prompt import NO_CALL

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

    from langchain_g4f.chat_models.chunks import ChunkMapper
    from langchain_g4f.chat_models.progress import Listeners
    from langchain_g4f.core.chat_request import AnswerState, ChatRequest
    from langchain_g4f.core.events import Event


class EventSource(Protocol):
    """Events that are awaited; closing it ends the call."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Event: ...

    async def aclose(self) -> None:
        """End the call."""


def stream(
    make_events: Callable[[ChatRequest], Generator[Event]],
    chat_request: ChatRequest,
    mapper: ChunkMapper,
    listeners: Listeners,
    run_manager: CallbackManagerForLLMRun | None,
) -> Generator[ChatGenerationChunk]:
    """The chunks of an answer.

    Args:
        make_events: Makes the events of one request.
        chat_request: The request.
        mapper: Maps the events.
        listeners: Those who are told of progress.
        run_manager: LangChain's callbacks.
    """
    while True:
        try:
            with closing(make_events(chat_request)) as events:
                while not mapper.ended:
                    if mapper.stopped:
                        events.close()
                    for output in mapper.step(next(events, None)):
                        if isinstance(output, Progress):
                            listeners.report(output)
                            continue
                        if run_manager:
                            run_manager.on_llm_new_token(output.text, chunk=output)
                        yield output
        except G4FError as error:
            forget_locals(error)
            if isinstance(error, AuthenticationError):
                listeners.report(login_required(error))
            raise
        if not mapper.tool_call_missing:
            return
        chat_request = asked_again(chat_request, mapper)


async def astream(
    make_events: Callable[[ChatRequest], EventSource],
    chat_request: ChatRequest,
    mapper: ChunkMapper,
    listeners: Listeners,
    run_manager: AsyncCallbackManagerForLLMRun | None,
) -> AsyncGenerator[ChatGenerationChunk]:
    """Like `stream`, on the running event loop."""
    while True:
        try:
            async with aclosing(make_events(chat_request)) as events:
                while not mapper.ended:
                    if mapper.stopped:
                        await events.aclose()
                    event = None if mapper.stopped else await anext(events, None)
                    for output in mapper.step(event):
                        if isinstance(output, Progress):
                            await listeners.areport(output)
                            continue
                        if run_manager:
                            await run_manager.on_llm_new_token(output.text, chunk=output)
                        yield output
        except G4FError as error:
            forget_locals(error)
            if isinstance(error, AuthenticationError):
                await listeners.areport(login_required(error))
            raise
        if not mapper.tool_call_missing:
            return
        chat_request = asked_again(chat_request, mapper)


def asked_again(chat_request: ChatRequest, mapper: ChunkMapper) -> ChatRequest:
    """The request after an answer that lacks its tool call."""
    state: AnswerState = "part" if mapper.stopped else "whole"
    text = escape(mapper.text, mapper.nonce)
    answer = Message("assistant", text, handle=mapper.handle, state=state, in_history=False)
    question = Message("user", NO_CALL, note=chat_request.messages[-1].note, in_history=False)
    mapper.retry()
    return replace(chat_request, messages=(*chat_request.messages, answer, question))


__all__ = ["EventSource", "asked_again", "astream", "stream"]
