"""The sandbox is held to the recordings of the real servers: status, content type, cookies, shape.

Every cassette of both generations is replayed but those listed with a reason.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from langchain_g4f.testing import Prompt, Reply, Sandbox, SandboxModel, echo
from langchain_g4f.testing.script import text_of
from tests.unit.testing.recordings import (
    Answer,
    Replay,
    load,
    scenarios,
    shape,
    unpack,
)

NO_TOOLS = "the sandbox runs no tools"
ROUTE = "needs a route that no chat model of this package calls"
CUT = "holds what had arrived when the reader left"
TOGETHER = "its requests overlapped, a replay sends them one by one"

NOT_REPLAYED = {
    "huggingchat/tool-call-mcp": NO_TOOLS,
    "huggingchat/tool-call-mcp-error": NO_TOOLS,
    "huggingchat/tool-call-mcp-image": NO_TOOLS,
    "huggingchat/tool-call-mcp-with-reasoning": NO_TOOLS,
    "huggingchat/tool-servers-listed": NO_TOOLS,
    "huggingchat/conversation-delete": ROUTE,
    "huggingchat/conversation-delete-message": ROUTE,
    "huggingchat/conversation-share-and-import": ROUTE,
    "huggingchat/conversation-switch-model": ROUTE,
    "huggingchat/disconnect-then-poll-conversation": CUT,
    "huggingchat/disconnect-then-stop": CUT,
    "huggingchat/resume-after-client-disconnect": CUT,
    "huggingchat-legacy/disconnect-then-poll-conversation": CUT,
    "huggingchat/generations-live": TOGETHER,
    "huggingchat/two-generations-at-once": TOGETHER,
    "huggingchat-legacy/stop-generating": TOGETHER,
}

PADDING = " " * 4096

FAULTS: dict[str, dict[str, Any]] = {
    "[[flaky": {"restart_after": 3},
    "[[midstream-drop": {"error": (None, "terminated"), "error_after": 3},
    "[[midstream-error": {"error": (None, "backend failed mid-stream"), "error_after": 3},
}
"""What the recorded model does at directives that the sandbox's own does not have."""

LAB_MODELS = [
    SandboxModel("omni", multimodal=True, supports_tools=True, is_router=True),
    SandboxModel("lab/text-small"),
    SandboxModel("lab/vision-tools", multimodal=True, supports_tools=True),
    SandboxModel("lab/reasoner", supports_tools=True, supports_reasoning=True),
    SandboxModel("lab/hidden", unlisted=True),
]

LIMITS: dict[str, dict[str, Any]] = {
    "huggingchat/limit-message-too-long": {"max_input_chars": 200},
    "huggingchat/limit-messages-per-minute": {"messages_per_minute": 6},
    "huggingchat/limit-too-many-conversations": {"max_conversations": 5},
    "huggingchat/limit-too-many-messages-in-conversation": {"max_messages": 8},
}

REPLAYED = [
    name
    for folder in ("huggingchat", "huggingchat-legacy")
    for name in scenarios(folder)
    if name not in NOT_REPLAYED
]


OTHER_MODEL = {
    "chat-markdown": "the sandbox's model writes no Markdown",
    "chat-unicode": "nor a fixed text of odd characters",
    "chat-web-search-error": "it searches for the question as it is",
}

# On the recorded legacy server images did not reach the model; the sandbox lets them.
IMAGES = {"huggingchat-legacy/chat-image-reuse-by-hash", "huggingchat-legacy/chat-image-upload"}

SAID_THE_SAME = [
    name
    for name in REPLAYED
    if "/chat-" in name and name.partition("/")[2] not in OTHER_MODEL and name not in IMAGES
]


def test_every_recording_is_replayed_or_excused() -> None:
    """The recordings are there, and no excuse is for one that is not."""
    assert len(REPLAYED) > 100
    assert not NOT_REPLAYED.keys() - {*scenarios("huggingchat"), *scenarios("huggingchat-legacy")}


@pytest.mark.parametrize("scenario", REPLAYED)
def test_replayed_requests_get_answers_of_the_recorded_shape(scenario: str) -> None:
    """The sandbox answers like the real server: status, content type, cookies, keys and types."""
    with sandbox_for(scenario) as sandbox:
        replay = Replay(sandbox, scenario)
        sign_in(replay)
        for exchange in replay.exchanges():
            recorded, actual = exchange.recorded, exchange.actual
            assert outline(actual) == outline(recorded), exchange.request
            assert body_shape(actual) == body_shape(recorded), exchange.request


@pytest.mark.parametrize("scenario", SAID_THE_SAME)
def test_replayed_streams_are_the_recorded_ones_to_the_byte(scenario: str) -> None:
    """Tokens, padding and order are the recorded ones; only keep-alives and titles may move."""
    with sandbox_for(scenario) as sandbox:
        replay = Replay(sandbox, scenario)
        for exchange in replay.exchanges():
            if exchange.recorded.kind == "application/jsonl":
                recorded = [replay.translate(line) for line in fixed_lines(exchange.recorded)]
                assert fixed_lines(exchange.actual) == recorded
                assert titles(exchange.actual) == titles(exchange.recorded)


def sandbox_for(scenario: str) -> Sandbox:
    """Return a sandbox set up like the server of the recording."""
    folder, _, name = scenario.partition("/")
    return Sandbox(
        recorded_echo,
        generation="legacy" if folder == "huggingchat-legacy" else "current",
        models=LAB_MODELS if "login" not in name and "auth" not in name else LAB_MODELS[1:],
        login_required=name.startswith("auth-"),
        require_site_token=name == "auth-session-coupled-to-site-cookie",
        keep_alive_s=0.02,
        # Long enough for a stop sent beforehand to hit an answer that has begun.
        stop_delay_s=0.15,
        web_sources=(),
        **LIMITS.get(scenario, {}),
    )


def recorded_echo(prompt: Prompt) -> Reply:
    """Repeat the received messages in the recorded model's own form."""
    reply = echo(prompt)
    for mark, fault in FAULTS.items():
        if mark in prompt.text:
            return replace(reply, **fault)
    if "[[echo]]" not in prompt.text:
        return reply
    received = [{"role": message["role"], "text": text_of(message)} for message in prompt.messages]
    return Reply(json.dumps(received, ensure_ascii=False))


def sign_in(replay: Replay) -> None:
    """Log in where the recording starts with a known session."""
    first = load(replay.scenario)[0]["request"]["headers"]
    cookies = replay.sandbox.login("alice")
    if "authorization" in first:
        replay.known["hf_fake_alice"] = "hf_sandbox_alice"
        address, body = f"{replay.sandbox.base_url}/conversation", {"model": "lab/text-small"}
        httpx.post(address, json=body, cookies=cookies).raise_for_status()
    for pair in first.get("cookie", [""])[0].split("; "):
        name, _, value = pair.partition("=")
        if name in cookies and "unknown" not in replay.scenario:
            replay.known[value] = cookies[name]


def outline(answer: Answer) -> tuple[int, str | None, list[str]]:
    """Return what is compared of a response besides its body."""
    return answer.status, answer.kind, sorted(answer.cookies)


def body_shape(answer: Answer) -> object:
    """Return keys and types of a body; of a stream, of its lines without the keep-alives."""
    if answer.kind == "application/jsonl":
        return shape([line for line in unpack(answer) if line.get("status") != "keepAlive"])
    if answer.kind == "text/html":
        return "a page"
    return shape(unpack(answer)) if answer.kind else answer.text


def fixed_lines(answer: Answer) -> list[str]:
    """Return the lines of a stream that have their place, padding included."""
    moving = ('"keepAlive"', '{"type":"title"')
    lines = answer.text.replace(PADDING, "(padding)\n").split("\n")
    return [line for line in lines if not any(word in line for word in moving)]


def titles(answer: Answer) -> list[str]:
    """Return the titles of a stream."""
    return [line["title"] for line in unpack(answer) if line["type"] == "title"]
