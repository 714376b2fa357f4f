"""Event -> AIMessageChunk, for streaming and for folding alike.

``content`` stays a string; reasoning goes to ``additional_kwargs["reasoning_content"]``,
which langchain-core turns into a reasoning block. String metadata is concatenated
when chunks are merged, so each piece of it is said once; ``model_provider`` is the
exception and stands on every chunk. Usage stays unset: no service sends any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.events import (
    ConversationStarted,
    Event,
    FinalText,
    Finish,
    FinishReason,
    ModelInfo,
    Progress,
    Reasoning,
    Text,
    Title,
)
from langchain_g4f.text.stop import StopCutter

if TYPE_CHECKING:
    from collections.abc import Iterator

_Aside = ConversationStarted | Progress | Title | ModelInfo | FinalText | Finish


class ChunkMapper:
    """Maps the events of one call.

    Args:
        provider: ``model_provider`` of the chunks.
        model: The model that was asked; what the service says of itself wins.
        stop: Strings at which the answer ends.
    """

    def __init__(self, provider: str, model: str, stop: tuple[str, ...]) -> None:
        self.stopped = False
        self._provider = provider
        self._model = model
        self._stop = stop
        self._cutter = StopCutter(stop) if stop else None
        self._final: str | None = None
        self._reason: FinishReason = "unknown"
        self._metadata: dict[str, Any] = {}
        self._once: dict[str, Any] = {}

    def chunks(self, event: Event) -> Iterator[ChatGenerationChunk]:
        """What the caller is given for ``event``: one chunk, or none."""
        match event:
            case Text():
                text = event.text
                if self._cutter is not None:
                    text = self._cutter.feed(text)
                    self.stopped = self._cutter.stopped
                if text:
                    yield self._chunk(text)
            case Reasoning():
                yield self._chunk("", reasoning_content=event.text)
            case _:
                self._note(event)

    def _note(self, event: _Aside) -> None:
        """Keep what stands in the metadata of the first or the last chunk."""
        match event:
            case ConversationStarted():
                self._once["conversation"] = event.handle
            case Progress():
                if event.kind == "retry":
                    self._metadata["retries"] = self._metadata.get("retries", 0) + 1
            case Title():
                self._metadata["title"] = event.title
            case ModelInfo():
                self._model = event.model or self._model
                if event.provider:
                    self._metadata["backend_provider"] = event.provider
            case FinalText():
                self._final = event.text
                self._metadata["restarted"] = True
            case Finish():
                self._reason = event.reason
            case _:
                assert_never(event)

    def last(self) -> ChatGenerationChunk:
        """The chunk that ends the answer, with the metadata that is said once."""
        text = self._cutter.close() if self._cutter and not self.stopped else ""
        reason = "stop" if self.stopped else self._reason
        chunk = self._chunk(text)
        chunk.message.response_metadata |= {
            "model_name": self._model,
            "finish_reason": reason,
            **self._metadata,
        }
        chunk.generation_info = {"finish_reason": reason}
        message = chunk.message
        if isinstance(message, AIMessageChunk):
            message.chunk_position = "last"
        return chunk

    def fold(self, chunks: list[ChatGenerationChunk]) -> AIMessage:
        """The whole answer; after a silent restart, the service's version of it."""
        first, *rest = (chunk.message for chunk in chunks)
        whole = first + rest if rest else first
        message = message_chunk_to_message(whole)
        if not isinstance(message, AIMessage):
            raise TypeError(message)
        if self._final is not None:
            cutter = StopCutter(self._stop)
            message.content = cutter.feed(self._final) + cutter.close()
        return message

    def _chunk(self, text: str, **extra: str) -> ChatGenerationChunk:
        metadata = {"model_provider": self._provider, **self._once}
        self._once = {}
        message = AIMessageChunk(content=text, additional_kwargs=extra, response_metadata=metadata)
        return ChatGenerationChunk(message=message)


__all__ = ["ChunkMapper"]
