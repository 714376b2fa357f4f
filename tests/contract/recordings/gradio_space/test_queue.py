"""Waiting for the recorded Phi-4: places in its queue, and what it tells meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import QueueFullError
from tests.contract.recordings.gradio_space.recordings import (
    TURN,
    Space,
    assert_as_recorded,
    by_chunking,
    by_stream,
    by_way,
    model_on,
    on_both_lines,
    play,
    played,
    sessions_in,
)
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import ask

Places = list[tuple[Any, Any]]
HELD = "[[queue]] hold"


def places(told: Sequence[Progress]) -> Places:
    """Where in the queue the call was, and of how many."""
    return [(p.data["rank"], p.data["queue_size"]) for p in told if p.kind == "queued"]


def estimates(replayer: Replayer, interaction: int) -> list[Any]:
    """The seconds that a recorded stream has estimated, in order, each place once."""
    lines = replayer.response(interaction).read().decode().split("\n\n")
    found = [json.loads(line.removeprefix("data: ")) for line in lines if '"estimation"' in line]
    return [each["rank_eta"] for each in found]


@on_both_lines("queue_wait")
@pytest.mark.proves("obligation:gradio-space:6", "obligation:gradio-space:10")
@by_chunking
@by_stream
async def test_three_calls_at_once_see_their_places_and_are_kept_apart(
    way: str, chunking: str, recording: str
) -> None:
    """Each has a session of its own, is told where it is, and is given its own answer."""
    replayer = play(recording, chunking)
    questions = ["[[queue]] first", "[[queue]] second", "third"]
    told: list[list[Progress]] = [[], [], []]
    space = Space(recording, replayer)
    sessions = sessions_in(replayer)
    models = [
        model_on(space, [session], on_progress=heard.append)
        for session, heard in zip(sessions, told, strict=True)
    ]
    begun = [
        model.stream(question) if way == "stream" else model.astream(question)
        for model, question in zip(models, questions, strict=True)
    ]
    texts = ["", "", ""]
    for at, chunks in enumerate(begun):  # all three are open before any goes on
        texts[at] += (await _next(chunks)).text
    for at, chunks in enumerate(begun):
        while (chunk := await _next(chunks)) is not None:
            texts[at] += chunk.text
    assert texts == [f"Turn 1. You said: {word}" for word in ("first", "second", "third")]
    expected: list[Places] = [[(0, 1)], [(1, 2), (0, 2)], [(2, 3), (1, 2), (0, 1)]]
    if "gradio6" in recording:
        expected = [[(0, 1)], [(0, 1)], [(1, 2), (0, 1)]]
    assert [places(each) for each in told] == expected
    for heard, interaction in zip(told, (6, 7, 8), strict=True):
        etas = [each.data["eta_s"] for each in heard if each.kind == "queued"]
        assert etas == estimates(replayer, interaction)
        assert heard[-1].kind == "started"
        assert heard[-1].data["eta_s"] is not None
    assert len({request.query.get("session_hash") for request in replayer.requests} - {None}) == 3
    assert not replayer.unplayed
    assert_as_recorded(replayer, exactly=False)


async def _next(chunks: Any) -> Any:
    """The next chunk of a stream of either kind, None at its end."""
    if hasattr(chunks, "__anext__"):
        return await anext(chunks, None)
    return next(chunks, None)


@on_both_lines("queue_full")
@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:20", "fault:10:PH")
@by_chunking
@by_way
async def test_full_queue_is_an_error_of_its_own_and_who_is_in_it_gets_an_answer(
    way: str, chunking: str, recording: str
) -> None:
    """It is said on joining, in JSON: the platform's 503 is a page."""
    replayer = play(recording, chunking)
    *inside, outside = sessions_in(replayer)
    told: list[Progress] = []
    space = Space(recording, replayer)
    model = model_on(space, [outside, *inside], on_progress=told.append, queue_timeout=0.9)
    with pytest.raises(QueueFullError, match="answered with 503: Queue is full") as caught:
        await ask(model, "hi", way)
    assert (type(caught.value), caught.value.status_code) == (QueueFullError, 503)
    assert caught.value.body == "Queue is full. Max size is 4 and size is 4."
    assert caught.value.is_retryable
    assert space.asked == ["config", *TURN[:2]]
    assert told == []
    assert (await ask(model, HELD, way)).text == "Turn 0. You said: hold"
    seen = []
    for _ in inside[1:]:
        told.clear()
        assert (await ask(model, "hi", way)).text == "Turn 0. You said: hi"
        seen.append([rank for rank, _ in places(told)])
    assert seen == [[0], [1, 0], [2, 1, 0], [3, 2, 1, 0]]
    assert played(replayer) == [5, 0, 6, 1, 7, 2, 8, 3, 9, 4, 10]
    assert_as_recorded(replayer, exactly=False)


@on_both_lines("log_and_progress")
@by_chunking
@by_way
async def test_what_the_app_logs_and_counts_is_progress(
    way: str, chunking: str, recording: str
) -> None:
    """With the level and title of a log, and the numbers of a step."""
    told: list[Progress] = []
    model = model_on(Space(recording, play(recording, chunking)), on_progress=told.append)
    await ask(model, "[[log]][[progress]] toast me", way)
    queued, started, *others = told
    assert (queued.kind, started.kind) == ("queued", "started")
    gpu, warning = "ZeroGPU queue", {"level": "warning", "title": "Warning"}
    assert [(each.message, each.data) for each in others[:3]] == [
        ("Waiting for a GPU to become available", {"level": "info", "title": gpu}),
        ("The picture was scaled down", warning),
        ("Successfully acquired a GPU", {"level": "success", "title": gpu}),
    ]
    steps = [each.data for each in others[3:]]
    assert {each.kind for each in others[3:]} == {"progress"}
    assert [step["index"] for step in steps] == list(range(len(steps)))
    same = {"length": 4, "unit": "pages", "progress": None, "desc": "Reading"}
    assert all(step.items() >= same.items() for step in steps)
    assert len(steps) >= 3
