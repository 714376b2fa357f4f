"""Errors of the recorded Phi-4: of the app, hidden ones, and answers that were cut."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import pytest

from langchain_g4f.errors import (
    APIError,
    AppError,
    QuotaExceededError,
    StreamInterruptedError,
)
from tests.contract.recordings.gradio_space.recordings import (
    FUNCTION,
    PHI4,
    PHI4_ON_6,
    assert_as_recorded,
    play,
)
from tests.contract.recordings.gradio_space.test_answers import GradioSuite
from tests.contract.recordings.replay import Chunking, Cut, Replayer
from tests.contract.recordings.suite import Scenario, scenarios

HIDDEN = (
    "the app failed and does not say why; an app does that for every error its author did not"
    " foresee, and for an input of a shape it does not take"
)
QUOTA = (
    "You have exceeded your ZeroGPU quota (60s requested vs. 0s left). Try again in 12:34:56."
    " Authenticate with a Hugging Face token for more quota - https://huggingface.co/settings/tokens"
)
QUOTA_OF_2025 = (
    "You have exceeded your GPU quota (60s requested vs. 56s left)."
    " Create a free account to get more usage quota."
)
REFUSED = "the app raised an error: Model error: The model refused this request."
STOPPED = "the app raised an error: Model error: The model stopped half way."
USED_UP = "the GPU quota is used up: ZeroGPU quota exceeded: "
QUESTION = "What is the meaning of life?"


def failing(
    name: str,
    prompt: str,
    error: type[APIError],
    message: str | None,
    text: str = "",
    **attributes: Any,
) -> list[Scenario]:
    """An answer of Phi-4 that fails after `text`, on both lines."""
    attributes["phase"] = "read the answer"
    if message is not None:
        attributes["args"] = (message,)
    return [
        Scenario(f"{server}/{name}", prompt, text=text, error=error, attributes=attributes)
        for server in (PHI4, PHI4_ON_6)
    ]


def asking(directive: str) -> str:
    """A question that the recorded app answers with an error."""
    return f"[[{directive}]] one two three four five"


@pytest.mark.proves("obligation:gradio-space:17", "obligation:gradio-space:18", "fault:25:PH")
class TestErrors(GradioSuite):
    SCENARIOS: ClassVar = scenarios(
        *itertools.chain(
            failing("error_first", asking("error"), AppError, REFUSED, title="Model error"),
            failing(
                "error_mid",
                asking("error:mid"),
                AppError,
                STOPPED,
                "Turn 1. You ",
                title="Model error",
            ),
            failing(
                "error_hidden",
                asking("hidden"),
                AppError,
                "the app raised an error: Quiet: kept off the screen",
                title="Quiet",
            ),
            failing("crash_first", asking("crash"), AppError, HIDDEN, title=""),
            failing("crash_mid", asking("crash:mid"), AppError, HIDDEN, "Turn 1. You ", title=""),
            failing(
                "zerogpu_quota",
                asking("quota"),
                QuotaExceededError,
                USED_UP + QUOTA,
                body=QUOTA,
                retry_after=(12 * 60 + 34) * 60 + 56,
                is_retryable=False,
            ),
            failing(
                "zerogpu_quota_html",
                asking("quota:html"),
                QuotaExceededError,
                USED_UP + QUOTA_OF_2025,
                body=QUOTA_OF_2025,
                retry_after=None,
            ),
        )
    )

    def check(self, replayer: Replayer) -> None:
        super().check(replayer)
        assert not replayer.unplayed


class CutSuite(GradioSuite):
    """An answer that ends before its time is given up, once."""

    def check(self, replayer: Replayer) -> None:
        assert_as_recorded(replayer)
        event = replayer.response(1).read().decode()
        (cancelled,) = self.space.cancelled
        assert cancelled["event_id"] in event
        assert cancelled["fn_index"] == FUNCTION
        assert cancelled["session_hash"] == replayer.requests[-1].query["session_hash"]
        assert self.space.asked.count("queue/data") == 1


@pytest.mark.proves("obligation:gradio-space:11", "obligation:gradio-space:12", "fault:15:PH")
class TestAnswersThatEnd(CutSuite):
    SCENARIOS: ClassVar = scenarios(
        *itertools.chain.from_iterable(
            failing(
                f"derived/{name}",
                QUESTION,
                StreamInterruptedError,
                "microsoft_phi4: the answer ended before it was complete",
                "Turn 1. You said: ",
            )
            for name in ("cut_between_events", "cut_inside_event")
        )
    )


@pytest.mark.proves("obligation:gradio-space:11", "obligation:gradio-space:12", "fault:14:PH")
class TestAnswersThatBreak(CutSuite):
    SCENARIOS: ClassVar = scenarios(
        *itertools.chain.from_iterable(
            failing(
                f"derived/{name}",
                QUESTION,
                StreamInterruptedError,
                None,  # it has the host
                "Turn 1. You said: ",
            )
            for name in ("cut_between_events", "cut_inside_event")
        )
    )

    def replayer(self, scenario: Scenario, chunking: Chunking) -> Replayer:
        return play(scenario.cassette, chunking, cut={2: Cut()})
