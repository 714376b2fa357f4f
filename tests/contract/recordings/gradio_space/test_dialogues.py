"""Dialogues with the recorded Phi-4, and sessions: one for each call, or for one dialogue."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import HumanMessage

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import SessionLostError
from tests.contract.recordings.gradio_space.recordings import (
    TURN,
    Renamed,
    Space,
    answers,
    assert_as_recorded,
    by_chunking,
    by_server,
    by_way,
    converse,
    model_on,
    on_both_lines,
    play,
    played,
    saying,
    whatever,
)
from tests.contract.recordings.gradio_space.test_errors import QUESTION
from tests.contract.recordings.replay import Routed, Transport
from tests.contract.recordings.suite import ask

ADA = ["My name is Ada.", "What did I say?", "[[state]]"]
LOST_AND_RECORDED = ["neverseen00", "5279ea99d59"]
LATER = "new turn after the cut"


@on_both_lines("multi_turn")
@pytest.mark.proves("obligation:gradio-space:5", "obligation:gradio-space:1")
@by_chunking
@by_way
async def test_three_turns_are_one_session_of_an_app_that_was_not_restarted(
    way: str, chunking: str, recording: str
) -> None:
    """Each sends its own message, and what the chatbot showed last; before, the app is checked."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    model = model_on(space)
    found = answers(await converse(model, way, ADA))
    assert [answer.text for answer in found] == [
        "Turn 1. You said: My name is Ada.",
        "Turn 2. You said: What did I say?",
        f"Turn 3. Prompts so far: {ADA}. Files: 0.",
    ]
    handles = [answer.response_metadata["conversation"] for answer in found]
    assert [handle["turn"] for handle in handles] == [1, 2, 3]
    same = {"provider": "microsoft_phi4", "server": model.base_url, "session": "c7146c31856"}
    assert all(handle.items() >= same.items() for handle in handles)
    assert space.asked == ["config", *TURN, "app_id", *TURN, "app_id", *TURN]
    assert not replayer.unplayed
    assert_as_recorded(replayer)


@on_both_lines("multi_turn")
@by_way
async def test_dialogue_goes_on_from_a_handle_without_its_history(way: str, recording: str) -> None:
    """The app has the history; a handle or the answer itself says where to go on."""
    replayer = play(recording)
    model = model_on(Space(recording, replayer))
    first = await ask(model, ADA[0], way)
    second = await ask(model, ADA[1], way, conversation=first)
    handle = second.response_metadata["conversation"]
    assert (await ask(model, ADA[2], way, conversation=handle)).text.startswith("Turn 3. ")
    with pytest.raises(SessionLostError, match="cannot be continued"):
        await ask(model, "And?", way, conversation=first)
    assert_as_recorded(replayer)
    assert not replayer.unplayed


@by_server
@pytest.mark.proves("obligation:gradio-space:5")
@by_way
async def test_app_that_was_restarted_is_sent_the_history_in_a_fresh_session(
    way: str, server: str
) -> None:
    """Another `app_id` means that its sessions are gone, and its ids may have moved."""
    replayer = play(f"{server}/multi_turn")
    renewed = Renamed(play(f"{server}/text_turn", same=whatever))
    space = Space(f"{server}/multi_turn", replayer, {"app_id": saying({"app_id": 1})})
    told: list[Progress] = []
    model = model_on(space, ["c7146c31856", "fresh"], on_progress=told.append)
    history = [*(await converse(model, way, ADA[:1])), HumanMessage(ADA[1])]
    space.instead |= dict.fromkeys(TURN, renewed)
    answer = await ask(model, history, way)
    assert answer.response_metadata["conversation"]["session"] == "fresh"
    assert answer.response_metadata["conversation"]["turn"] == 1
    assert "conversation_lost" in [each.kind for each in told]
    assert space.asked.count("config") == 2
    assert renewed.sessions == ["fresh"] * 3
    prompt = renewed.bodies[0]["data"][1]["text"]
    assert "<user>\nMy name is Ada.\n</user>" in prompt
    assert prompt.endswith(ADA[1])


@by_server
@pytest.mark.proves("obligation:gradio-space:5", "obligation:gradio-space:6")
@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_no_two_calls_share_a_session(way: str, server: str) -> None:
    """Not at the same time, and not one after the other, if they are not one dialogue."""
    name = f"{server}/text_turn"
    calls: dict[str, Renamed] = {}

    def by_session(request: httpx.Request) -> Renamed:
        session = request.url.params.get("session_hash")
        session = session or json.loads(request.content)["session_hash"]
        return calls.setdefault(session, Renamed(play(name)))

    model = model_on(Space(name, instead=dict.fromkeys(TURN, Routed(by_session))))
    model._state.new_id = lambda: str(uuid.uuid4())
    questions: list[LanguageModelInput] = [QUESTION] * 3
    found = [*model.batch(questions)] if way == "batch" else await model.abatch(questions)
    found.append(model.invoke(QUESTION) if way == "batch" else await model.ainvoke(QUESTION))
    assert {answer.text for answer in found} == {f"Turn 1. You said: {QUESTION}"}
    assert len(calls) == len(found)
    for session, call in calls.items():
        assert call.sessions == [session] * 3
        assert len(session) >= 11


@on_both_lines("unknown_session")
@pytest.mark.proves("obligation:gradio-space:11", "obligation:gradio-space:12", "fault:25:PH")
@by_chunking
@by_way
async def test_session_that_is_lost_before_a_word_is_tried_once_more_under_another(
    way: str, chunking: str, recording: str
) -> None:
    """Both lines say it in words of their own, and break off; nothing visible was given yet."""
    space, told = losing(recording, chunking), list[Progress]()
    model = model_on(space, LOST_AND_RECORDED, max_retries=2, on_progress=told.append)
    answer = await ask(model, QUESTION, way)
    assert answer.text == f"Turn 1. You said: {QUESTION}"
    assert answer.response_metadata["retries"] == 1
    assert [each.data for each in told if each.kind == "retry"] == [{"recovery": "new session"}]
    assert_as_recorded(space.replayer)
    assert not space.replayer.unplayed


@on_both_lines("unknown_session")
@by_chunking
@by_way
async def test_session_that_is_lost_is_the_callers_to_know_where_nothing_is_retried(
    way: str, chunking: str, recording: str
) -> None:
    """It is told from other failures of the queue, by the number or by a field of its own."""
    model = model_on(losing(recording, chunking), LOST_AND_RECORDED)
    with pytest.raises(SessionLostError, match="no longer knows the session: 404: ") as caught:
        await ask(model, QUESTION, way)
    assert type(caught.value) is SessionLostError
    assert caught.value.partial_text == ""


def losing(recording: str, chunking: str) -> Space:
    """A server that does not know the first session; the second is that of a recorded turn."""
    lost = play(recording, chunking)
    name = recording.replace("unknown_session", "text_turn")
    replayer = play(name, chunking)

    def listen(request: httpx.Request) -> Transport:
        return lost if request.url.params["session_hash"] == LOST_AND_RECORDED[0] else replayer

    def join(request: httpx.Request) -> Transport:
        known = json.loads(request.content)["session_hash"] == LOST_AND_RECORDED[1]
        return replayer if known else saying({"event_id": "e"})

    return Space(name, replayer, {"queue/data": Routed(listen), "queue/join": Routed(join)})


@on_both_lines("dropped_stream")
@pytest.mark.proves("obligation:gradio-space:9", "obligation:gradio-space:11", "fault:16:PH")
@by_chunking
@by_way
async def test_stream_that_was_dropped_is_not_read_again_and_the_next_turn_ends_by_itself(
    way: str, chunking: str, recording: str
) -> None:
    """After a drop `close_stream` never comes (section 3): the answer is over before it."""
    replayer = play(recording, chunking)
    slow = "[[slow]] a b c d e f g h i j k l"
    with pytest.raises(SessionLostError):
        await ask(model_on(Space(recording, replayer)), slow, way)
    assert played(replayer) == [0, 1]
    answer = await ask(model_on(Space(recording, replayer)), LATER, way)
    assert answer.text == f"Turn 1. You said: {LATER}"
    assert answer.response_metadata["finish_reason"] == "stop"
    last = replayer.requests[-1].stream
    assert last.closed
    assert b"close_stream" not in replayer.response(5).read()
    assert played(replayer) == [0, 1, 3, 4, 5]
    assert_as_recorded(replayer, exactly=False)
