"""Waiting for a Space that is not up (docs/protocols/gradio-space.md, section 10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    MalformedStreamError,
    NotFoundError,
    ServerError,
    SpaceNotRunningError,
)
from langchain_g4f.providers.gradio_space import open_app
from tests.unit.providers.gradio_space.fake_space import FakeSpace
from tests.unit.providers.gradio_space.replies import Reply, page, reply
from tests.unit.providers.gradio_space.test_space import (
    CONFIG,
    RUNTIME,
    SPACE,
    open_it,
    stages,
)


@pytest.mark.parametrize("stage", ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"])
def test_space_that_runs_is_waited_for_as_long_as_its_page_is_shown(stage: str) -> None:
    """Its app may need a moment."""
    world = FakeSpace({"config": [page(503), page(), reply(CONFIG)], RUNTIME: stages(stage)})
    with pytest.raises(MalformedStreamError, match=r"expected .* Gradio app, got text/html"):
        open_it(world)  # a page with status 200 is the app's own
    world = FakeSpace({"config": [page(503), page(502), reply(CONFIG)], RUNTIME: stages(stage)})
    assert open_it(world).app_id == 7
    assert world.slept == [1.0, 1.5]


@pytest.mark.proves("fault:7:PH")
@pytest.mark.parametrize("stage", ["SLEEPING", "STOPPED"])
def test_sleeping_space_is_knocked_at_and_waited_for(stage: str) -> None:
    """It is told how long already."""
    for first in (page(503), page(404), page(200), reply({"detail": "x"}, 503)):
        world = FakeSpace(
            {
                "config": [first, reply(CONFIG)],
                RUNTIME: stages(stage, "APP_STARTING", "BUILDING", "RUNNING"),
                "": [page(503)],
            }
        )
        events, found = world.all_of(open_app(SPACE, world.context))
        assert found.app_id == 7
        assert world.asked.count("") == 1
        assert world.slept == [1.0, 1.5, 2.25, 1.0]
        told = [event for event in events if isinstance(event, Progress)]
        assert [event.message for event in told] == [
            f"owner/name is {stage.lower()}",
            "owner/name is app starting",
            "owner/name is building",
        ]
        assert told[1].data == {"stage": "APP_STARTING", "waited_s": 1.0}


@pytest.mark.parametrize("answer", [page(), page(503), APIConnectionError("refused")])
def test_answer_to_the_knock_says_nothing(answer: Any) -> None:
    """What the Hub says counts."""
    table = {"config": [page(503), reply(CONFIG)], RUNTIME: stages("SLEEPING", "RUNNING")}
    world = FakeSpace({**table, "": answer})
    assert open_it(world).app_id == 7


@pytest.mark.proves("obligation:gradio-space:23", "fault:7:PH")
@pytest.mark.parametrize("stage", ["SLEEPING", "STOPPED", "BUILDING", "APP_STARTING"])
@pytest.mark.parametrize("seconds", [0, 1, 30, 300])
def test_waiting_for_a_space_has_an_end(stage: str, seconds: int) -> None:
    """The error names the stage."""
    world = FakeSpace({"config": page(503), RUNTIME: stages(stage), "": page(503)})
    where = replace(SPACE, wake_timeout_s=float(seconds))
    said = f"owner/name was not up within {seconds} s: its stage is {stage}"
    with pytest.raises(SpaceNotRunningError, match=said) as caught:
        open_it(world, where)
    assert caught.value.stage == stage
    assert seconds - 5 <= sum(world.slept) <= seconds
    assert max(world.slept, default=0) <= 5


@pytest.mark.proves("obligation:gradio-space:23")
def test_waiting_for_an_app_that_the_hub_takes_to_be_up_has_an_end() -> None:
    """The error says what the app answers."""
    world = FakeSpace({"config": page(503), RUNTIME: stages("RUNNING")})
    with pytest.raises(SpaceNotRunningError, match=r"answers with .*503") as caught:
        open_it(world, replace(SPACE, wake_timeout_s=20))
    assert caught.value.stage == ""
    assert 15 <= sum(world.slept) <= 20


@pytest.mark.parametrize(
    "stage",
    ["PAUSED", "NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "DELETING", "NEW"],
)
def test_space_that_will_not_run_is_not_waited_for(stage: str) -> None:
    """The error names the stage, a new one, too."""
    world = FakeSpace({"config": page(503), RUNTIME: stages(stage)})
    with pytest.raises(SpaceNotRunningError, match=f"does not run: its stage is {stage}") as caught:
        open_it(world)
    assert (caught.value.stage, world.slept) == (stage, [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"error": "no"}, 404), NotFoundError),
        (reply({"error": "no"}, 401), AuthenticationError),
    ],
)
def test_space_that_is_not_there_or_private_is_named(answer: Reply, kind: type[APIError]) -> None:
    """One cannot be told from the other."""
    world = FakeSpace({"config": page(404), RUNTIME: answer})
    with pytest.raises(kind, match="no Space 'owner/name', or it is private"):
        open_it(world)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"error": "no"}, 500), ServerError),
        (reply({}), MalformedStreamError),
        (page(), MalformedStreamError),
        (APIConnectionError("refused"), APIConnectionError),
    ],
)
def test_hub_that_cannot_say_is_an_error_of_its_own(answer: Any, kind: type[APIError]) -> None:
    """Waiting blindly would help nobody."""
    world = FakeSpace({"config": page(503), RUNTIME: answer})
    with pytest.raises(kind):
        open_it(world)
