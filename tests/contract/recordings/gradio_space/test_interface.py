"""The function for callers of a recorded `gr.ChatInterface`, which has two more inputs."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import APIError, AppError, ConfigurationError, QuotaExceededError
from tests.contract.recordings.gradio_space.recordings import (
    INTERFACE,
    INTERFACE_ON_5,
    Space,
    answers,
    by_call,
    by_chunking,
    by_way,
    converse,
    model_on,
    on_both_lines,
    play,
    played,
    sessions_in,
    whatever,
)
from tests.contract.recordings.replay import Replayer, contains
from tests.contract.recordings.suite import ask

LISTEN = ["queue/join", "queue/data"]
GIVEN = "You said: x y z"
FINAL = "Let me start again."
QUOTA = "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 12:34:56."


BUTTON, BUTTON_OF_PHI4 = 14, 8
"""What starts the function. The recording client named the other app's; the server takes any."""


def same(recorded: Any, sent: Any) -> bool:
    """Whether it is the same but for the button."""
    return contains(recorded, sent) or (recorded, sent) == (BUTTON_OF_PHI4, BUTTON)


def assert_as_recorded(replayer: Replayer) -> None:
    """Nothing else was asked, nothing more, and the app's own button is named."""
    assert not replayer.refused
    for request in replayer.requests:
        recorded = replayer.recorded[request.interaction].json
        assert request.json == (recorded and recorded | {"trigger_id": BUTTON})


def on_interfaces(*names: str) -> pytest.MarkDecorator:
    """These recordings of both lines, marked."""
    return on_both_lines(*names, folders=(INTERFACE_ON_5, INTERFACE))


@on_interfaces("queue_text")
@pytest.mark.proves(
    "obligation:gradio-space:3", "obligation:gradio-space:5", "obligation:gradio-space:14"
)
@by_chunking
@by_way
async def test_session_of_an_interface_is_continued_and_answers_may_be_replaced(
    way: str, chunking: str, recording: str
) -> None:
    """The app keeps the history; all of its inputs are sent, what they begin with as well."""
    replayer = play(recording, chunking, same=same)
    space = Space(recording, replayer)
    told: list[Progress] = []
    model = model_on(space, on_progress=told.append, api_name="chat")
    questions = ["hello queue", "[[history]]", "[[retract]] x y z"]
    first, second, third = answers(await converse(model, way, questions))
    assert first.text == "You said: hello queue"
    history = "History: 2 messages ['user', 'assistant']. System: 'Be brief.'. Temperature: 0.7."
    assert second.text == history
    assert third.text == (GIVEN if "stream" in way else FINAL)
    assert third.response_metadata["final_text"] == FINAL
    assert third.response_metadata["restarted"] is True
    assert "restarted" not in first.response_metadata
    assert [each.kind for each in told if each.kind == "rewritten"] == ["rewritten"]
    handles = [each.response_metadata["conversation"] for each in (first, second, third)]
    assert {handle["session"] for handle in handles} == {"b464aa103bb"}
    assert first.response_metadata["model_name"] == "Chat stand-in"
    assert first.response_metadata["model_provider"] == "gradio_space"
    assert space.asked == ["config", *LISTEN, "app_id", *LISTEN, "app_id", *LISTEN]
    assert not replayer.unplayed
    assert_as_recorded(replayer)


@on_interfaces("queue_errors")
@pytest.mark.proves("obligation:gradio-space:17", "fault:25:PH")
@by_chunking
@by_way
async def test_errors_of_an_interface_are_those_of_any_app(
    way: str, chunking: str, recording: str
) -> None:
    """Before the first word, after some, and of the GPU."""
    replayer = play(recording, chunking, same=same)
    model = model_on(Space(recording, replayer), api_name="chat")
    title: Any = {"title": "Model error"}
    for directive, error, partial, attributes in (
        ("error", AppError, "", title),
        ("error:mid", AppError, "You said: a ", title),
        ("quota", QuotaExceededError, "", {"retry_after": 45_296.0, "body": QUOTA}),
    ):
        caught = await _failure(model, f"[[{directive}]] a b c d e", way)
        assert type(caught) is error
        assert caught.partial_text == partial
        assert {name: getattr(caught, name) for name in attributes} == attributes
    assert played(replayer) == [0, 1, 2, 3, 4, 5]
    assert_as_recorded(replayer)


async def _failure(model: Any, question: str, way: str) -> APIError:
    with pytest.raises(APIError) as caught:
        await ask(model, question, way)
    return caught.value


@on_interfaces("queue_text")
@by_call
async def test_inputs_of_the_app_are_set_by_their_labels(way: str, recording: str) -> None:
    """A system message and the temperature have a place of their own; names do as well."""
    replayer = play(recording, same=lambda old, new: whatever(old, new) or same(old, new))
    space = Space(recording, replayer)
    (session,) = sessions_in(replayer)
    model = model_on(space, [session] * 2, temperature=0.2, conversation="new", api_name="chat")
    await ask(model, [("system", "Be long."), ("user", "hello queue")], way)
    await ask(model, "hello queue", way, inputs={"System prompt": "Be rude.", "temperature": 1})
    sent = [request.json["data"] for request in replayer.requests if request.method == "POST"]
    message = {"text": "hello queue", "files": []}
    assert sent == [[message, None, "Be long.", 0.2], [message, None, "Be rude.", 1]]
    with pytest.raises(ConfigurationError, match=r"'tone'; its inputs are: 'system_prompt', 'temp"):
        await ask(model, "hello queue", way, inputs={"tone": "rude"})
