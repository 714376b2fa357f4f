"""Event -> AIMessageChunk, for streaming and for folding alike.

``content`` stays a string; reasoning goes to ``additional_kwargs["reasoning_content"]``,
which langchain-core turns into a reasoning block. String metadata is concatenated
when chunks are merged, so each piece of it is said once; ``model_provider`` is the
exception and stands on every chunk. Usage is added up, and so stands on the last.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ToolCallChunk,
    message_chunk_to_message,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.chat_models.blocks import call_block, file_block, result_block
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
    from langchain_g4f.chat_models.tool_call_filter import ToolCallFilter

Output = ChatGenerationChunk | Progress
"""What a caller is given: chunks, and progress beside them."""

_Aside = ConversationStarted | Progress | Title | ModelInfo | Metadata | Usage | FinalText | Finish


class ChunkMapper:
    """Maps the events of one call.

    Args:
        provider: ``model_provider`` of the chunks.
        model: Name of the model that was asked; the name that the service gives replaces it.
        stop: Strings at which the answer ends.
        new_filter: Makes what finds tool calls or JSON in the text, where those are wanted.
        retries: Number of times the answer may be asked for again if it has no tool call. While
            there are any, chunks wait for a tool call.

    Attributes:
        stopped: Whether the answer is over before the service says so.
        ended: Whether all chunks were given out.
        tool_call_missing: Whether the answer has to be asked for again.
        handle: Handle of the conversation, if there is one.
    """

    def __init__(
        self,
        provider: str,
        model: str,
        stop: tuple[str, ...] = (),
        new_filter: Callable[[], ToolCallFilter] | None = None,
        *,
        retries: int = 0,
    ) -> None:
        self._provider = provider
        self._asked_model = model
        self._stop = stop
        self._new_filter = new_filter
        self._retries = retries
        self._begin()

    def _begin(self) -> None:
        """Set what belongs to one answer."""
        self.stopped = self.ended = self.tool_call_missing = False
        self.handle: dict[str, Any] | None = None
        self._filter = self._new_filter() if self._new_filter else None
        self._waiting: list[ChatGenerationChunk] | None = [] if self._retries else None
        self._calls = 0
        self._model = self._asked_model
        self._cutter = StopCutter(self._stop) if self._stop else None
        self._final: FinalText | None = None
        self._reason: FinishReason = "unknown"
        self._usage: Usage | None = None
        self._metadata: dict[str, Any] = {}
        self._once: dict[str, Any] = {"tool_nonce": self.nonce} if self.nonce else {}
        self._sources: list[dict[str, str]] = []
        self._has_text = False
        self._blocks = 0

    @property
    def text(self) -> str:
        """The text of the answer as the service gave it, if it is read for tool calls or JSON."""
        return self._filter.text if self._filter is not None else ""

    @property
    def nonce(self) -> str:
        """The nonce that the model was told to write on its tool calls."""
        return self._filter.nonce if self._filter is not None else ""

    def retry(self) -> None:
        """Start again with another answer."""
        self._retries -= 1
        self._begin()

    def step(self, event: Event | None) -> Sequence[Output]:
        """What the caller is given for an event; None ends the answer."""
        if event is None:
            return self._end()
        if self._filter is None:
            if type(event) is Text and event.text and not (self._cutter or self._sources):
                self._has_text = True  # nearly all events come this way
                return (self._chunk(event.text),)
            chunk = self.chunk(event)
            found: Sequence[ChatGenerationChunk] = () if chunk is None else (chunk,)
        else:
            found = self._released([*map(self.chunk, self._filter.feed(event))])
        if isinstance(event, Title):
            return (Progress("title", event.title), *found)
        return (event, *found) if isinstance(event, Progress) else found

    def _end(self) -> Sequence[Output]:
        self.ended = True
        if self._filter is None:
            return (self.last(),)
        rest = [] if self.stopped else [*map(self.chunk, self._filter.close())]
        found = self._released(rest)
        self.tool_call_missing = self._waiting is not None
        if self.tool_call_missing:
            text = "the answer has no tool call, it is asked for again"
            return (Progress("tool_retry", text, {"text": self.text}),)
        return [*found, self.last()]

    def _released(self, chunks: list[ChatGenerationChunk | None]) -> Sequence[ChatGenerationChunk]:
        """``chunks``, after those that waited for a call if there is one."""
        found = [chunk for chunk in chunks if chunk is not None]
        if self._waiting is None:
            return found
        self._waiting += found
        if not self._calls:
            return ()
        found, self._waiting = self._waiting, None
        return found

    def chunk(self, event: Event) -> ChatGenerationChunk | None:
        """What the caller is given for ``event``, if anything."""
        match event:
            case Text():
                text = event.text
                if self._cutter is not None:
                    text = self._cutter.feed(text)
                    self.stopped = self._cutter.stopped
                self._has_text = self._has_text or bool(text)
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
        if self._has_text and self._blocks == 1:
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
        first, *rest = (chunk.message for chunk in chunks)
        whole = first + rest if rest else first
        message = message_chunk_to_message(whole)
        if not isinstance(message, AIMessage):
            raise TypeError(message)
        if self._final is not None:
            cutter = StopCutter(self._stop)
            message.content = cutter.feed(self._final.text) + cutter.close()
            if self._filter is not None:
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


def whole_call(call: ToolCall, index: int) -> ToolCallChunk:
    """The chunk of a whole call, the answer's ``index``-th."""
    call_id = call.id or f"call_{uuid.uuid4().hex}"
    return tool_call_chunk(name=call.name, args=call.arguments, id=call_id, index=index)


def part_of_call(part: ToolCallPart) -> ToolCallChunk:
    """The chunk of a part of a call; what the part lacks was in an earlier one."""
    name, call_id = part.name or None, part.id or None
    return tool_call_chunk(name=name, args=part.arguments, id=call_id, index=part.index)


def set_calls(message: AIMessage, calls: Sequence[ToolCall]) -> None:
    """Give ``message`` these calls and no others."""
    chunks = [whole_call(call, at) for at, call in enumerate(calls)]
    read = AIMessageChunk(content="", tool_call_chunks=chunks, chunk_position="last")
    message.tool_calls, message.invalid_tool_calls = read.tool_calls, read.invalid_tool_calls


def usage_metadata(usage: Usage) -> UsageMetadata:
    """Token counts in LangChain's form."""
    found = UsageMetadata(
        input_tokens=usage.input, output_tokens=usage.output, total_tokens=usage.total
    )
    if usage.reasoning is not None:
        found["output_token_details"] = {"reasoning": usage.reasoning}
    if usage.cached is not None:
        found["input_token_details"] = {"cache_read": usage.cached}
    return found


__all__ = ["ChunkMapper", "Output"]
