"""Event -> AIMessageChunk, for streaming and for folding alike.

``content`` stays a string; reasoning goes to ``additional_kwargs["reasoning_content"]``,
which langchain-core turns into a reasoning block. String metadata is concatenated
when chunks are merged, so each piece of it is said once; ``model_provider`` is the
exception and stands on every chunk. Usage stays unset: no service sends any.
"""

from __future__ import annotations

from typing import Any, assert_never

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.chat_models.blocks import call_block, file_block, result_block
from langchain_g4f.events import (
    ConversationStarted,
    Event,
    File,
    FinalText,
    Finish,
    FinishReason,
    ModelInfo,
    Progress,
    Reasoning,
    ServerToolCall,
    ServerToolResult,
    Source,
    Text,
    Title,
)
from langchain_g4f.text.stop import StopCutter

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
        self._sources: list[dict[str, str]] = []
        self._spoken = False
        self._blocks = 0

    def chunk(self, event: Event) -> ChatGenerationChunk | None:
        """What the caller is given for ``event``, if anything."""
        match event:
            case Text():
                text = event.text
                if self._cutter is not None:
                    text = self._cutter.feed(text)
                    self.stopped = self._cutter.stopped
                self._spoken = self._spoken or bool(text)
                return self._chunk(text, **self._held()) if text else None
            case Reasoning():
                return self._chunk("", reasoning_content=event.text)
            case Source():
                # they are part of the text, which may have to wait for the reasoning
                self._sources.append({"url": event.url, "title": event.title})
                return None
            case File():
                return self._block("files", file_block(event))
            case ServerToolCall():
                return self._block("server_tools", call_block(event))
            case ServerToolResult():
                return self._block("server_tools", result_block(event))
            case _:
                self._note(event)
                return None

    def _block(self, key: str, block: dict[str, Any]) -> ChatGenerationChunk:
        """A block of its own, which is never merged with another."""
        self._blocks += 1
        extra: dict[str, Any] = {key: [block | {"index": f"lc_block_{self._blocks}"}]}
        if self._spoken and self._blocks == 1:
            extra["text_first"] = True
        return self._chunk("", **extra)

    def _held(self) -> dict[str, Any]:
        """The sources found since the last piece of text."""
        if not self._sources:
            return {}
        found, self._sources = self._sources, []
        return {"sources": found}

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
                if event.route:
                    self._metadata["route"] = event.route
            case FinalText():
                self._final = event.text
                self._metadata |= {"restarted": True, "final_text": event.text}
            case Finish():
                self._reason = event.reason
            case _:
                assert_never(event)

    def last(self) -> ChatGenerationChunk:
        """The chunk that ends the answer, with the metadata that is said once."""
        text = self._cutter.close() if self._cutter and not self.stopped else ""
        reason = "stop" if self.stopped else self._reason
        if self._cutter and self._cutter.found:
            self._metadata["stop_sequence"] = self._cutter.found
        chunk = self._chunk(text, **self._held())
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

    def _chunk(self, text: str, **extra: Any) -> ChatGenerationChunk:
        metadata = {"model_provider": self._provider}
        if self._once:
            metadata |= self._once
            self._once = {}
        if extra:
            message = AIMessageChunk(
                content=text, additional_kwargs=extra, response_metadata=metadata
            )
        else:  # an empty dict would be validated, at the price of a fifth of the chunk
            message = AIMessageChunk(content=text, response_metadata=metadata)
        return ChatGenerationChunk(message=message)


__all__ = ["ChunkMapper"]
