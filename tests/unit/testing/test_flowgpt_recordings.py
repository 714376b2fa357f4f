"""`FlowGptSandbox` is held to the recordings: status, content type, waiting time and body.

Both were written from the same document; what the sandbox leaves out is listed with a reason.
"""

from __future__ import annotations

import re

import httpx
import pytest

from langchain_g4f.testing import FlowGptSandbox, Prompt, Reply
from tests.unit.testing.flowgpt_caller import NOW_S
from tests.unit.testing.recordings import load, scenarios

RAW = "a script cannot choose the bytes of an answer"
NOT_REPLAYED = {
    "flowgpt/bad_json_line": RAW,
    "flowgpt/image_event_unconfirmed": RAW,
    "flowgpt/midstream_truncated": RAW,
    "flowgpt/unknown_events": RAW,
    "flowgpt/waf_challenge": "no protection stands before the sandbox",
    "flowgpt/legacy_v2_unsigned": "the sandbox has the endpoints that are spoken to",
}
REPLAYED = [name for name in scenarios("flowgpt") if name not in NOT_REPLAYED]
SAID = {
    "[[credit]]": Reply(tokens=["Insufficient credit"]),
    "[[429]]": Reply(error=(429, "forced by the prompt")),
    "[[error]]": Reply(tokens=["Partial "], error=(None, "The model is overloaded"), error_after=1),
    "[[unicode]]": Reply(tokens=["Seg", "ún ", "日本 ", "😃"]),
    "[[empty]]": Reply(),
}


def recorded_script(prompt: Prompt) -> Reply:
    """The model of the recorded server."""
    for mark, reply in SAID.items():
        if mark in prompt.text:
            return reply
    about = f"(model {prompt.model}, turn {prompt.turn}, system: {prompt.system})"
    return Reply(tokens=re.findall(r"\S+\s*", f"You asked: {prompt.text} {about}"))


def test_every_recording_is_replayed_or_listed() -> None:
    """None is forgotten, and no reason is given for one that is not there."""
    assert NOT_REPLAYED.keys() < set(scenarios("flowgpt"))
    assert len(REPLAYED) == 14


@pytest.mark.parametrize("scenario", REPLAYED)
def test_sandbox_answers_as_the_recorded_server_did(scenario: str) -> None:
    """To the recorded requests, whose signatures it takes or refuses as that one did."""
    with (
        FlowGptSandbox(recorded_script, retry_after_s=2, clock=lambda: NOW_S) as sandbox,
        httpx.Client(base_url=sandbox.base_url, trust_env=False, verify=False) as http,  # noqa: S501 -- no TLS
    ):
        sandbox.login("member")
        for interaction in load(scenario):
            request, recorded = interaction["request"], interaction["response"]
            kept = {n: v[0] for n, v in request["headers"].items() if n != "host"}
            path = httpx.URL(request["uri"]).path
            response = http.post(path, content=request["body"].encode(), headers=kept)
            assert response.status_code == recorded["status"]["code"]
            for name in ("content-type", "retry-after"):
                assert [response.headers.get(name)] == recorded["headers"].get(name, [None])
            # All that a scripted model refuses has one name.
            assert response.text == recorded["body"]["string"].replace("forced_429", "model_error")
