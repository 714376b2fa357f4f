"""One answer, streamed with its reasoning, by a model that knows it by heart."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from langchain_g4f.cli.demo.stage import Meter, Stage, expect, milliseconds
from langchain_g4f.cli.screen import Screen
from langchain_g4f.testing import Prompt, Reply, echo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from langchain_core.messages import AIMessageChunk

QUESTION = "How did this answer get here?"
THOUGHTS = """\
They see words appear and want to know what happened in between. I am a script
in a loopback server, so I know: two requests, then a line of JSON per word."""
ANSWER = """\
Your program called `ChatHuggingChat.astream()`. That created a conversation
with one HTTP request and sent your message with a second one. The response to
it stayed open, and each word of this answer was a line of JSON in it; you see
it the moment it arrives. The lines above it were my reasoning, which LangChain
keeps apart from the answer, as a content block of its own."""
ANSWER_PACE_S = 0.02


def script(prompt: Prompt) -> Reply:
    """The model of the demo: it knows one answer by heart and obeys directives."""
    if prompt.text == QUESTION:
        return Reply(text=ANSWER, reasoning=THOUGHTS, pace_s=ANSWER_PACE_S)
    return echo(prompt)


async def show_reasoning(stage: Stage) -> None:
    """Stream one answer, its reasoning first."""
    stage.say(f"{QUESTION}\n", "bold")
    before = len(stage.sandbox.requests)
    meter = Meter(time.perf_counter())
    asked = 0

    async def measured() -> AsyncIterator[AIMessageChunk]:
        nonlocal asked
        async for chunk in stage.chat_model("sandbox/reasoner").astream(QUESTION):
            if meter.add(chunk) and meter.chunks == 1:
                asked = len(stage.sandbox.requests) - before
            yield chunk

    await Screen(reasoning=True, aside=sys.stdout).follow(measured())
    stage.say(
        f"\n{meter.chunks} chunks, the first after {milliseconds(meter.first_token_s)} "
        f"and {asked} requests"
    )
    expect(meter.reasoning == THOUGHTS, "the reasoning, apart from the answer")
    expect(meter.text == ANSWER, "the whole answer")
    expect(meter.finish_reason == "stop", "an answer that ends regularly")
    expect(asked == 2, "two requests before the first token")


__all__ = ["ANSWER", "QUESTION", "THOUGHTS", "script", "show_reasoning"]
