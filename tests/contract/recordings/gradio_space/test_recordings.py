"""How recordings of Gradio are played: what has to match, and what is made up."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contract.recordings.gradio_space.recordings import (
    PHI4,
    PHI4_ON_6,
    Space,
    by_server,
    play,
    server_of,
    sessions_in,
    whatever,
)
from tests.contract.recordings.replay import contains


@pytest.mark.parametrize(
    ("recorded", "sent", "matches"),
    [
        ({"role": "user"}, {"role": "user", "metadata": None}, True),
        ([{"file": {"path": "a"}}], [{"file": {"path": "a", "size": 1}}], True),
        ({"role": "user"}, {"role": "assistant"}, False),
        ({"role": "user", "content": "a"}, {"role": "user"}, False),
        ([1, 2], [1, 2, 3], False),
        ([1, 2], [2, 1], False),
        ({}, [], False),
        (None, [], False),
    ],
)
def test_recorded_value_is_contained_where_nothing_of_it_is_missing(
    recorded: Any, sent: Any, *, matches: bool
) -> None:
    """A client may say more in a dict; a list has to be as long and in the same order."""
    assert contains(recorded, sent) is matches


@pytest.mark.parametrize(
    ("same", "matches"), [(contains, False), (whatever, True), (lambda *_: False, False)]
)
def test_replayer_compares_values_as_it_is_told(same: Any, *, matches: bool) -> None:
    """Data may be free while the ids are not; without any match nothing is answered."""
    replayer = play(f"{PHI4}/text_turn", same=same)
    body = replayer.recorded[0].json | {"data": ["something else"]}
    client = httpx.Client(transport=replayer, base_url="http://127.0.0.1:7861")
    with client:
        if matches:
            assert client.post("/gradio_api/run/predict", json=body).is_success
        body |= {"session_hash": "another"}
        with pytest.raises(AssertionError, match="No recorded answer is left"):
            client.post("/gradio_api/run/predict", json=body)
    assert len(replayer.refused) == 1


@by_server
def test_preparation_is_made_up_as_the_app_itself_answers(server: str) -> None:
    """In the recording of a turn it is recorded, under another session it is not: both agree."""
    space = Space(f"{server}/text_turn")
    body = space.replayer.recorded[0].json
    with httpx.Client(transport=space, base_url=f"http://{space.host}") as client:
        recorded = client.post("/gradio_api/run/predict", json=body).json()
        body = body | {"session_hash": "another"}
        made_up = client.post("/gradio_api/run/predict", json=body).json()
    assert made_up["data"][0] == recorded["data"][0]
    assert len(space.replayer.requests) == 1


def test_server_and_sessions_of_a_recording_are_read_from_it() -> None:
    """Where it was recorded, and under which names, in the order of the requests."""
    assert server_of(f"{PHI4}/derived/cut_inside_event") == PHI4
    assert server_of(f"{PHI4_ON_6}/derived/cut_inside_event") == PHI4_ON_6
    assert sessions_in(play(f"{PHI4}/queue_wait")) == ["3f3ef786b34", "22d1fb414b6", "997164d1381"]
    assert sessions_in(play(f"{PHI4}/unknown_session")) == ["neverseen00"]
    assert json.loads(play(f"{PHI4}/queue_wait").response(1).read())["event_id"]
