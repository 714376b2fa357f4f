from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from langchain_g4f import ChatHuggingChat
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, WAYS, add_up, ask

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

PROMPT = "Why is the sky blue? [[think]]"
ANSWER = f"Echo ({MODEL}, turn 1): Why is the sky blue?"
THOUGHTS = "First I look at the question. Then I answer it."


def told(answer: AIMessage) -> tuple[object, ...]:
    """What an answer says, without the ids that each call has of its own."""
    metadata = {k: v for k, v in answer.response_metadata.items() if k != "conversation"}
    blocks = [{**block, "index": None} for block in answer.content_blocks]  # of chunks only
    return answer.text, blocks, answer.additional_kwargs, metadata


@pytest.mark.proves("promise:invoke-equals-stream")
async def test_every_way_of_asking_gives_the_same_answer(model: ChatHuggingChat) -> None:
    """Text, content blocks, reasoning and metadata agree, whole or added up from chunks."""
    answers = [told(await ask(model, mode, PROMPT)) for mode in WAYS]
    assert answers[0][0] == ANSWER
    assert answers == [answers[0]] * len(WAYS)


@pytest.mark.proves("promise:invoke-equals-stream")
async def test_invoke_that_streams_underneath_gives_the_same_answer(sandbox: Sandbox) -> None:
    """`streaming=True` changes how an answer is fetched and nothing about it."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, streaming=True)
    plain = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    expected = told(plain.invoke(PROMPT))
    assert told(model.invoke(PROMPT)) == expected
    assert told(await model.ainvoke(PROMPT)) == expected


@pytest.mark.proves("promise:invoke-equals-stream")
async def test_batch_answers_each_prompt_in_its_place(model: ChatHuggingChat) -> None:
    """`batch` and `abatch` give the answers in the order of the prompts."""
    prompts: list[Any] = [f"number {n}" for n in range(5)]
    expected = [f"Echo ({MODEL}, turn 1): {prompt}" for prompt in prompts]
    assert [answer.text for answer in model.batch(prompts)] == expected
    assert [answer.text for answer in await model.abatch(prompts)] == expected


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_chunks_arrive_while_the_answer_is_being_made(mode: str) -> None:
    """The first chunk is there long before the last one, and only the last one says so."""
    with Sandbox(reply=Reply(tokens=["a", "b", "c"] * 5, pace_s=0.01)) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        busy = []
        chunks = []
        if mode == "stream":
            for chunk in model.stream("hi"):
                busy.append(sandbox.busy)
                chunks.append(chunk)
        else:
            async for chunk in model.astream("hi"):
                busy.append(sandbox.busy)
                chunks.append(chunk)
    assert busy[0]
    assert [chunk.text for chunk in chunks] == ["a", "b", "c"] * 5 + [""]
    assert [chunk.chunk_position for chunk in chunks] == [None] * 15 + ["last"]


@pytest.mark.proves("promise:reasoning-apart")
async def test_reasoning_becomes_a_block_of_its_own(model: ChatHuggingChat, mode: str) -> None:
    """Reasoning is no part of the text, and stands before it in the content blocks."""
    answer = await ask(model, mode, PROMPT)
    assert answer.content == ANSWER
    assert answer.additional_kwargs == {"reasoning_content": THOUGHTS}
    kinds = [
        (block["type"], block.get("reasoning", block.get("text")))
        for block in answer.content_blocks
    ]
    assert kinds == [("reasoning", THOUGHTS), ("text", ANSWER)]


async def test_output_version_v1_gives_content_blocks_as_content(
    sandbox: Sandbox, mode: str
) -> None:
    """With `output_version="v1"` the content itself is the list of typed blocks."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, output_version="v1")
    answer = await ask(model, mode, PROMPT)
    assert isinstance(answer.content, list)
    assert [block["type"] for block in answer.content_blocks] == ["reasoning", "text"]
    assert answer.text == ANSWER


async def test_metadata_is_said_once(model: ChatHuggingChat, mode: str) -> None:
    """Added-up chunks hold each entry of the metadata once, not twice in a row."""
    metadata = dict((await ask(model, mode, "hi")).response_metadata)
    assert metadata.pop("conversation")["server"] == model.base_url
    assert metadata == {
        "model_provider": "huggingchat",
        "model_name": MODEL,
        "finish_reason": "stop",
        "title": "Title: hi",
    }


async def test_server_that_starts_over_is_told_by_the_whole_answer(
    sandbox: Sandbox, mode: str
) -> None:
    """After a silent restart the invoked answer is the last attempt; what was streamed stays."""
    model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
    answer = await ask(model, mode, "again [[restart:2]]")
    whole = f"Echo ({MODEL}, turn 1): again"
    assert answer.text.endswith(whole)
    assert (answer.text == whole) == (mode in {"invoke", "ainvoke"})
    assert answer.response_metadata["restarted"]


def test_reader_that_leaves_early_stops_the_server() -> None:
    """Closing the stream after the first chunk ends the endless answer on the server."""
    endless = Reply(tokens=itertools.repeat("w "), pace_s=0.002)
    with Sandbox(reply=endless) as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)
        stream = model.stream("go on")
        first = add_up([next(stream)])
        stream.close()  # type: ignore[attr-defined]  # an Iterator to the eye, a generator in fact
        sandbox.wait_until(lambda: not sandbox.busy)
    assert first.text == "w "
    assert [r.path.rpartition("/")[2] for r in sandbox.requests][-1] == "stop-generating"
