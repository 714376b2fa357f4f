"""Opening the app of a Space (docs/protocols/gradio-space.md, sections 8 and 10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.http import RetryWhen
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    MalformedStreamError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SpaceNotRunningError,
)
from langchain_g4f.providers.gradio_space import SpaceConfig, cached_app, open_app
from langchain_g4f.providers.gradio_space.space import app_id, forget_app, is_platform_error
from tests.unit.providers.gradio_space.apps import app, page_config
from tests.unit.providers.gradio_space.fake_space import APP, HUB, FakeSpace
from tests.unit.providers.gradio_space.replies import Reply, page, reply

RUNTIME = "api/spaces/owner/name/runtime"
SPACE = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
BARE = SpaceConfig(base_url=APP, hub_url=HUB)
CONFIG = page_config()
CHALLENGE = Reply(b"<title>Just a moment...</title> cf-chl", 503, "text/html")


def stages(*names: str) -> list[Reply]:
    """What the Hub says of the Space, one after the other."""
    return [reply({"stage": name, "hardware": {}}) for name in names]


def open_it(world: FakeSpace, where: SpaceConfig = SPACE) -> Any:
    """Open the app."""
    return world.result(open_app(where, world.context))


@pytest.mark.proves("obligation:gradio-space:1")
def test_app_is_asked_once_what_it_is() -> None:
    """Until it is forgotten; each address is an app of its own."""
    world = FakeSpace({"config": reply(CONFIG)})
    assert cached_app(SPACE, world.context) is None
    found = open_it(world)
    assert open_it(world) is found
    assert open_it(world, BARE) is found
    assert cached_app(SPACE, world.context) is found
    assert world.asked == ["config"]
    (request,) = world.requests
    assert (request.url, request.retry) == (f"{APP}/config", RetryWhen.ALWAYS)
    assert request.headers == {"authorization": "Bearer hf_token"}
    forget_app(SPACE, world.context)
    forget_app(SPACE, world.context)
    open_it(world)
    world.table["other/config"] = reply(CONFIG)
    open_it(world, replace(SPACE, base_url=f"{APP}/other"))
    assert world.asked == ["config", "config", "other/config"]


def test_known_app_is_asked_after_a_while_whether_it_is_the_same() -> None:
    """One that was edited and restarted is read anew: its numbers mean other functions."""
    same, other = reply({"app_id": CONFIG["app_id"]}), reply({"app_id": 8})
    world = FakeSpace({"config": reply(CONFIG), "app_id": [same, other, reply({}, 404)]})
    found = open_it(world)
    world.now += 9.9
    assert open_it(world) is found
    assert world.asked == ["config"]
    world.now += 10
    assert open_it(world) is found
    assert open_it(world) is found
    assert world.asked == ["config", "app_id"]
    world.now += 10
    assert open_it(world) is not found
    assert world.asked == ["config", "app_id", "app_id", "config"]
    world.now += 10
    open_it(world)
    assert world.asked[4:] == ["app_id", "config"]


def test_memory_that_holds_something_else_is_not_believed() -> None:
    """The app is asked."""
    world = FakeSpace({"config": reply(CONFIG)})
    world.context.memory[f"gradio app at {APP}"] = "?"
    assert open_it(world).app_id == 7


def test_app_says_by_a_number_whether_it_is_the_same() -> None:
    """At the prefix it has."""
    world = FakeSpace({"app_id": [reply({"app_id": 8}), reply({})]})
    found = app([], [])
    assert world.result(app_id(SPACE, found)) == 8
    assert world.requests[0].url == f"{APP}/gradio_api/app_id"
    with pytest.raises(MalformedStreamError, match="'app_id'"):
        world.result(app_id(SPACE, found))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"detail": "login"}, 401), AuthenticationError),
        (reply({"detail": "no"}, 403), PermissionDeniedError),
        (reply({"detail": "slow"}, 429), RateLimitError),
        (reply({"detail": "broken"}, 500), ServerError),
        (page(500), ServerError),
        (CHALLENGE, PermissionDeniedError),
        (APIConnectionError("refused"), APIConnectionError),
    ],
)
def test_refusal_of_the_app_is_passed_on(answer: Any, kind: type[APIError]) -> None:
    """The state of the Space has nothing to do with it."""
    world = FakeSpace({"config": answer})
    with pytest.raises(kind):
        open_it(world)
    assert cached_app(SPACE, world.context) is None


def test_address_without_an_app_is_told_where_the_space_runs() -> None:
    """There is nothing to wait for."""
    world = FakeSpace({"config": reply({"detail": "Not Found"}, 404), RUNTIME: stages("RUNNING")})
    with pytest.raises(NotFoundError):
        open_it(world)
    assert world.slept == []


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (page(503), SpaceNotRunningError, "there is no app at its address"),
        (page(404), SpaceNotRunningError, "there is no app at its address"),
        (page(), MalformedStreamError, "got text/html"),
        (reply({"detail": "Not Found"}, 404), NotFoundError, "404"),
        (reply({"detail": "busy"}, 503), ServerError, "503"),
    ],
)
def test_address_that_is_no_space_is_not_waited_for(
    answer: Reply, kind: type[APIError], said: str
) -> None:
    """There is no Hub to ask."""
    world = FakeSpace({"config": answer})
    with pytest.raises(kind, match=said):
        open_it(world, BARE)
    assert world.asked == ["config"]


HF = SpaceConfig(base_url="https://owner-name.hf.space", hub_url=HUB)
BY_SUBDOMAIN = "api/spaces/by-subdomain/owner-name"


def test_space_is_found_by_its_address() -> None:
    """The Hub knows its id."""
    world = FakeSpace(
        {
            "config": [page(503), reply(CONFIG)],
            BY_SUBDOMAIN: reply({"id": "owner/name"}),
            RUNTIME: stages("BUILDING", "RUNNING"),
        }
    )
    assert open_it(world, HF).app_id == 7
    assert world.asked == ["config", BY_SUBDOMAIN, RUNTIME, RUNTIME, "config"]


@pytest.mark.parametrize("answer", [reply({}), reply({"id": 7}), reply({}, 404), page(503)])
def test_space_that_is_not_found_by_its_address_is_none(answer: Reply) -> None:
    """The error is what the app said."""
    world = FakeSpace({"config": page(503), BY_SUBDOMAIN: answer})
    with pytest.raises(SpaceNotRunningError, match="no app at its address"):
        open_it(world, HF)


KNOWN = replace(SPACE, fallback_app=app([], [], app_id=0))


@pytest.mark.parametrize(
    "answer",
    [reply({"detail": "Not Found"}, 404), reply({"detail": "x"}, 500), reply({"detail": "x"}, 400)],
)
def test_app_that_does_not_describe_itself_is_taken_for_what_is_known(answer: Reply) -> None:
    """That is not kept: it may describe itself at the next call."""
    world = FakeSpace({"config": [answer, reply(CONFIG)]})
    assert open_it(world, KNOWN) is KNOWN.fallback_app
    assert cached_app(KNOWN, world.context) is None
    assert open_it(world, KNOWN).app_id == 7


@pytest.mark.parametrize(
    "answer",
    [
        reply({"detail": "login"}, 401),
        reply({"detail": "slow"}, 429),
        APIConnectionError("refused"),
        CHALLENGE,
        reply({"version": "3", "protocol": "ws"}),
    ],
)
def test_app_that_is_not_to_be_had_is_not_guessed(answer: Any) -> None:
    """Who asks, or the way, is the reason; or it is another app."""
    with pytest.raises(APIError):
        open_it(FakeSpace({"config": answer}), KNOWN)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ServerError("x", status_code=503, content_type="text/html"), True),
        (NotFoundError("x", status_code=404, content_type="text/html"), True),
        (ServerError("x", status_code=500, content_type="text/html"), False),
        (ServerError("x", status_code=503, content_type="application/json"), False),
        (MalformedStreamError("x"), False),
    ],
)
def test_page_in_place_of_the_app_means_that_it_is_away(error: APIError, away: bool) -> None:
    """JSON is the app's own."""
    assert is_platform_error(error) is away
