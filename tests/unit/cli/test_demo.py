"""`langchain-g4f demo`: one whole run, and each check of its steps."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from langchain_g4f import ChatHuggingChat
from langchain_g4f.cli import demo
from langchain_g4f.cli.demo import stage, steps
from langchain_g4f.cli.demo.stage import Stage, Step
from langchain_g4f.cli.failure import CommandError
from langchain_g4f.errors import APIError
from langchain_g4f.testing import Prompt, Reply, Sandbox
from tests.unit.cli.command import CLOSED, FakeTerminal, run

pytestmark = pytest.mark.proves("promise:demo")


@pytest.mark.proves("obligation:flowgpt:10")
def test_demo_shows_every_step_and_what_to_try_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain lines, whatever the environment holds; twenty streams are complete."""
    monkeypatch.setattr(steps, "ANSWER_PACE_S", 0.0)
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=canary; token=canary")
    monkeypatch.setenv("FLOWGPT_TOKEN", "canary")
    done = run("demo")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    expected = [
        "sandbox/reasoner",
        steps.QUESTION,
        steps.THOUGHTS,
        steps.ANSWER,
        "and 2 requests",
        "the model received  94 bytes",
        "  GET  /chat/api/v2/conversations/",
        "  POST /chat/conversation/",
        "none of them twice",
        steps.SIGNATURE_ANSWER,
        "POST /v3/chat-anonymous -> 200",
        "x-signature:",
        "x-timestamp is outside the accepted window",
        "20 of 20",
        "wall time",
        "chunks  2950",
        "time to first token",
        steps.AGENT_QUESTION,
        steps.AGENT_CALLS,
        "count_letter('strawberry', 'r') -> 3",
        "count_letter('blueberry', 'r') -> 2",
        steps.AGENT_ANSWER,
        "4 requests",
        "<tool_response id=",
        "All as expected",
        "chat --sandbox",
        "https://huggingface.co/chat",
        "HUGGINGCHAT_COOKIES='hf-chat=...; token=...'",
        "--base-url",
        "FlowGPT, which was last seen to answer in 2024",
        "--provider flowgpt --sandbox",
    ]
    places = [done.stdout.find(text) for text in expected]
    assert -1 not in places, [t for t, p in zip(expected, places, strict=True) if p == -1]
    assert places == sorted(places)
    assert "\x1b" not in done.stdout
    assert "canary" not in done.stdout


def test_failed_check_ends_the_demo_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1."""

    async def fail(_: Stage) -> None:
        stage.expect(False, "something else")

    monkeypatch.setattr(demo, "STEPS", (("Broken", fail),))
    done = run("demo")
    assert (done.exit_code, done.stderr) == (1, "langchain-g4f: the demo expected something else\n")
    assert "All as expected" not in done.stdout


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short streams in place of twenty."""
    monkeypatch.setattr(steps, "STREAMS", 2)
    monkeypatch.setattr(steps, "LENGTHS", [30, 40])


def play(step: Step, *, terminal: bool = False, **sandbox: Any) -> str:
    """Run one step on a sandbox, and return what it prints."""
    output = FakeTerminal() if terminal else io.StringIO()
    with Sandbox(**sandbox) as server:
        console = Console(file=output, force_terminal=terminal, width=200)
        asyncio.run(_run(step, Stage(console, server, {})))
    return output.getvalue()


async def _run(step: Step, on: Stage) -> None:
    await step(on)


def test_terminal_shows_a_progress_bar(few: None) -> None:
    """The streams are a bar with a rate."""
    seen = play(steps.show_many, terminal=True)
    assert "tokens/s" in seen
    assert "2/2 done" in seen


def _image_replaced(prompt: Prompt) -> Reply:
    for message in prompt.messages:
        for part in message["content"]:
            part.update({"data": steps.make_png(3)} if part["type"] == "image" else {})
    return Reply(text="A picture.")


BROKEN = {"reply": Reply(error=(500, "out of order"))}


@pytest.mark.parametrize(
    ("step", "sandbox", "said"),
    [
        (steps.show_reasoning, {"reply": steps.ANSWER}, "the demo expected the reasoning"),
        (steps.show_reasoning, BROKEN, "out of order"),
        (steps.show_image, {"script": _image_replaced}, "the image at the model, byte for byte"),
        (steps.show_image, BROKEN, "out of order"),
        (steps.show_conversation, {"reply": Reply("", reasoning="hm")}, "answer"),
        (steps.show_conversation, BROKEN, "out of order"),
        (steps.show_many, {"reply": "w1"}, "the demo expected 2 complete answers"),
        (steps.show_many, BROKEN, "out of order"),
        (steps.show_models, {"models": ["one"]}, "the demo expected several models"),
    ],
)
def test_step_fails_where_the_server_misbehaves(
    few: None, step: Step, sandbox: dict[str, Any], said: str
) -> None:
    """The error names what was expected, or what the service said."""
    with pytest.raises((CommandError, APIError), match=said):
        play(step, **sandbox)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AHEAD_S", 0.0, "the demo expected a request that is too old"),
        ("SIGNED", ("x-nowhere",), "the demo expected a request that is signed"),
        ("SIGNATURE_ANSWER", Reply(error=(500, "out of order")), "out of order"),
    ],
)
def test_step_with_a_signature_fails_where_it_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, said: str
) -> None:
    """It needs the signature, an answer, and the refusal of an old request."""
    monkeypatch.setattr(steps, name, value)
    with pytest.raises((CommandError, APIError), match=said):
        play(steps.show_signature)


def test_step_with_an_agent_fails_without_a_tool_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess in place of a call is not enough."""
    monkeypatch.setattr(steps, "agent_answer", lambda prompt: steps.AGENT_ANSWER)
    with pytest.raises(CommandError, match="the demo expected two calls at once"):
        play(steps.show_agent)


def test_model_of_the_agent_needs_the_tool_to_count() -> None:
    """Without it, the model says so."""
    assert steps.agent_answer(Prompt("a-model", [])) == "I cannot count."


def test_second_question_in_a_new_conversation_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history must not be sent again."""
    chat_model = Stage.chat_model

    def forgetful(stage: Stage, model: str | None = None) -> ChatHuggingChat:
        return chat_model(stage, model).model_copy(update={"conversation": "new"})

    monkeypatch.setattr(Stage, "chat_model", forgetful)
    with pytest.raises(CommandError, match="the demo expected two requests"):
        play(steps.show_conversation)
