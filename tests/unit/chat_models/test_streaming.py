"""Answers whole and streamed: chunks, stop strings, replaced answers, event loops."""

from __future__ import annotations

import asyncio
import functools
import itertools
import operator
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.chat_models.chunks import ChunkMapper
from langchain_g4f.core.events import Event, FinalText, Finish, Text
from langchain_g4f.testing import Reply, Sandbox
from tests.unit.chat_models.ways import MODEL, WAYS, add_up, ask

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


@pytest.mark.proves("promise:usage-unset")
async def test_metadata_is_said_once(model: ChatHuggingChat, mode: str) -> None:
    """Added-up chunks hold each entry once; the service sends no token counts."""
    answer = await ask(model, mode, "hi")
    metadata = dict(answer.response_metadata)
    assert answer.usage_metadata is None
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


TOKENS = ["one ", "two S", "TO", "P three", " STOP four"]


def cut_model(sandbox: Sandbox, stop: str | list[str] | None = None) -> ChatHuggingChat:
    """Make a model on that server."""
    return ChatHuggingChat(base_url=sandbox.base_url, model=MODEL, stop=stop)


@pytest.fixture
def endless() -> Iterator[Sandbox]:
    """A server that says a stop string in three pieces and then has no end."""
    tokens = (token for token in itertools.chain(TOKENS, itertools.repeat(" more")))
    with Sandbox(reply=Reply(tokens=tokens, pace_s=0.002)) as sandbox:
        yield sandbox


@pytest.mark.proves("promise:stop-across-chunks")
@pytest.mark.parametrize("how", ["field", "argument", "both"])
async def test_stop_string_is_found_across_chunks(endless: Sandbox, mode: str, how: str) -> None:
    """Set on the model or given with the call, it ends the answer before its first place."""
    field = {"field": ["STOP"], "argument": None, "both": ["no such text"]}[how]
    argument = None if how == "field" else ["STOP"]
    answer = await ask(cut_model(endless, stop=field), mode, "count", stop=argument)
    assert answer.text == "one two "
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_nothing_is_stopped_where_no_stop_string_comes(mode: str) -> None:
    """What only begins like a stop string is shown in the end, and nothing is left to stop."""
    with Sandbox(reply=Reply(tokens=["all of i", "t S", "TO"])) as sandbox:
        answer = await ask(cut_model(sandbox, stop=["STOP", "STO!"]), mode, "count")
        assert answer.text == "all of it STO"
        assert [request.method for request in sandbox.requests] == ["POST", "POST"]


async def test_stop_string_in_the_reasoning_is_not_applied(mode: str) -> None:
    """Only the answer is searched; reasoning may say what it likes."""
    reply = Reply(text="Here it is. STOP And more.", reasoning="I must not say STOP too soon.")
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(cut_model(sandbox, stop="STOP"), mode, "go")
    assert answer.additional_kwargs == {"reasoning_content": "I must not say STOP too soon."}
    assert answer.text == "Here it is. "


@pytest.mark.parametrize("stop", [[], [""]])
def test_empty_stop_strings_mean_none(model: ChatHuggingChat, stop: list[str]) -> None:
    """No stop string, or an empty one, ends nothing."""
    with Sandbox(reply="all of it") as sandbox:
        assert cut_model(sandbox, stop=stop).invoke("go", stop=stop).text == "all of it"


async def test_after_a_silent_restart_the_stop_string_still_cuts(mode: str) -> None:
    """Nothing after a stop string is shown, although the server starts its answer again."""
    reply = Reply(tokens=["a ", "b ", "c ", "STOP", " d"], restart_after=2)
    with Sandbox(reply=reply) as sandbox:
        answer = await ask(cut_model(sandbox), mode, "go", stop=["STOP"])
    assert "STOP" not in answer.text
    assert answer.text.endswith("a b c ")


def mapped(*events: Event, stop: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """The sum of the chunks, and the folded answer."""
    mapper = ChunkMapper("example", "model", stop)
    chunks = [chunk for event in events if (chunk := mapper.chunk(event)) is not None]
    chunks.append(mapper.last())
    total = functools.reduce(operator.add, (chunk.message for chunk in chunks))
    return total, mapper.fold(chunks)


@pytest.mark.parametrize("final", ["Two", ""])
def test_replaced_answer_has_its_last_version_in_the_metadata(final: str) -> None:
    """A stream is never taken back; a folded answer is the last version."""
    streamed, folded = mapped(Text("One"), FinalText(final), Finish())
    assert (streamed.text, folded.text) == ("One", final)
    for message in (streamed, folded):
        assert message.response_metadata["restarted"] is True
        assert message.response_metadata["final_text"] == final


def test_last_version_ends_at_a_stop_string_where_it_is_the_answer() -> None:
    """The metadata have all of it."""
    _, folded = mapped(Text("One"), FinalText("Two###Three"), Finish(), stop=("###",))
    assert folded.text == "Two"
    assert folded.response_metadata["final_text"] == "Two###Three"


def echo_of(text: str) -> str:
    """Give what the sandbox answers."""
    return f"Echo ({MODEL}, turn 1): {text}"


@pytest.mark.proves("promise:asyncio-run-twice", "fault:52:HC")
def test_model_works_in_one_event_loop_after_another(model: ChatHuggingChat) -> None:
    """A second `asyncio.run` gets connections of its own, whole and streamed."""

    async def streamed(text: str) -> str:
        return (await ask(model, "astream", text)).text

    async def whole(text: str) -> str:
        return (await model.ainvoke(text)).text

    for call in (streamed, whole, streamed):
        assert asyncio.run(call("hi")) == echo_of("hi")


@pytest.mark.proves("promise:running-loop")
async def test_sync_calls_work_while_an_event_loop_runs(model: ChatHuggingChat) -> None:
    """As in a notebook: `invoke`, `stream` and `batch` in a coroutine, between async calls."""
    assert (await model.ainvoke("a")).text == echo_of("a")
    assert model.invoke("b").text == echo_of("b")
    assert add_up(model.stream("c")).text == echo_of("c")
    assert [answer.text for answer in model.batch(["d", "e"])] == [echo_of("d"), echo_of("e")]
    assert (await ask(model, "astream", "f")).text == echo_of("f")


@pytest.mark.proves("promise:threads", "fault:52:HC")
def test_eight_threads_share_one_model() -> None:
    """Each thread gets its own answers, streamed and whole, all under one session."""
    with Sandbox(split="random") as sandbox:
        model = ChatHuggingChat(base_url=sandbox.base_url, model=MODEL)

        def work(number: int) -> list[str]:
            return [
                model.invoke(f"whole {number}").text,
                add_up(model.stream(f"streamed {number}")).text,
                asyncio.run(model.ainvoke(f"async {number}")).text,
            ]

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(work, range(16)))
    assert answers == [
        [echo_of(f"{how} {number}") for how in ("whole", "streamed", "async")]
        for number in range(16)
    ]
    assert len({request.cookies["hf-chat"] for request in sandbox.requests}) == 1
