"""`langchain-g4f demo`, without a terminal."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from langchain_g4f import ChatHuggingChat
from langchain_g4f.cli import demo
from langchain_g4f.cli.app import app
from langchain_g4f.cli.demo import steps
from langchain_g4f.cli.demo.stage import Stage, Step
from langchain_g4f.testing import Prompt, Reply, Script


@pytest.mark.proves("promise:demo")
def test_demo_shows_every_step_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plain lines tell of each step, twenty complete streams among them, and of the way on."""
    monkeypatch.setattr(steps, "ANSWER_PACE_S", 0.0)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    told = [
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
        "--provider flowgpt --sandbox",
    ]
    places = [result.stdout.find(text) for text in told]
    assert -1 not in places, [t for t, p in zip(told, places, strict=True) if p == -1]
    assert places == sorted(places)
    assert "\x1b" not in result.stdout


@pytest.mark.proves("promise:demo")
def test_demo_runs_whatever_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy and credentials of the environment are no part of the demo."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HUGGINGCHAT_COOKIES", "hf-chat=mine; token=mine")
    monkeypatch.setenv("FLOWGPT_TOKEN", "mine")
    chosen = tuple(
        step for step in demo.STEPS if step[1] in (steps.show_models, steps.show_signature)
    )
    monkeypatch.setattr(demo, "STEPS", chosen)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 0, result.stderr
    assert "mine" not in result.stdout


def _without_reasoning(prompt: Prompt) -> Reply:
    return Reply(text=steps.ANSWER)


def _cut_short(prompt: Prompt) -> Reply:
    wanted = re.search(r"\[\[long:(\d+)", prompt.text)
    return Reply(text=" ".join(f"w{n}" for n in range(1, int(wanted[1]) if wanted else 1)))


def _broken(prompt: Prompt) -> Reply:
    return Reply(error=(500, "out of order"))


@pytest.mark.proves("promise:demo")
@pytest.mark.parametrize(
    ("script", "step", "said"),
    [
        (_without_reasoning, steps.show_reasoning, "the demo expected the reasoning"),
        (_cut_short, steps.show_many, "the demo expected 20 complete answers"),
        (_broken, steps.show_image, "out of order"),
        (_broken, steps.show_conversation, "out of order"),
        (_broken, steps.show_reasoning, "out of order"),
        (_broken, steps.show_many, "out of order"),
    ],
)
def test_demo_with_something_unexpected_fails(
    monkeypatch: pytest.MonkeyPatch, script: Script, step: Step, said: str
) -> None:
    """What is not as expected is named in one line, and the exit code is 1."""
    monkeypatch.setattr(steps, "answer", script)
    monkeypatch.setattr(demo, "STEPS", (("Broken", step),))
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert result.stderr.startswith("langchain-g4f: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "All as expected" not in result.stdout


@pytest.mark.proves("promise:demo")
def test_demo_image_that_does_not_arrive_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other bytes at the model are not as expected."""
    made = steps.make_png(3)

    def received(prompt: Prompt) -> Reply:
        for message in prompt.messages:
            for part in message["content"]:
                part.update({"data": made} if part["type"] == "image" else {})
        return Reply(text="A picture.")

    monkeypatch.setattr(steps, "answer", received)
    monkeypatch.setattr(demo, "STEPS", (("Image", steps.show_image),))
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "the demo expected the image at the model, byte for byte" in result.stderr


@pytest.mark.proves("promise:demo")
def test_demo_agent_whose_model_calls_no_tool_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess in place of a call is not as expected."""
    monkeypatch.setattr(steps, "agent_answer", lambda prompt: steps.AGENT_ANSWER)
    monkeypatch.setattr(demo, "STEPS", (("Agent", steps.show_agent),))
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "the demo expected two calls at once" in result.stderr


@pytest.mark.proves("promise:demo")
def test_demo_second_turn_in_a_new_conversation_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second turn that sends the history again is not as expected."""
    chat_model = Stage.chat_model

    def forgetful(stage: Stage, model: str | None = None) -> ChatHuggingChat:
        return chat_model(stage, model).model_copy(update={"conversation": "new"})

    monkeypatch.setattr(Stage, "chat_model", forgetful)
    monkeypatch.setattr(demo, "STEPS", (("Turns", steps.show_conversation),))
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "the demo expected two requests" in result.stderr
