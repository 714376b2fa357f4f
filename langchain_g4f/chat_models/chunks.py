"""Event -> AIMessageChunk, for streaming and for folding alike.

``content`` stays a string; reasoning goes to ``additional_kwargs["reasoning_content"]``,
which langchain-core turns into a reasoning block. String metadata is concatenated
when chunks are merged, so each piece of it is said once; ``model_provider`` is the
exception and stands on every chunk. Usage is added up, and so stands on the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ToolCallChunk,
    message_chunk_to_message,
)
from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.chat_models.blocks import call_block, file_block, result_block
from langchain_g4f.chat_models.pieces import part_of_call, set_calls, usage_metadata, whole_call
from langchain_g4f.core.events import (
    ConversationStarted,
    Event,
    File,
    FinalText,
    Finish,
    FinishReason,
    Metadata,
    ModelInfo,
    NonStandard,
    Progress,
    Reasoning,
    ServerToolCall,
    ServerToolResult,
    Source,
    Text,
    Title,
    ToolCall,
    ToolCallPart,
    Usage,
)
from langchain_g4f.text.stop import StopCutter

if TYPE_CHECKING:
    from langchain_g4f.chat_models.reading import AnswerReading

_Aside = ConversationStarted | Progress | Title | ModelInfo | Metadata | Usage | FinalText | Finish


class ChunkMapper:
    """Maps the events of one call.

    Args:
        provider: ``model_provider`` of the chunks.
        model: The model that was asked; what the service says of itself wins.
        stop: Strings at which the answer ends.
        reading: Finds tool calls or JSON in the text, where those are wanted.
        again: Makes the mapper of another try; what is given then waits for a tool call.

    Attributes:
        stopped: Whether the answer is over before the service says so.
        missed: Whether a call was waited for in vain.
        handle: Of the conversation, if there is one.
        said: The text of the answer as the service said it.
    """

    def __init__(
        self,
        provider: str,
        model: str,
        stop: tuple[str, ...],
        reading: AnswerReading | None = None,
        *,
        again: Callable[[], ChunkMapper] | None = None,
    ) -> None:
        self.stopped = False
        self.missed = False
        self.handle: dict[str, Any] | None = None
        self._reading = reading
        self._again = again
        self._later: ChunkMapper | None = None
        self._held_chunks: list[ChatGenerationChunk] | None = None if again is None else []
        self._calls = 0
        self._provider = provider
        self._model = model
        self._stop = stop
        self._cutter = StopCutter(stop) if stop else None
        self._final: FinalText | None = None
        self._reason: FinishReason = "unknown"
        self._usage: Usage | None = None
        self._metadata: dict[str, Any] = {}
        self._once: dict[str, Any] = {"tool_nonce": self.nonce} if self.nonce else {}
        self._sources: list[dict[str, str]] = []
        self._spoken = False
        self._blocks = 0

    @property
    def said(self) -> str:
        """The text of the answer as the service said it."""
        return self._reading.said if self._reading is not None else ""

    @property
    def nonce(self) -> str:
        """What the model was told to write on its calls."""
        return self._reading.nonce if self._reading is not None else ""

    def another(self) -> ChunkMapper:
        """The mapper of another try, whose answer is the answer then."""
        if self._again is None:
            return self
        self._later = self._again()
        return self._later

    def chunks(self, event: Event) -> Sequence[ChatGenerationChunk]:
        """What the caller is given for ``event``."""
        if self._reading is None:
            if type(event) is Text and event.text and not (self._cutter or self._sources):
                self._spoken = True  # nearly all events come this way
                return (self._chunk(event.text),)
            chunk = self.chunk(event)
            return () if chunk is None else (chunk,)
        return self._released([*map(self.chunk, self._reading.feed(event))])

    def end(self) -> Sequence[ChatGenerationChunk]:
        """What ends the answer; nothing if a call was waited for in vain."""
        if self._reading is None:
            return (self.last(),)
        rest = [] if self.stopped else [*map(self.chunk, self._reading.close())]
        found = self._released(rest)
        self.missed = self._held_chunks is not None
        return () if self.missed else [*found, self.last()]

    def _released(self, chunks: list[ChatGenerationChunk | None]) -> list[ChatGenerationChunk]:
        """``chunks``, and those that waited for a call once there is one."""
        found = [chunk for chunk in chunks if chunk is not None]
        if self._held_chunks is None:
            return found
        self._held_chunks += found
        if not self._calls:
            return []
        found, self._held_chunks = self._held_chunks, None
        return found

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
            case ToolCall():
                return self._call(event)
            case ToolCallPart():
                self._calls = max(self._calls, event.index + 1)
                return self._called(part_of_call(event))
            case NonStandard():
                block = {"type": "non_standard", "value": event.value}
                return self._block("non_standard", block)
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

    def _call(self, call: ToolCall) -> ChatGenerationChunk:
        """A call in one piece: pieces of arguments would be merged at a price."""
        piece = whole_call(call, self._calls)
        self._calls += 1
        if call.repaired:
            self._metadata["repaired_calls"] = self._metadata.get("repaired_calls", 0) + 1
        return self._called(piece)

    def _called(self, piece: ToolCallChunk) -> ChatGenerationChunk:
        message = AIMessageChunk(
            content="", tool_call_chunks=[piece], response_metadata=self._said_once()
        )
        return ChatGenerationChunk(message=message)

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
                self._once["conversation"] = self.handle = event.handle
            case Progress():
                if event.kind == "retry":
                    self._metadata["retries"] = self._metadata.get("retries", 0) + 1
            case Title():
                self._metadata["title"] = event.title
            case Metadata():
                self._metadata |= event.values
            case Usage():
                self._usage = event
            case ModelInfo():
                self._model = event.model or self._model
                if event.provider:
                    self._metadata["backend_provider"] = event.provider
                if event.route:
                    self._metadata["route"] = event.route
            case FinalText():
                self._final = event
                self._metadata |= {"restarted": True, "final_text": event.text}
            case Finish():
                self._reason = event.reason
            case _:
                assert_never(event)

    def last(self) -> ChatGenerationChunk:
        """The chunk that ends the answer, with the metadata that is said once."""
        text = self._cutter.close() if self._cutter and not self.stopped else ""
        reason = self._ending(self._calls)
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
            message.usage_metadata = self._usage and usage_metadata(self._usage)
        return chunk

    def _ending(self, calls: int) -> str:
        """Why the answer ended, if it has so many calls."""
        reason = "stop" if self.stopped else self._reason
        return "tool_calls" if calls and reason in ("stop", "unknown") else reason

    def fold(self, chunks: list[ChatGenerationChunk]) -> AIMessage:
        """The whole answer; after a silent restart, the service's version of it."""
        if self._later is not None:
            return self._later.fold(chunks)
        first, *rest = (chunk.message for chunk in chunks)
        whole = first + rest if rest else first
        message = message_chunk_to_message(whole)
        if not isinstance(message, AIMessage):
            raise TypeError(message)
        if self._final is not None:
            cutter = StopCutter(self._stop)
            message.content = cutter.feed(self._final.text) + cutter.close()
            if self._reading is not None:
                set_calls(message, self._final.calls)
                message.response_metadata["finish_reason"] = self._ending(len(self._final.calls))
        return message

    def _said_once(self) -> dict[str, Any]:
        """The metadata of a chunk, with what has not been said yet."""
        metadata = {"model_provider": self._provider}
        if self._once:
            metadata |= self._once
            self._once = {}
        return metadata

    def _chunk(self, text: str, **extra: Any) -> ChatGenerationChunk:
        metadata = self._said_once()
        if extra:
            message = AIMessageChunk(
                content=text, additional_kwargs=extra, response_metadata=metadata
            )
        else:  # an empty dict would be validated, at the price of a fifth of the chunk
            message = AIMessageChunk(content=text)
            message.response_metadata = metadata  # quicker than by the constructor
        return ChatGenerationChunk(message=message)


__all__ = ["ChunkMapper"]
