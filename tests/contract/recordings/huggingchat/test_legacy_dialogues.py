"""Dialogues with a server of the older generation, whose pages are read as data (9.1)."""

from __future__ import annotations

import base64
import json

import pytest
from langchain_core.messages import HumanMessage

from langchain_g4f import ChatHuggingChat
from langchain_g4f.errors import ConfigurationError
from tests.contract.recordings.huggingchat.recordings import (
    TEXT,
    VISION,
    assert_as_recorded,
    by_chunking,
    by_way,
    converse,
    legacy_server,
    model_on,
    play,
    proves,
)
from tests.contract.recordings.huggingchat.test_media import RED, STORED, image, question
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import ask

UPLOAD = "huggingchat-legacy/chat-image-upload"


def on(replayer: Replayer, model: str = TEXT) -> ChatHuggingChat:
    """A model on a server of the older generation."""
    return model_on(replayer, legacy_server(replayer), model=model)


def played(replayer: Replayer) -> list[int]:
    """Which interactions were played, in order."""
    return [request.interaction for request in replayer.requests]


def said(*turns: tuple[str, str]) -> str:
    """What the recorded model answers when it is to tell what it was told."""
    told = [("system", ""), *turns]
    return json.dumps([{"role": role, "text": text} for role, text in told])


@proves("huggingchat-legacy/chat-multi-turn")
@by_chunking
@by_way
async def test_three_turns_are_three_messages_of_one_conversation(way: str, chunking: str) -> None:
    """An answer is found by its place, for this server keeps no name of a run."""
    replayer = play("huggingchat-legacy/chat-multi-turn", chunking)
    questions = ["First question", "Second question [[echo]]", "Third question [[echo]]"]
    history = await converse(on(replayer), way, questions)
    first, second, third = (str(message.text) for message in history[1::2])
    assert first == "Echo (lab/text-small, turn 1): First question"
    turns = [("user", questions[0]), ("assistant", first), ("user", questions[1])]
    assert second == said(*turns)
    assert third == said(*turns, ("assistant", second), ("user", questions[2]))
    assert played(replayer) == [0, 1, 2, 3, 4, 5, 6]
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/chat-branch-from-earlier-message")
@by_chunking
@by_way
async def test_other_second_question_is_a_branch_of_the_same_conversation(
    way: str, chunking: str
) -> None:
    """Though the conversation has grown, the first answer is still found."""
    replayer = play("huggingchat-legacy/chat-branch-from-earlier-message", chunking)
    model = on(replayer)
    trunk = (await converse(model, way, ["First question", "Second question"]))[:2]
    other = "Other second question [[echo]]"
    answer = await ask(model, [*trunk, HumanMessage(other)], way)
    assert answer.text == said(
        ("user", "First question"), ("assistant", str(trunk[1].text)), ("user", other)
    )
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/chat-retry-assistant")
@by_chunking
@by_way
async def test_regenerated_answer_stands_beside_the_first_one(way: str, chunking: str) -> None:
    """The question is not sent again."""
    replayer = play("huggingchat-legacy/chat-retry-assistant", chunking)
    model = on(replayer)
    history = await converse(model, way, ["Tell me"])
    again = await ask(model, history, way, regenerate=True)
    assert again.text == history[1].text == "Echo (lab/text-small, turn 1): Tell me"
    assert played(replayer) == [0, 1, 2, 3, 4]
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/chat-continue")
@by_chunking
@by_way
async def test_continued_answer_is_the_part_that_was_added(way: str, chunking: str) -> None:
    """The server appends it to the answer it has; the caller gets what is new."""
    replayer = play("huggingchat-legacy/chat-continue", chunking)
    model = on(replayer)
    history = await converse(model, way, ["Say [[say:part one]]"])
    more = await ask(model, history, way, continue_answer=True)
    assert [history[1].text, more.text] == ["part one", "part one"]
    assert more.response_metadata["conversation"]["continued"] is True
    # Whether it took the place of the first part or stands behind it, the dialogue goes on there.
    kept = [history[0], more] if chunking == "whole" else [*history, more]
    with pytest.raises(ConfigurationError, match="no new message"):
        await ask(model, kept, way)
    assert played(replayer) == [0, 1, 2, 3, 4, 5]
    assert_as_recorded(replayer)


@proves(UPLOAD)
@by_chunking
@by_way
async def test_image_goes_with_its_message_and_not_with_later_ones(way: str, chunking: str) -> None:
    """The bytes are sent once, as they are."""
    replayer = play(UPLOAD, chunking)
    model = on(replayer, VISION)
    first = question("What is this?", image())
    answer = await ask(model, [first], way)
    assert answer.text == "Echo (lab/vision-tools, turn 1): What is this?"
    assert base64.b64decode(replayer.requests[-1].files[0].content) == RED
    later = await ask(model, [first, answer, HumanMessage("And now?")], way)
    assert later.text == "Echo (lab/vision-tools, turn 2): And now?"
    assert replayer.requests[-1].files == ()
    assert_as_recorded(replayer)


@proves(UPLOAD)
async def test_bytes_of_a_file_are_fetched_from_the_conversation() -> None:
    """Both generations keep them at the same path."""
    replayer = play(UPLOAD)
    model = on(replayer)
    url = f"{model.base_url}/conversation/6afffa43c5565dbcaf61cd36/output/{STORED}"
    assert model.fetch_file({"type": "image", "url": url}) == RED
    assert await on(play(UPLOAD)).afetch_file({"type": "image", "url": url}) == RED
    assert_as_recorded(replayer)


@proves("huggingchat-legacy/chat-image-reuse-by-hash")
@by_chunking
@by_way
async def test_image_the_conversation_has_is_named_instead_of_sent_again(
    way: str, chunking: str
) -> None:
    """The server's name for it is read from the page."""
    replayer = play("huggingchat-legacy/chat-image-reuse-by-hash", chunking)
    model = on(replayer, VISION)
    first = question("What is this?", image())
    answer = await ask(model, [first], way)
    again = await ask(model, [first, answer, question("Again?", image())], way)
    assert again.text == "Echo (lab/vision-tools, turn 2): Again?"
    (sent,) = replayer.requests[-1].files
    assert (sent.filename, sent.content) == ("hash;red.png", STORED.encode())
    assert_as_recorded(replayer)
