"""What the recorded Phi-4 refuses: stale functions, wrong shapes, requests of an earlier client."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIStatusError, AppError, BadRequestError, ServerError
from tests.contract.recordings.gradio_space.recordings import (
    PHI4,
    PHI4_ON_6,
    TURN,
    Space,
    answering,
    assert_as_recorded,
    by_chunking,
    by_server,
    by_way,
    model_on,
    on_both_lines,
    play,
    played,
    reply,
    whatever,
)
from tests.contract.recordings.gradio_space.test_errors import HIDDEN, QUESTION
from tests.contract.recordings.replay import Replayer, Routed
from tests.contract.recordings.suite import ask

RED = play(f"{PHI4}/old_client_image").recorded[0].files[0].content
GREETING = "Turn 1. You said: Hello"
PICTURE = (
    "Turn 1. You said: Describe this image: File 1: image.png, 74 bytes,"
    " sha256 1f885f714ac91ca2d1bd84cceb8a7d1b7ccbf6bb5e92e480561da2543cf02af1."
)


def of(replayer: Replayer, interaction: int) -> httpx.MockTransport:
    """A server that answers as it answered to this."""
    return answering(lambda _: replayer.response(interaction))


@on_both_lines("bad_requests")
@pytest.mark.proves("obligation:gradio-space:20", "fault:11:PH")
@pytest.mark.parametrize(
    ("interaction", "error", "status"),
    [
        (0, ServerError, 500),
        (1, BadRequestError, 400),
        (2, BadRequestError, 400),
        (3, BadRequestError, 422),
        (4, BadRequestError, 422),
    ],
)
@by_way
async def test_joining_that_is_refused_says_with_what(
    way: str, interaction: int, error: type[APIStatusError], status: int, recording: str
) -> None:
    """Text or JSON, the caller gets the status and what was said; nothing is read or cancelled."""
    replayer = play(recording)
    space = Space(recording, replayer, {"queue/join": of(replayer, interaction)})
    with pytest.raises(error) as caught:
        await ask(model_on(space), "hi", way)
    assert (type(caught.value), caught.value.status_code) == (error, status)
    assert caught.value.phase == "join the queue"
    assert caught.value.body
    assert space.asked == ["config", *TURN[:2]]


@on_both_lines("bad_requests")
@pytest.mark.proves("obligation:gradio-space:18")
@by_chunking
@by_way
async def test_wrong_input_fails_without_a_reason_and_the_error_says_what_that_may_mean(
    way: str, chunking: str, recording: str
) -> None:
    """The queue takes any data and fails later; a direct call fails at once."""
    replayer = play(recording, chunking, same=whatever)
    late = Space(
        recording, replayer, {"queue/join": of(replayer, 5), "queue/data": of(replayer, 6)}
    )
    event = json.loads(replayer.response(5).read())["event_id"]
    assert event in replayer.response(6).read().decode()
    with pytest.raises(AppError) as caught:
        await ask(model_on(late), "hi", way)
    assert (str(caught.value), caught.value.phase) == (HIDDEN, "read the answer")
    for interaction in (7, 10):
        early = Space(recording, replayer, {"run/predict": of(replayer, interaction)})
        with pytest.raises(AppError) as caught:
            await ask(model_on(early), "hi", way)
        assert (str(caught.value), caught.value.phase) == (HIDDEN, "run add_message")


@by_server
@pytest.mark.proves("obligation:gradio-space:1")
@by_way
async def test_function_that_has_moved_is_looked_for_once_more(way: str, server: str) -> None:
    """A 500 on joining may mean that the app was edited: its description is read again."""
    refused, replayer = play(f"{server}/bad_requests"), play(f"{server}/text_turn")
    (old,) = [each for each in refused.recorded[:1] if each.json["fn_index"] == 999]

    def join(request: httpx.Request) -> Replayer | httpx.MockTransport:
        stale = json.loads(request.content)["fn_index"] == old.json["fn_index"]
        return of(refused, 0) if stale else replayer

    space = Space(f"{server}/text_turn", replayer, {"queue/join": Routed(join)})
    described = [_moved(space.description), space.description]
    space.instead["config"] = answering(lambda _: reply(described.pop(0)))
    told: list[Progress] = []
    model = model_on(space, ["stale", "5279ea99d59"], on_progress=told.append)
    model.get_models()
    answer = await ask(model, QUESTION, way)
    assert answer.text == f"Turn 1. You said: {QUESTION}"
    assert [each.data for each in told if each.kind == "retry"] == [{"recovery": "changed app"}]
    assert space.asked == ["config", *TURN[:2], "config", *TURN]
    assert_as_recorded(replayer)


def _moved(description: dict[str, Any]) -> dict[str, Any]:
    """The description of an earlier run of the app, whose answering function is gone."""
    earlier = copy.deepcopy(description) | {"app_id": 1}
    for function in earlier["dependencies"]:
        function["id"] = 999 if function["id"] == 11 else function["id"]
    return earlier


@pytest.mark.proves("obligation:gradio-space:2", "obligation:gradio-space:3")
@on_both_lines("old_client_text", "old_client_image")
@by_chunking
@by_way
async def test_request_of_the_earlier_client_is_taken_by_the_older_line_alone(
    way: str, chunking: str, recording: str
) -> None:
    """What we prepare is what it prepared; its message in the other line's shape fails there."""
    replayer = play(recording, chunking, same=whatever)
    space = Space(recording, replayer)
    picture = recording.endswith("image")
    given = {"media": [(RED, "image.png")]} if picture else {}
    prompt = "Describe this image:" if picture else "Hello"
    if recording.startswith(PHI4_ON_6):
        with pytest.raises(AppError) as caught:
            await ask(model_on(space), prompt, way, **given)
        assert str(caught.value) == HIDDEN
    else:
        answer = await ask(model_on(space), prompt, way, **given)
        assert answer.text == (PICTURE if picture else GREETING)
    *prepared, joined, _ = replayer.requests
    for request in prepared:
        recorded = replayer.recorded[request.interaction]
        assert (request.json, request.files) == (recorded.json, recorded.files)
    assert joined.json["data"][1] is None
    assert played(replayer) == list(range(len(replayer.recorded)))


@on_both_lines("old_client_no_media")
@pytest.mark.proves("obligation:gradio-space:3", "obligation:gradio-space:18")
@by_way
async def test_null_for_no_files_would_be_refused_and_is_not_sent(way: str, recording: str) -> None:
    """The earlier client sent null; an empty list is what the server takes."""
    replayer = play(recording, same=whatever)
    with pytest.raises(AppError) as caught:
        await ask(model_on(Space(recording, replayer)), "Hello", way)
    assert str(caught.value) == HIDDEN
    (sent,) = replayer.requests
    assert replayer.recorded[0].json["data"][1]["files"] is None
    assert sent.json["data"] == [[], {"text": "Hello", "files": []}, None]


@on_both_lines("join_without_predict")
@pytest.mark.proves("obligation:gradio-space:4")
@by_chunking
@by_way
async def test_app_that_has_forgotten_the_preparation_answers_without_it(
    way: str, chunking: str, recording: str
) -> None:
    """Text and files are under the session alone: where that is lost, a picture is missed."""
    replayer = play(recording, chunking, same=whatever)
    model = model_on(Space(recording, replayer), ["fdeb3418904", "cd2ab2de0f4"])
    answer = await ask(model, "[[state]]", way)
    assert answer.text == "Turn 0. Prompts so far: []. Files: 0."
    with pytest.raises(AppError, match="AttributeError: no picture in this conversation") as caught:
        await ask(model, "[[needs-image]] look", way)
    assert caught.value.title == "Error"
    assert played(replayer) == [0, 1, 3, 4]
