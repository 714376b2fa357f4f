"""Answers of the app that is built like the Phi-4 Space, on real servers of both lines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from langchain_g4f import ChatGradioSpace
from tests.contract.faults.harness import ask, by_call, by_stream, by_turns, by_way, texts
from tests.servers.gradio.acceptance import (
    Heard,
    by_model,
    five_workers,
    last_calls,
    model_at,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import Space
from tests.servers.gradio.front import Front

pytestmark = pytest.mark.servers


@obligation(1, 2, 3, 4, 9)
@by_model
@by_way
async def test_text_is_answered(kind: type[ChatGradioSpace], way: str, space: Space) -> None:
    """A question gets its answer, blocking and awaiting, whole and in chunks."""
    server = one_worker(space)
    answer = await ask(model_at(server, kind), way, "Hello there")
    assert answer.text == "Turn 1. You said: Hello there"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert "restarted" not in answer.response_metadata
    (call,) = last_calls(server)
    assert (call.text, call.history, call.files) == ("Hello there", [], [])
    assert (call.outcome, call.said) == ("completed", answer.text)


@obligation(7, 13, 14)
@by_stream
async def test_answer_comes_in_many_pieces_and_each_once(way: str, space: Space) -> None:
    """Pieces come as the app makes them, and their sum is what the app said."""
    server = one_worker(space)
    pieces = await texts(phi4_at(server), way, "[[slow:0.06]] Grüße: Füße, 二, 三 🐍 end")
    assert len(pieces) > 4
    assert "".join(pieces) == "Turn 1. You said: Grüße: Füße, 二, 三 🐍 end"
    assert last_calls(server)[0].said == "".join(pieces)


@by_call
async def test_long_answer_arrives_whole(way: str, space: Space) -> None:
    """Four hundred tokens, as fast as the app makes them, are all there."""
    answer = await ask(phi4_at(five_workers(space)), way, "[[slow:0]][[long:400]]")
    assert answer.text.split() == [f"word{number}" for number in range(400)]


@by_turns
async def test_thought_is_reasoning_and_no_part_of_the_answer(way: str, space: Space) -> None:
    """Messages with a title are what the model thought."""
    answer = await ask(phi4_at(one_worker(space)), way, "[[thought]] why")
    assert answer.text == "Turn 1. You said: why"
    kinds = {block["type"]: block for block in answer.content_blocks}
    assert kinds["reasoning"]["reasoning"] == "First, read the question."  # type: ignore[typeddict-item]
    assert list(kinds) == ["reasoning", "text"]


@obligation(13, 14)
@by_call
async def test_answer_that_was_taken_back_is_the_last_version(way: str, space: Space) -> None:
    """A whole answer is what the app says in the end, although it began otherwise."""
    answer = await ask(phi4_at(one_worker(space)), way, "[[retract]] alpha")
    assert answer.text == "Let me start again. Done."
    assert answer.response_metadata["restarted"] is True


@obligation(13, 14)
@by_stream
async def test_streamed_answer_that_is_taken_back_says_so(way: str, space: Space) -> None:
    """What was given stands, the new version is not glued to it, and the metadata have that."""
    heard = Heard()
    answer = await ask(phi4_at(one_worker(space), on_progress=heard), way, "[[retract]] alpha")
    assert answer.text == "Turn 1. You said: alpha"
    assert answer.response_metadata["restarted"] is True
    assert answer.response_metadata["final_text"] == "Let me start again. Done."
    assert heard.kinds.count("rewritten") == 1


@by_turns
async def test_notices_and_steps_of_progress_are_told(way: str, space: Space) -> None:
    """Logs keep level and title, steps their numbers; all come before the first token."""
    heard = Heard()
    await ask(phi4_at(one_worker(space), on_progress=heard), way, "[[log]][[progress:0.15]] go")
    logs = [(each.message, each.data["level"], each.data["title"]) for each in heard.of("log")]
    assert logs == [
        ("Waiting for a GPU to become available", "info", "ZeroGPU queue"),
        ("The picture was scaled down", "warning", "Warning"),
        ("Successfully acquired a GPU", "success", "ZeroGPU queue"),
    ]
    steps = heard.of("progress")
    assert steps
    assert {(step.message, step.data["length"], step.data["unit"]) for step in steps} == {
        ("Reading", 4, "pages")
    }
    indexes = [step.data["index"] for step in steps]
    assert indexes == sorted(set(indexes))  # type: ignore[type-var]
    assert heard.kinds.index("started") < heard.kinds.index("log")


@obligation(5, 6)
@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_ten_calls_at_once_do_not_mix(way: str, space: Space) -> None:
    """Each has a session of its own, and gets the answer to its own question."""
    with Front(five_workers(space)) as front:
        model = phi4_at(front)
        prompts: list[Any] = [f"[[echo]] {f'word{number} ' * 12}end" for number in range(10)]
        at_once: Any = {"max_concurrency": 10}
        if way == "batch":
            answers = model.batch(prompts, at_once)
        else:
            answers = await model.abatch(prompts, at_once)
    found = [re.findall(r"word\d+|end", answer.text) for answer in answers]
    assert found == [[*[f"word{number}"] * 12, "end"] for number in range(10)]
    assert len(set(front.sessions)) == len(front.sessions) == 10
