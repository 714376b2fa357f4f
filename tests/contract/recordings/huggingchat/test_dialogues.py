"""Dialogues with a current server: each turn knows what was said, and is said once."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_g4f.errors import APITimeoutError, ConfigurationError, NotFoundError
from tests.contract.recordings.huggingchat.recordings import (
    COOKIES,
    LEGACY,
    REASONER,
    TEXT,
    assert_as_recorded,
    by_mode,
    by_stream_mode,
    by_version,
    by_way,
    converse,
    handle_of,
    model_for,
    model_on,
    name_runs,
    play,
    played,
    proves,
    said,
)
from tests.contract.recordings.suite import ask


@by_version("chat-multi-turn")
@pytest.mark.proves("obligation:huggingchat:4", "obligation:huggingchat:17")
@by_mode
async def test_three_turns_are_three_messages_of_one_conversation(
    way: str, chunking: str, recording: str
) -> None:
    """Each answer knows all messages before it, of which only the newest was sent."""
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=TEXT)
    questions = ["First question", "Second question [[echo]]", "Third question [[echo]]"]
    _, first, _, second, _, third = await converse(model, way, questions)
    told = [("user", questions[0]), ("assistant", str(first.text)), ("user", questions[1])]
    assert first.text == "Echo (lab/text-small, turn 1): First question"
    assert second.text == said(recording, *told)
    told += [("assistant", str(second.text)), ("user", questions[2])]
    assert third.text == said(recording, *told)
    creation = [0, 1, 2] if recording.startswith(LEGACY) else [0, 2]
    assert played(replayer) == [*creation, 3, 4, 5, 6]
    assert_as_recorded(replayer)
    handles = [answer.response_metadata["conversation"] for answer in (first, second, third)]
    assert len({handle["conversation"] for handle in handles}) == 1


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


@by_version("chat-branch-from-earlier-message")
@by_mode
async def test_other_second_question_is_a_branch_of_the_same_conversation(
    way: str, chunking: str, recording: str
) -> None:
    """It follows the first answer; the messages of the other branch stay there."""
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=TEXT)
    trunk = (await converse(model, way, ["First question", "Second question"]))[:2]
    question = "Other second question [[echo]]"
    answer = await ask(model, [*trunk, HumanMessage(question)], way)
    told = [("user", "First question"), ("assistant", str(trunk[1].text)), ("user", question)]
    assert answer.text == said(recording, *told)
    assert_as_recorded(replayer)


@by_version("chat-retry-assistant")
@by_mode
async def test_regenerated_answer_stands_beside_the_first_one(
    way: str, chunking: str, recording: str
) -> None:
    """The question is not sent again, and the new answer has a handle of its own."""
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=TEXT)
    history = await converse(model, way, ["Tell me"])
    again = await ask(model, history, way, regenerate=True)
    assert again.text == history[1].text == "Echo (lab/text-small, turn 1): Tell me"
    handles = [a.response_metadata["conversation"] for a in (history[1], again)]
    assert handles[0]["digest"] == handles[1]["digest"]
    assert handles[0]["position"] < handles[1]["position"]
    assert "inputs" not in replayer.requests[-1].json
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/chat-continue")
@by_mode
async def test_continued_answer_is_the_part_that_was_added(way: str, chunking: str) -> None:
    """The server appends it to the answer it has; the caller gets what is new."""
    recording = "huggingchat-legacy/chat-continue"
    replayer = play(recording, chunking)
    model = model_for(recording, replayer, model=TEXT)
    history = await converse(model, way, ["Say [[say:part one]]"])
    more = await ask(model, history, way, continue_answer=True)
    assert [history[1].text, more.text] == ["part one", "part one"]
    assert more.response_metadata["conversation"]["continued"] is True
    # It replaces the first part in the history, or stands behind it: the next turn finds both.
    kept = [history[0], more] if chunking == "whole" else [*history, more]
    with pytest.raises(ConfigurationError, match="no new message"):
        await ask(model, kept, way)
    assert played(replayer) == [0, 1, 2, 3, 4, 5]
    assert_as_recorded(replayer)


@proves("huggingchat/error-then-recover")
@by_mode
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
@by_mode
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
@by_mode
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
@by_stream_mode
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
