"""The least that is a chat model, whatever it reads from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict


class FloorModel(BaseChatModel):
    """A raw reader, a chunk for each of its pieces of text, and what langchain-core adds.

    Attributes:
        raw: Its `stream` and `astream` take the user's text and yield pieces of the answer.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    raw: Any

    @property
    def _llm_type(self) -> str:
        return "floor"

    def _generate(self, *_: object, **__: object) -> ChatResult:
        raise NotImplementedError

    def _stream(
        self, messages: list[BaseMessage], *_: object, **__: object
    ) -> Iterator[ChatGenerationChunk]:
        for text in self.raw.stream(messages[-1].content):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))

    async def _astream(
        self, messages: list[BaseMessage], *_: object, **__: object
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for text in self.raw.astream(messages[-1].content):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))
