"""Property 10, coming out: the sum of the chunks is the invoked answer, stop strings or not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.outputs import ChatGenerationChunk

from langchain_g4f.chat_models.blocks import register
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.core.events import (
    ConversationStarted,
    Event,
    File,
    FinalText,
    Finish,
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

PROVIDER = "huggingchat"
register(PROVIDER)

_words = st.text(max_size=5)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_words, inner, max_size=2),
    max_leaves=4,
)
_ids = st.sampled_from(["1", "2", ""])
_objects = st.dictionaries(st.sampled_from(["index", "type", "id", "text", "a"]), _json, max_size=3)
_pieces = st.text("ab\n ", max_size=4)
_texts = st.builds(Text, _pieces.filter(bool))
_others: st.SearchStrategy[Event] = st.one_of(
    st.builds(Reasoning, _words.filter(bool)),
    st.builds(Source, _words, _words),
    st.builds(
        File, _words, st.sampled_from(["image/png", "audio/wav", "a/b"]), _words, st.binary()
    ),
    st.builds(ServerToolCall, _ids, _words, _objects),
    st.builds(ServerToolResult, _ids, _words, st.booleans()),
    st.builds(ModelInfo, _words, _words),
    st.builds(Title, _words),
    st.builds(Progress, st.sampled_from(["retry", "started"]), _words, _objects),
    st.builds(Finish, st.sampled_from(["stop", "interrupted", "length", "unknown"])),
)
_answers = st.builds(
    lambda handle, events: [*map(ConversationStarted, handle), *events],
    st.lists(_objects, max_size=1),
    st.lists(_texts | _others, max_size=10),
)
_stops = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3).map(tuple)


def _run(events: list[Event], stop: tuple[str, ...]) -> list[ChatGenerationChunk]:
    """The chunks of a call, as the base class asks for them."""
    mapper = ChunkMapper(PROVIDER, "model", stop)
    found = []
    for event in events:
        if (chunk := mapper.chunk(event)) is not None:
            found.append(chunk)
        if mapper.stopped:
            break
    return [*found, mapper.last()]


def _added_up(chunks: list[ChatGenerationChunk]) -> AIMessage:
    """What a caller gets who adds up the chunks as they come."""
    whole = chunks[0].message
    assert isinstance(whole, AIMessageChunk)
    for chunk in chunks[1:]:
        assert isinstance(chunk.message, AIMessageChunk)
        whole = whole + chunk.message
    message = message_chunk_to_message(whole)
    assert isinstance(message, AIMessage)
    return message


def _until_stop(text: str, stop: tuple[str, ...]) -> tuple[str, str]:
    """The text before the first stop string, and that string; one character at a time."""
    for end in range(1, len(text) + 1):
        found = [marker for marker in stop if text[:end].endswith(marker)]
        if found:
            longest = max(found, key=len)
            return text[: end - len(longest)], longest
    return text, ""


@pytest.mark.proves("property:10", "promise:invoke-equals-stream")
@given(events=_answers, stop=_stops)
def test_sum_of_the_chunks_is_the_invoked_answer(
    events: list[Event], stop: tuple[str, ...]
) -> None:
    """Text, reasoning, tool calls, files, sources and metadata; and it says what was said."""
    chunks = _run(events, stop)
    whole = _added_up(chunks)
    folded = ChunkMapper(PROVIDER, "model", stop).fold(_run(events, stop))
    assert _told(whole) == _told(folded)
    assert whole.content_blocks == folded.content_blocks
    text = "".join(event.text for event in events if isinstance(event, Text))
    expected, marker = _until_stop(text, stop)
    assert whole.content == expected
    assert whole.response_metadata.get("stop_sequence", "") == marker
    if marker:
        assert whole.response_metadata["finish_reason"] == "stop"
    else:
        thought = "".join(event.text for event in events if isinstance(event, Reasoning))
        assert whole.additional_kwargs.get("reasoning_content", "") == thought
        for kind, key in ((Source, "sources"), (File, "files")):
            count = sum(isinstance(event, kind) for event in events)
            assert len(whole.additional_kwargs.get(key, ())) == count
    assert [chunk.message.chunk_position for chunk in chunks if _is_last(chunk)] == ["last"]  # type: ignore[attr-defined]
    assert _is_last(chunks[-1])


def _is_last(chunk: ChatGenerationChunk) -> bool:
    return isinstance(chunk.message, AIMessageChunk) and chunk.message.chunk_position == "last"


def _told(message: AIMessage) -> dict[str, Any]:
    return message.model_dump(exclude={"id"})


@pytest.mark.proves("property:10", "promise:stop-across-chunks")
@given(pieces=st.lists(_pieces, max_size=12), stop=_stops.filter(bool))
def test_text_ends_before_the_first_stop_string_however_it_is_cut(
    pieces: list[str], stop: tuple[str, ...]
) -> None:
    """What is passed on is never taken back, and waits only where a stop string may begin."""
    text = "".join(pieces)
    expected, marker = _until_stop(text, stop)
    cutter = StopCutter(stop)
    passed, seen = "", ""
    for piece in pieces:
        passed, seen = passed + cutter.feed(piece), seen + piece
        assert expected.startswith(passed)
        if not cutter.stopped:
            waiting = seen[len(passed) :]
            assert not waiting or any(marker.startswith(waiting) for marker in stop)
    passed += cutter.close()
    assert (passed, cutter.found, cutter.stopped) == (expected, marker, bool(marker))


@pytest.mark.proves("property:10")
@given(events=_answers, final=_pieces, stop=_stops)
def test_answer_that_began_again_is_folded_to_its_final_text(
    events: list[Event], final: str, stop: tuple[str, ...]
) -> None:
    """The one exception: what was streamed cannot be taken back, what is invoked can."""
    mapper = ChunkMapper(PROVIDER, "model", stop)
    chunks = [chunk for event in events if (chunk := mapper.chunk(event)) is not None]
    assume(not mapper.stopped)
    assert mapper.chunk(FinalText(final)) is None
    folded = mapper.fold([*chunks, mapper.last()])
    assert folded.content == _until_stop(final, stop)[0]
    assert folded.response_metadata["restarted"] is True
