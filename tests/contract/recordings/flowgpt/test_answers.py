"""Answers of the recorded server, and the requests that asked for them."""

from __future__ import annotations

from typing import ClassVar

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from langchain_g4f.core.events import Progress
from tests.contract.recordings.flowgpt.recordings import (
    MEMBER,
    answer,
    assert_as_recorded,
    by_chunking,
    by_way,
    model_on,
    play,
)
from tests.contract.recordings.replay import Replayer
from tests.contract.recordings.suite import ProviderSuite, Scenario, ask, scenarios

FINISH = {"finish_reason": "unknown", "model_name": "gpt-3.5-turbo"}


class FlowGptSuite(ProviderSuite):
    """What holds for each recording: bodies, headers and signature are the recorded ones."""

    def model(self, scenario: Scenario, replayer: Replayer) -> ChatFlowGpt:
        return model_on(replayer, **scenario.settings)

    def check(self, replayer: Replayer) -> None:
        assert_as_recorded(replayer)


@pytest.mark.proves(
    "obligation:flowgpt:1", "obligation:flowgpt:2", "obligation:flowgpt:4", "obligation:flowgpt:9"
)
class TestAnswers(FlowGptSuite):
    SCENARIOS: ClassVar = scenarios(
        Scenario("flowgpt/text_stream", "Say hello", text=answer("Say hello"), metadata=FINISH),
        Scenario(
            "flowgpt/member_text",
            "Say hello",
            {"api_key": MEMBER},
            text=answer("Say hello"),
            metadata=FINISH,
        ),
        Scenario(
            "flowgpt/system_message",
            [
                ("system", "You are a pirate."),
                ("system", "Answer in one line."),
                ("user", "Who are you?"),
            ],
            text=answer("Who are you?", system="You are a pirate.\nAnswer in one line."),
            metadata=FINISH,
        ),
        Scenario("flowgpt/unicode", "Accents [[unicode]]", text="Según 日本 😃", metadata=FINISH),
        Scenario(
            "flowgpt/unknown_events", "Some noise [[noise]]", text="signal only", metadata=FINISH
        ),
        Scenario(
            "flowgpt/image_event_unconfirmed",
            "Draw [[image]]",
            text="Here you are. ",
            metadata=FINISH,
        ),
    )


@pytest.mark.proves("cassette:flowgpt/multi_turn")
@by_chunking
@by_way
async def test_history_goes_with_the_second_question(way: str, chunking: str) -> None:
    """The service keeps nothing: earlier turns are sent, behind its greeting."""
    replayer = play("multi_turn", chunking)
    model = model_on(replayer)
    first = await ask(model, "My name is Ada.", way)
    assert first.text == answer("My name is Ada.")
    history = [
        HumanMessage("My name is Ada."),
        AIMessage("Nice to meet you, Ada."),
        HumanMessage("What is my name?"),
    ]
    assert (await ask(model, history, way)).text == answer("What is my name?", turn=2)
    assert len(replayer.requests) == 2
    assert_as_recorded(replayer)


@pytest.mark.proves("obligation:flowgpt:4")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_unknown_events_are_counted_for_whoever_looks(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are no text and no progress; an object without a kind is nothing at all."""
    caplog.set_level("DEBUG", logger="langchain_g4f")
    told: list[Progress] = []
    model = model_on(play("unknown_events"), on_progress=told.append)
    assert (await ask(model, "Some noise [[noise]]", way)).text == "signal only"
    assert told == []
    assert "flowgpt: skipped {'start': 1, 'end': 1}" in caplog.text


@pytest.mark.proves("obligation:flowgpt:5")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_each_delta_is_a_chunk_of_its_own(way: str) -> None:
    """The text is given out as it arrives."""
    model = model_on(play("unicode"))
    if way == "stream":
        texts = [chunk.text for chunk in model.stream("Accents [[unicode]]")]
    else:
        texts = [chunk.text async for chunk in model.astream("Accents [[unicode]]")]
    assert texts == ["Seg", "ún ", "日本 ", "😃", ""]
