"""The recordings, and models on them whose requests can be the recorded ones to the last digit."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_g4f.chat_models import client as model_client
from langchain_g4f.chat_models.flowgpt import ChatFlowGpt
from tests.contract.recordings.replay import Replayer, load
from tests.contract.recordings.suite import CASSETTES, CHUNKINGS, WAYS, clients

DEVICE = "f-abcdefghij012345678"
RECORDED_AT_S = 1713341603.0
"""What the recorded server took for the time."""
MEMBER = "member-token"
SYSTEM = "You are helpful assistant. Follow the user's instructions carefully."

_TRANSPORT = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})

by_chunking = pytest.mark.parametrize("chunking", CHUNKINGS)
by_way = pytest.mark.parametrize("way", WAYS)


def answer(question: str, *, turn: int = 1, system: str = SYSTEM) -> str:
    """What the recorded server says."""
    return f"You asked: {question} (model gpt-3.5-turbo, turn {turn}, system: {system})"


def play(name: str, chunking: str = "whole") -> Replayer:
    """A replayer of a recording."""
    return load(CASSETTES / "flowgpt" / f"{name}.yaml")(chunking=chunking)


def model_on(replayer: Replayer, **settings: Any) -> ChatFlowGpt:
    """A model on the recorded server, on the recorded device, with the recorded nonces."""
    recorded = replayer.recorded
    defaults: dict[str, Any] = {
        "base_url": f"http://{recorded[0].headers['host']}",
        "device_id": DEVICE,
        "max_retries": 0,
        **clients(replayer),
    }
    model = ChatFlowGpt(**defaults | settings)
    nonces = iter([request.headers["x-nonce"] for request in recorded])
    model._state.new_id = lambda: next(nonces)
    return model


def freeze(monkeypatch: pytest.MonkeyPatch, seconds: float = RECORDED_AT_S) -> None:
    """Let it be this time, in seconds since the epoch."""
    clock = SimpleNamespace(monotonic=time.monotonic, time=lambda: seconds)
    monkeypatch.setattr(model_client, "time", clock)


def assert_as_recorded(replayer: Replayer, *free: str) -> None:
    """Each body is the recorded one field by field, and so are the headers.

    Args:
        replayer: Of the recording.
        free: Headers whose values may differ, beside those of the HTTP library.
    """
    assert not replayer.refused
    for request in replayer.requests:
        recorded = replayer.recorded[request.interaction]
        assert request.json == recorded.json
        assert list(request.json) == list(recorded.json)
        assert request.headers["content-type"] == "application/json"
        sent, wanted = (
            {name: value for name, value in each.headers.items() if name not in _TRANSPORT}
            for each in (request, recorded)
        )
        assert sent.keys() == wanted.keys()
        assert {n: v for n, v in sent.items() if n not in free} == {
            n: v for n, v in wanted.items() if n not in free
        }
