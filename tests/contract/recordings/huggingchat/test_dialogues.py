"""Dialogues with a current server: each turn knows what was said, and is said once."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_g4f.errors import APITimeoutError, NotFoundError
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    REASONER,
    TEXT,
    assert_as_recorded,
    by_chunking,
    by_way,
    converse,
    handle_of,
    model_on,
    name_runs,
    play,
    proves,
)
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import ask


def played(replayer: Replayer) -> list[int]:
    """Which interactions were played, in order."""
    return [request.interaction for request in replayer.requests]


def said(*turns: tuple[str, str]) -> str:
    """What the recorded model answers when it is to tell what it was told."""
    return json.dumps([{"role": role, "text": text} for role, text in turns])


@proves("huggingchat/chat-multi-turn")
@pytest.mark.proves("obligation:huggingchat:4", "obligation:huggingchat:17")
@by_chunking
@by_way
async def test_three_turns_are_three_messages_of_one_conversation(way: str, chunking: str) -> None:
    """Each answer knows all turns before it, of which only the newest was sent."""
    replayer = play("huggingchat/chat-multi-turn", chunking)
    model = model_on(replayer, model=TEXT)
    questions = ["First question", "Second question [[echo]]", "Third question [[echo]]"]
    _, first, _, second, _, third = await converse(model, way, questions)
    turns = [("user", questions[0]), ("assistant", str(first.text)), ("user", questions[1])]
    assert first.text == "Echo (lab/text-small, turn 1): First question"
    assert second.text == said(*turns)
    assert third.text == said(*turns, ("assistant", str(second.text)), ("user", questions[2]))
    assert played(replayer) == [0, 2, 3, 4, 5, 6]
    assert_as_recorded(replayer)
    handles = [answer.response_metadata["conversation"] for answer in (first, second, third)]
    assert {handle["conversation"] for handle in handles} == {"6afff9b0977cd9b5eedcd06f"}


@proves("huggingchat/chat-multi-turn")
@by_way
async def test_answer_is_found_by_the_name_of_its_run(way: str) -> None:
    """A client that named its runs finds each answer by that name, wherever it stands."""
    replayer = play("huggingchat/chat-multi-turn")
    model = model_on(replayer, model=TEXT)
    name_runs(model, "529c9817-fbbd-425e-9144-fa23bbeed66e", "a107cfcb-f313-4935-a88a-1e844cdc734f")
    history = await converse(model, way, ["First question", "Second question [[echo]]"])
    for answer in history[1::2]:
        answer.response_metadata["conversation"] |= {"position": 99, "anchor": "gone"}
    third = await ask(model, [*history, HumanMessage("Third question [[echo]]")], way)
    assert third.text.endswith('{"role": "user", "text": "Third question [[echo]]"}]')
    assert_as_recorded(replayer)


@proves("huggingchat/chat-branch-from-earlier-message")
@by_chunking
@by_way
async def test_other_second_question_is_a_branch_of_the_same_conversation(
    way: str, chunking: str
) -> None:
    """It follows the first answer; what was said on the other branch stays there."""
    replayer = play("huggingchat/chat-branch-from-earlier-message", chunking)
    model = model_on(replayer, model=TEXT)
    trunk = (await converse(model, way, ["First question", "Second question"]))[:2]
    question = "Other second question [[echo]]"
    answer = await ask(model, [*trunk, HumanMessage(question)], way)
    assert answer.text == said(
        ("user", "First question"), ("assistant", str(trunk[1].text)), ("user", question)
    )
    assert played(replayer) == [0, 2, 3, 4, 5, 6]
    assert_as_recorded(replayer)


@proves("huggingchat/chat-retry-assistant")
@by_chunking
@by_way
async def test_regenerated_answer_stands_beside_the_first_one(way: str, chunking: str) -> None:
    """The question is not sent again, and the new answer has a handle of its own."""
    replayer = play("huggingchat/chat-retry-assistant", chunking)
    model = model_on(replayer, model=TEXT)
    history = await converse(model, way, ["Tell me"])
    again = await ask(model, history, way, regenerate=True)
    assert again.text == history[1].text == "Echo (lab/text-small, turn 1): Tell me"
    handles = [a.response_metadata["conversation"] for a in (history[1], again)]
    assert handles[0]["digest"] == handles[1]["digest"]
    assert [handle["position"] for handle in handles] == [1, 3]
    assert "inputs" not in replayer.requests[-1].json
    assert_as_recorded(replayer)


@proves("huggingchat/error-then-recover")
@by_chunking
@by_way
async def test_dialogue_goes_on_after_a_turn_that_failed(way: str, chunking: str) -> None:
    """The server keeps an empty answer for it, which the next message follows."""
    replayer = play("huggingchat/error-then-recover", chunking)
    replayer.skip(0, 1, 2)
    root = "f106a611-55d6-4cb5-b776-c5dbed1d8970"
    failed = handle_of(replayer, "6afff9ba977cd9b5eedcd13d", anchor=root, position=1)
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    answer = await ask(model, "now work", way, conversation=failed)
    assert answer.text == "Echo (lab/text-small, turn 2): now work"
    assert_as_recorded(replayer)


@proves("huggingchat/stop-while-idle-then-send")
@pytest.mark.proves("obligation:huggingchat:14")
@by_chunking
@by_way
async def test_finished_answer_is_never_followed_by_a_stop(way: str, chunking: str) -> None:
    """Somebody else's stop kills the next answer (6.2); its caller is told it was interrupted."""
    replayer = play("huggingchat/stop-while-idle-then-send", chunking)
    model = model_on(replayer, model=TEXT)
    history = await converse(model, way, ["hi", "count [[long:20]][[pace:50]]"])
    assert [message.text for message in history[1::2]] == [
        "Echo (lab/text-small, turn 1): hi",
        "w1 w2 w3 w4 w5",
    ]
    reasons = [answer.response_metadata["finish_reason"] for answer in history[1::2]]
    assert reasons == ["stop", "interrupted"]
    assert 4 in replayer.unplayed
    assert_as_recorded(replayer)


SWITCHED = "huggingchat/conversation-switch-model"


@proves(SWITCHED)
@by_chunking
@by_way
async def test_conversation_whose_model_was_switched_elsewhere_says_who_answers(
    way: str, chunking: str
) -> None:
    """The model belongs to the conversation: who goes on in it gets the one it has now."""
    replayer = play(SWITCHED, chunking)
    model = model_on(replayer, model=TEXT)
    history = await converse(model, way, ["Hi"])
    replayer.skip(3, 4)
    answer = await ask(
        model, [*history, HumanMessage("Who are you?")], way, conversation=history[1]
    )
    assert answer.text == "Echo (lab/reasoner, turn 2): Who are you?"
    assert answer.response_metadata["model_name"] == REASONER
    assert_as_recorded(replayer)


async def test_history_is_not_given_to_a_model_that_was_not_asked() -> None:
    """Where the conversation's model was switched elsewhere, a new conversation begins."""
    replayer = play(SWITCHED)
    told: list[str] = []
    model = model_on(replayer, model=TEXT, on_progress=lambda each: told.append(each.message))
    history = await converse(model, "invoke", ["Hi"])
    replayer.skip(3, 4)
    with pytest.raises(AssertionError, match=r"POST /chat/conversation \{'model'"):
        model.invoke([*history, HumanMessage("Who are you?")])
    assert told[-1] == "its model is now lab/reasoner"


@proves("huggingchat/conversation-delete-message")
@by_way
async def test_answer_that_was_deleted_elsewhere_is_missed_where_it_was_named(way: str) -> None:
    """A caller who goes on from that very answer is told that it is gone."""
    replayer = play("huggingchat/conversation-delete-message")
    model = model_on(replayer, model=TEXT)
    history = await converse(model, way, ["Hi"])
    replayer.skip(3, 4)
    with pytest.raises(NotFoundError, match="no longer has that answer"):
        await ask(model, [*history, HumanMessage("And?")], way, conversation=history[1])
    assert played(replayer) == [0, 2, 5]
    assert_as_recorded(replayer)


@proves("huggingchat/two-generations-at-once")
@pytest.mark.proves("obligation:huggingchat:5")
@by_chunking
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_second_message_waits_until_the_answer_to_the_first_is_over(
    way: str, chunking: str
) -> None:
    """Of two sends at once the server would lose one (5.4): the second is not even begun."""
    replayer = play("huggingchat/two-generations-at-once", chunking)
    model = model_on(replayer, model=TEXT, cookies=COOKIES)
    hasty = model_on(replayer, model=TEXT, cookies=COOKIES, timeout=0.05)
    history: list[BaseMessage] = [HumanMessage("first [[long:20]][[pace:50]]")]

    async def interrupt(chunk: AIMessage) -> None:
        """Go on from an answer that is still being given."""
        with pytest.raises(APITimeoutError, match="another call did not end"):
            await ask(hasty, "second", "a" * (way == "astream") + "invoke", conversation=chunk)
        assert played(replayer) == [0, 3]

    if way == "stream":
        chunks = model.stream(history)
        whole = next(chunks)
        await interrupt(whole)
        for chunk in chunks:
            whole += chunk
    else:
        later = model.astream(history)
        whole = await anext(later)
        await interrupt(whole)
        async for chunk in later:
            whole += chunk
    assert whole.text.endswith("w19 w20")
    # Now it is over, and the conversation is read: it has the first answer, whole.
    edited = whole.model_copy(update={"content": "w1, then something else"})
    with pytest.raises(NotFoundError, match="no longer has that answer"):
        hasty.invoke([*history, edited, HumanMessage("second")], conversation=edited)
    assert played(replayer) == [0, 3, 4]
    assert_as_recorded(replayer)
