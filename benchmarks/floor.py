"""A minimal chat model on LangChain: the floor that all chat models share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict


class FloorModel(BaseChatModel):
    """Yields one chunk for each piece of text of a raw client; langchain-core adds the rest.

    Attributes:
        raw: Client whose `stream` and `astream` take the user's text and yield pieces of text.
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
