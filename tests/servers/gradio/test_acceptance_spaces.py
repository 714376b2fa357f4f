"""Spaces that are not up: real servers of both lines behind the pages of a platform."""

from __future__ import annotations

import time

import pytest

from langchain_g4f import ChatGradioSpace, NotFoundError, SpaceNotRunningError
from langchain_g4f.providers.gradio_space import space as module
from langchain_g4f.transport import retry
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.harness import ask, by_turns, fail
from tests.servers.gradio.acceptance import (
    Heard,
    by_model,
    five_workers,
    last_calls,
    model_at,
    obligation,
    one_worker,
    phi4_at,
)
from tests.servers.gradio.conftest import Space
from tests.servers.gradio.front import Front
from tests.servers.gradio.hub import SPACE, SUBDOMAIN, Hub

pytestmark = pytest.mark.servers

FAILED = ("PAUSED", "BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "DELETING")


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the waits between looks at the Space down."""
    monkeypatch.setattr(module, "_FIRST_S", 0.02)
    monkeypatch.setattr(retry, "_FIRST_S", 0.01)


def put_behind(front: Front, hub: Hub) -> None:
    """Let the platform answer until the Hub has said that the Space runs."""

    def away(exchange: Exchange) -> bool:
        # What goes to the Hub over a proxy has its whole address as the path.
        return hub.told[-1:] != ["RUNNING"] and not exchange.path.startswith(hub.url)

    front.away = away


@obligation(20, 23)
@by_model
@by_turns
async def test_sleeping_space_is_woken_and_waited_for(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """From sleep over building to running, with a word about each look at it."""
    stages = ["SLEEPING", "BUILDING", "BUILDING", "APP_STARTING", "RUNNING"]
    heard = Heard()
    with Hub(stages) as hub, Front(one_worker(space)) as front:
        put_behind(front, hub)
        model = model_at(front, kind, space=SPACE, hub_url=hub.url, on_progress=heard)
        assert (await ask(model, way, "Hello")).text == "Turn 1. You said: Hello"
        assert hub.told == stages
        assert set(hub.asked) == {"runtime"}
        assert [exchange.method for exchange in front.requests if exchange.path == "/"] == ["GET"]
    assert [each.data["stage"] for each in heard.of("waking")] == stages[:-1]
    assert [each.message for each in heard.of("waking")][:2] == [
        f"{SPACE} is sleeping",
        f"{SPACE} is building",
    ]


@obligation(1, 20, 23)
@by_turns
async def test_space_that_fell_asleep_between_two_calls_is_woken(way: str, space: Space) -> None:
    """What was known of the app is looked up again, for it is another run of it."""
    awake = five_workers(space)
    heard = Heard()
    with Hub(["SLEEPING", "APP_STARTING", "RUNNING"]) as hub, Front(one_worker(space)) as front:
        model = phi4_at(front, space=SPACE, hub_url=hub.url, on_progress=heard)
        assert (await ask(model, way, "first")).text == "Turn 1. You said: first"
        put_behind(front, hub)
        front.space = awake
        assert (await ask(model, way, "second")).text == "Turn 1. You said: second"
    assert last_calls(awake)[0].text == "second"
    assert [each.data["stage"] for each in heard.of("waking")] == ["SLEEPING", "APP_STARTING"]


@obligation(17, 23)
@pytest.mark.parametrize("stage", FAILED)
@by_turns
async def test_space_that_will_not_run_is_an_error_with_its_stage(
    stage: str, way: str, space: Space
) -> None:
    """Only the owner can help: nothing is waited for."""
    with Hub([stage]) as hub, Front(one_worker(space)) as front:
        put_behind(front, hub)
        model = phi4_at(front, space=SPACE, hub_url=hub.url)
        error = await fail(model, way, SpaceNotRunningError, host=None)
        assert error.stage == stage
        assert stage in str(error)
        assert hub.told == [stage]
        assert front.to("/join") == []


@obligation(23)
@pytest.mark.parametrize("stage", ["SLEEPING", "BUILDING"])
@by_turns
async def test_waiting_for_a_space_has_an_end(stage: str, way: str, space: Space) -> None:
    """A Space that never comes up is given up when the time for that is over."""
    heard = Heard()
    with Hub([stage]) as hub, Front(one_worker(space)) as front:
        put_behind(front, hub)
        model = phi4_at(front, space=SPACE, hub_url=hub.url, wake_timeout=0.4, on_progress=heard)
        begun = time.monotonic()
        error = await fail(model, way, SpaceNotRunningError, host=None)
        assert time.monotonic() - begun < 5
        assert error.stage == stage
        assert "0.4 s" in str(error)
        assert {*hub.told} == {stage}
        assert len(heard.of("waking")) == len(hub.told) - 1


@by_turns
async def test_private_space_needs_the_token(way: str, space: Space) -> None:
    """The Hub does not know it without one; with it, the Space is waited for."""
    stages = ["BUILDING", "RUNNING"]
    with Hub(stages, token="hf_made_up") as hub, Front(one_worker(space)) as front:
        put_behind(front, hub)
        settings = {"space": SPACE, "hub_url": hub.url}
        error = await fail(phi4_at(front, **settings), way, NotFoundError, host=None)
        assert "private" in str(error)
        model = phi4_at(front, api_key="hf_made_up", **settings)
        assert (await ask(model, way, "Hello")).text == "Turn 1. You said: Hello"
        assert hub.told == stages


@obligation(21)
@by_turns
async def test_space_is_known_by_its_address(
    way: str, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub tells which Space is at an address on hf.space.

    The environment's token does not go there in the clear.
    """
    server = one_worker(space)
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    heard = Heard()
    with Hub(["SLEEPING", "RUNNING"]) as hub, Front(server) as front:
        put_behind(front, hub)
        model = ChatGradioSpace(
            base_url=f"http://{SUBDOMAIN}.hf.space",
            hub_url=hub.url,
            proxy=front.url,
            use_environment_token=True,
            on_progress=heard,
        )
        assert (await ask(model, way, "Hello")).text == "Turn 1. You said: Hello"
        assert hub.asked == [SUBDOMAIN, "runtime", "runtime"]
    assert heard.of("waking")[0].message == f"{SPACE} is sleeping"
    assert "authorization" not in last_calls(server)[0].headers


@obligation(20)
@by_turns
async def test_address_where_no_space_is_known_does_not_wait(way: str, space: Space) -> None:
    """A page in place of the app, and no Space whose state could be asked for."""
    with Front(one_worker(space)) as front:
        front.away = lambda _: True
        error = await fail(model_at(front), way, SpaceNotRunningError, host=None)
        assert error.stage == ""
        assert {exchange.path for exchange in front.requests} == {"/config"}
