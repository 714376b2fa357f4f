"""`output_version="v1"`: everything is an indexed content block."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatG4F
from tests.g4f_standins import responses_new as new
from tests.g4f_standins import responses_old as old
from tests.g4f_standins.providers_new import AsyncGeneratorProvider, scripted
from tests.g4f_standins.script import Do
from tests.unit.chat_models.g4f.response_notes import CALL
from tests.unit.chat_models.g4f.response_rows import URL
from tests.unit.chat_models.ways import WAYS, ask

EVERYTHING = (
    old.ProviderInfo(name="P", model="big"),
    old.Reasoning(token="why"),
    "a",
    new.Sources([{"url": "https://a.example", "title": "A"}]),
    "b",
    old.ImageResponse(URL, "a cat"),
    old.VideoResponse("https://v.example/1"),
    new.AudioResponse(b"\x00", transcript="hi"),
    old.ToolCalls([CALL]),
    old.JsonConversation(id="1"),
    old.Usage(prompt_tokens=1, completion_tokens=2),
)
CITATION = {"type": "citation", "url": "https://a.example", "title": "A"}
BLOCKS = [
    {"type": "reasoning", "reasoning": "why"},
    {"type": "text", "text": "ab", "annotations": [CITATION]},
    {"type": "image", "extras": {"alt": "a cat"}, "url": URL},
    {"type": "video", "extras": {}, "url": "https://v.example/1"},
    {"type": "audio", "extras": {"transcript": "hi"}, "mime_type": "audio/mpeg", "base64": "AA=="},
    {"type": "tool_call", "name": "add", "args": {"a": 2}, "id": "c1"},
]


def without_indexes(blocks: Any) -> list[dict[str, Any]]:
    """The blocks, as they are compared."""
    return [{n: v for n, v in dict(block).items() if n != "index"} for block in blocks]


@pytest.mark.proves("g4f:9:v1", "g4f:9:files", "g4f:5:image", "g4f:5:video", "g4f:5:audio")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["v1", None])
async def test_blocks_are_the_same_in_content_and_in_content_blocks(
    version: str | None, way: str
) -> None:
    """In content where they are asked for there; and always where LangChain looks for them."""
    model = ChatG4F(provider=scripted(AsyncGeneratorProvider, *EVERYTHING), output_version=version)
    answer: AIMessage = await ask(model, way, "hi")
    assert without_indexes(answer.content_blocks) == BLOCKS
    if version == "v1":
        assert isinstance(answer.content, list)
        assert without_indexes(answer.content) == BLOCKS
        assert answer.response_metadata["output_version"] == "v1"
    else:
        assert answer.content == "ab"
    assert answer.text == "ab"


@pytest.mark.proves("g4f:9:v1")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_streamed_blocks_have_indexes(way: str) -> None:
    """So that pieces of one block are joined, and no others."""
    provider = scripted(AsyncGeneratorProvider, *EVERYTHING)
    model = ChatG4F(provider=provider, output_version="v1")
    if way == "stream":
        chunks = list(model.stream("hi"))
    else:
        chunks = [chunk async for chunk in model.astream("hi")]
    blocks = [block for chunk in chunks for block in chunk.content if isinstance(block, dict)]
    kinds = {block["type"] for block in blocks}
    assert {"reasoning", "text", "image", "video", "audio", "tool_call_chunk"} <= kinds
    assert all("index" in block for block in blocks if block["type"] != "tool_call")


@pytest.mark.proves("g4f:9:said-once")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_metadata_and_usage_are_said_once(way: str) -> None:
    """Merging chunks joins texts and adds counts."""
    twice = (old.Usage(prompt_tokens=1, completion_tokens=1), old.FinishReason("stop"))
    provider = scripted(
        AsyncGeneratorProvider,
        old.JsonConversation(id="0"),
        *twice,
        "a",
        old.JsonConversation(id="1"),
        *twice,
    )
    model = ChatG4F(provider=provider)
    if way == "stream":
        chunks = list(model.stream("hi"))
    else:
        chunks = [chunk async for chunk in model.astream("hi")]
    for name in ("model_name", "finish_reason", "conversation"):
        assert sum(name in chunk.response_metadata for chunk in chunks) == 1
    last = [chunk.chunk_position == "last" for chunk in chunks]
    assert [chunk.usage_metadata is not None for chunk in chunks] == last
    assert sum(last) == 1


class Growing(old.JsonConversation):
    """State that its provider goes on writing to."""


@pytest.mark.proves("g4f:5:conversation")
@pytest.mark.parametrize("way", WAYS)
async def test_conversation_is_read_when_the_answer_has_ended(way: str) -> None:
    """It is yielded at the start, and completed later."""
    state = Growing(id="1", last="")

    def write() -> None:
        state.last = "m2"  # type: ignore[attr-defined]

    provider = scripted(AsyncGeneratorProvider, state, "a", Do(write))
    answer = await ask(ChatG4F(provider=provider), way, "hi")
    assert answer.response_metadata["conversation"] == {"id": "1", "last": "m2"}
