"""Single answers of the recorded Phi-4, on both lines of Gradio."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import pytest

from langchain_g4f import ChatGradioSpace
from tests.contract.recordings.gradio_space.recordings import (
    PHI4,
    PHI4_ON_6,
    TURN,
    Space,
    assert_as_recorded,
    by_call,
    by_chunking,
    by_server,
    by_way,
    model_on,
    on_both_lines,
    play,
)
from tests.contract.recordings.replay import Chunking, Replayer
from tests.contract.recordings.suite import ProviderSuite, Scenario, ask, scenarios

DONE = {
    "model_name": "phi-4-multimodal",
    "finish_reason": "stop",
    "restarted": None,
    "final_text": None,
    "retries": None,
}


def on_each(name: str, prompt: str, answer: str, **more: Any) -> list[Scenario]:
    """An answer of Phi-4, as both lines gave it."""
    more = {"metadata": DONE, "text": answer} | more
    return [Scenario(f"{server}/{name}", prompt, **more) for server in (PHI4, PHI4_ON_6)]


class GradioSuite(ProviderSuite):
    """What holds for each recording.

    Attributes:
        exactly: Whether the recording client sent all that ours sends.
        space: The server that was asked.
    """

    exactly: ClassVar[bool] = True
    space: Space

    def replayer(self, scenario: Scenario, chunking: Chunking) -> Replayer:
        return play(scenario.cassette, chunking)

    def model(self, scenario: Scenario, replayer: Replayer) -> ChatGradioSpace:
        self.space = Space(scenario.cassette, replayer)
        return model_on(self.space, **scenario.settings)

    def check(self, replayer: Replayer) -> None:
        assert_as_recorded(replayer, exactly=self.exactly)
        assert self.space.cancelled == []


@pytest.mark.proves(
    "promise:provider-suite",
    "obligation:gradio-space:2",
    "obligation:gradio-space:3",
    "obligation:gradio-space:4",
    "obligation:gradio-space:7",
    "obligation:gradio-space:9",
    "obligation:gradio-space:13",
    "obligation:gradio-space:14",
)
class TestAnswers(GradioSuite):
    SCENARIOS: ClassVar = scenarios(
        *itertools.chain(
            on_each(
                "text_turn",
                "What is the meaning of life?",
                "Turn 1. You said: What is the meaning of life?",
            ),
            on_each(
                "thought",
                "[[thought]] why",
                "Turn 1. You said: why",
                reasoning="First, read the question.",
            ),
            on_each(
                "retract",
                "[[retract]] alpha beta gamma",
                "Let me start again. Done.",
                streamed="Turn 1. You said: alpha beta gamma",
                metadata=DONE | {"restarted": True, "final_text": "Let me start again. Done."},
            ),
            on_each(
                "log_and_progress", "[[log]][[progress]] toast me", "Turn 1. You said: toast me"
            ),
            on_each("heartbeat", "[[hang:17]] slow start", "Turn 1. You said: slow start"),
            on_each("long_answer", "[[long:300]]", " ".join(f"word{n}" for n in range(300))),
        )
    )

    def check(self, replayer: Replayer) -> None:
        super().check(replayer)
        assert not replayer.unplayed
        assert self.space.asked == ["config", *TURN]


@pytest.mark.proves("obligation:gradio-space:8", "obligation:gradio-space:15")
class TestAnswersInOtherCompany(GradioSuite):
    """What the recording client shaped itself, cancelled, or had running beside."""

    exactly: ClassVar[bool] = False
    SCENARIOS: ClassVar = scenarios(
        *itertools.chain(
            on_each("late_stream", "late reader", "Turn 1. You said: late reader"),
            on_each("reset", "[[slow]] a b c d", "Turn 0. You said: a b c d"),
            on_each(
                "two_events_one_session",
                "[[slow]] one two three",
                "Turn 0. You said: one two three",
            ),
            on_each(
                "cancel_running",  # by another client; it looks like a success
                "[[slow]] a b c d e f g h i j k l m n o p",
                "Turn 0. You said: ",
                metadata=DONE | {"finish_reason": "interrupted"},
            ),
        )
    )


@on_both_lines("zerogpu_headers")
@pytest.mark.proves("obligation:gradio-space:21")
@by_chunking
@by_way
async def test_identity_that_is_given_goes_where_a_function_is_called(
    way: str, chunking: Chunking, recording: str
) -> None:
    """The app sees who pays on joining; requests that only read carry no identity."""
    replayer = play(recording, chunking)
    space = Space(recording, replayer)
    given = {"zerogpu_token": "[object Object]", "zerogpu_uuid": "[object Object]"}
    answer = await ask(model_on(space, **given), "[[headers]]", way)
    assert answer.text == (
        "Headers: x-zerogpu-token=[object Object], x-zerogpu-uuid=[object Object],"
        " x-ip-token=abc.def.ghi, x-hf-authorization=None,"
        f" referer=http://{space.host}?__theme=light, x-gradio-user=None"
    )
    assert_as_recorded(replayer)
    sent = [(request.headers.get("x-zerogpu-token"), request.path) for request in replayer.requests]
    assert sent == [
        ("[object Object]", "/gradio_api/run/predict"),
        ("[object Object]", "/gradio_api/queue/join"),
        (None, "/gradio_api/queue/data"),
    ]


@pytest.mark.proves("obligation:gradio-space:21")
@by_server
@by_call
async def test_identity_that_nobody_gave_is_not_made_up(way: str, server: str) -> None:
    """Without a token there is no header: the app would count a placeholder as a user."""
    replayer = play(f"{server}/text_turn")
    await ask(model_on(Space(f"{server}/text_turn", replayer)), "What is the meaning of life?", way)
    for request in replayer.requests:
        names = {name for name in request.headers if name.startswith("x-")}
        assert not names | ({"authorization", "cookie"} & set(request.headers))
