"""Opening the app of a Space, and waking it (docs/protocols/gradio-space.md, 8 and 10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import RetryWhen
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    ConfigurationError,
    MalformedStreamError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SpaceNotRunningError,
)
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.space import (
    app_id,
    cached_app,
    forget_app,
    is_platform_error,
    open_app,
)
from tests.unit.providers.gradio_space.apps import app, page_config
from tests.unit.providers.gradio_space.fake_space import APP, HUB, FakeSpace
from tests.unit.providers.gradio_space.replies import Reply, page, reply

RUNTIME = "api/spaces/owner/name/runtime"
SPACE = SpaceConfig(base_url=APP, space="owner/name", hub_url=HUB, token="hf_token")
BARE = SpaceConfig(base_url=APP, hub_url=HUB)
ON_HUB = SpaceConfig(base_url="https://owner-name.hf.space", hub_url=HUB)
FALLBACK = replace(SPACE, fallback_app=app([], [], app_id=0))
BY_SUBDOMAIN = "api/spaces/by-subdomain/owner-name"
CONFIG = page_config()
CHALLENGE = Reply(b"<title>Just a moment...</title> cf-chl", 503, "text/html")
REFUSED = APIConnectionError("refused")


def stages(*names: str) -> list[Reply]:
    """The Hub's word on the Space, one after the other."""
    return [reply({"stage": name, "hardware": {}}) for name in names]


def open_it(fake: FakeSpace, config: SpaceConfig = SPACE) -> Any:
    """The app."""
    return fake.result(open_app(config, fake.context))


@pytest.mark.proves("obligation:gradio-space:1")
def test_description_is_cached_until_it_is_forgotten() -> None:
    """By the address of the app."""
    fake = FakeSpace({"config": reply(CONFIG), "other/config": reply(CONFIG)})
    assert cached_app(SPACE, fake.context) is None
    found = open_it(fake)
    assert open_it(fake) is open_it(fake, BARE) is cached_app(SPACE, fake.context) is found
    (request,) = fake.requests
    assert (request.url, request.retry) == (f"{APP}/config", RetryWhen.ALWAYS)
    assert request.headers == {"authorization": "Bearer hf_token"}
    forget_app(SPACE, fake.context)
    forget_app(SPACE, fake.context)
    open_it(fake)
    open_it(fake, replace(SPACE, base_url=f"{APP}/other"))
    assert fake.asked == ["config", "config", "other/config"]


def test_cached_description_is_read_again_after_a_restart() -> None:
    """The app's number is compared, at most every ten seconds."""
    same, other = reply({"app_id": CONFIG["app_id"]}), reply({"app_id": 8})
    fake = FakeSpace({"config": reply(CONFIG), "app_id": [same, other, reply({}, 404)]})
    found = open_it(fake)
    for seconds, asked in ((9.9, []), (10, ["app_id"]), (0, [])):
        fake.now += seconds
        fake.requests.clear()
        assert open_it(fake) is found
        assert fake.asked == asked
    for _ in range(2):
        fake.now += 10
        fake.requests.clear()
        assert open_it(fake) is not found
        assert fake.asked == ["app_id", "config"]


def test_number_of_the_app_is_asked_below_its_prefix() -> None:
    """A response without it is malformed."""
    fake = FakeSpace({"app_id": [reply({"app_id": 8}), reply({})]})
    assert fake.result(app_id(SPACE, app([], []))) == 8
    assert fake.requests[0].url == f"{APP}/gradio_api/app_id"
    with pytest.raises(MalformedStreamError, match="'app_id'"):
        fake.result(app_id(SPACE, app([], [])))


@pytest.mark.parametrize(
    ("config", "response", "kind", "said"),
    [
        (SPACE, reply({"detail": "login"}, 401), AuthenticationError, "401"),
        (SPACE, reply({"detail": "no"}, 403), PermissionDeniedError, "403"),
        (SPACE, reply({"detail": "slow"}, 429), RateLimitError, "429"),
        (SPACE, reply({"detail": "broken"}, 500), ServerError, "500"),
        (SPACE, page(500), ServerError, "500"),
        (SPACE, CHALLENGE, PermissionDeniedError, "challenge"),
        (SPACE, REFUSED, APIConnectionError, "refused"),
        (BARE, page(503), SpaceNotRunningError, "there is no app at its address"),
        (BARE, page(404), SpaceNotRunningError, "there is no app at its address"),
        (BARE, page(), MalformedStreamError, "got text/html"),
        (BARE, reply({"detail": "Not Found"}, 404), NotFoundError, "404"),
        (BARE, reply({"detail": "busy"}, 503), ServerError, "503"),
        # no guesses if the caller is refused, or if it is another app
        (FALLBACK, reply({"detail": "login"}, 401), AuthenticationError, "401"),
        (FALLBACK, reply({"detail": "slow"}, 429), RateLimitError, "429"),
        (FALLBACK, REFUSED, APIConnectionError, "refused"),
        (FALLBACK, CHALLENGE, PermissionDeniedError, "challenge"),
        (FALLBACK, reply({"version": "3", "protocol": "ws"}), ConfigurationError, "runs Gradio 3;"),
    ],
)
def test_refusal_is_passed_on_at_once(
    config: SpaceConfig, response: Any, kind: type[APIError], said: str
) -> None:
    """The state of the Space is not the reason, or cannot be asked for."""
    fake = FakeSpace({"config": response})
    with pytest.raises(kind, match=said):
        open_it(fake, config)
    assert (fake.asked, cached_app(config, fake.context)) == (["config"], None)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_fallback_is_used_for_an_app_without_a_description(status: int) -> None:
    """It is not cached."""
    fake = FakeSpace({"config": [reply({"detail": "x"}, status), reply(CONFIG)]})
    assert open_it(fake, FALLBACK) is FALLBACK.fallback_app
    assert cached_app(FALLBACK, fake.context) is None
    assert open_it(fake, FALLBACK).app_id == 7


@pytest.mark.parametrize("response", [reply({}), reply({"id": 7}), reply({}, 404), page(503)])
def test_space_is_found_by_its_subdomain(response: Reply) -> None:
    """If the Hub does not know it, there is nothing to wait for."""
    table = {"config": [page(503), reply(CONFIG)], RUNTIME: stages("BUILDING", "RUNNING")}
    fake = FakeSpace({**table, BY_SUBDOMAIN: reply({"id": "owner/name"})})
    assert open_it(fake, ON_HUB).app_id == 7
    assert fake.asked == ["config", BY_SUBDOMAIN, RUNTIME, RUNTIME, "config"]
    fake = FakeSpace({"config": page(503), BY_SUBDOMAIN: response})
    with pytest.raises(SpaceNotRunningError, match="no app at its address"):
        open_it(fake, ON_HUB)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError("x", status_code=503, content_type="text/html"), True),
        (NotFoundError("x", status_code=404, content_type="text/html"), True),
        (ServerError("x", status_code=500, content_type="text/html"), False),
        (ServerError("x", status_code=503, content_type="application/json"), False),
        (MalformedStreamError("x"), False),
    ],
)
def test_page_in_place_of_the_app_is_an_error_of_the_platform(
    error: APIError, *, expected: bool
) -> None:
    """JSON comes from the app."""
    assert is_platform_error(error) is expected


# --- waking --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"])
def test_app_of_a_running_space_gets_a_moment(stage: str) -> None:
    """As long as the platform shows its page; a page with status 200 is the app's own."""
    fake = FakeSpace({"config": [page(503), page(502), reply(CONFIG)], RUNTIME: stages(stage)})
    assert open_it(fake).app_id == 7
    assert fake.slept == [1.0, 1.5]
    for last, kind in ((page(), MalformedStreamError), (reply({}, 404), NotFoundError)):
        fake = FakeSpace({"config": [page(503), last], RUNTIME: stages(stage)})
        with pytest.raises(kind):
            open_it(fake)
        assert fake.slept == [1.0]


@pytest.mark.proves("fault:7:PH")
@pytest.mark.parametrize("stage", ["SLEEPING", "STOPPED"])
@pytest.mark.parametrize("first", [page(503), page(404), page(200), reply({"detail": "x"}, 503)])
def test_sleeping_space_is_woken(first: Reply, stage: str) -> None:
    """One request wakes it, whatever the response; progress says how long it takes."""
    for woken in (page(), page(503), REFUSED):
        fake = FakeSpace(
            {
                "config": [first, reply(CONFIG)],
                RUNTIME: stages(stage, "APP_STARTING", "BUILDING", "RUNNING"),
                "": woken,
            }
        )
        events, found = fake.all_of(open_app(SPACE, fake.context))
        assert (found.app_id, fake.asked.count("")) == (7, 1)
        assert fake.slept == [1.0, 1.5, 2.25, 1.0]
        told = [event for event in events if isinstance(event, Progress)]
        names = (stage.lower(), "app starting", "building")
        assert [event.message for event in told] == [f"owner/name is {name}" for name in names]
        assert told[1].data == {"stage": "APP_STARTING", "waited_s": 1.0}


@pytest.mark.proves("obligation:gradio-space:23", "fault:7:PH")
@pytest.mark.parametrize("stage", ["SLEEPING", "STOPPED", "BUILDING", "APP_STARTING", "RUNNING"])
@pytest.mark.parametrize("seconds", [0, 1, 30, 300])
def test_waiting_ends_after_the_timeout(stage: str, seconds: int) -> None:
    """The error has the stage, or what the app of a running Space answers."""
    fake = FakeSpace({"config": page(503), RUNTIME: stages(stage), "": page(503)})
    said = f"owner/name was not up within {seconds} s: its stage is {stage}"
    with pytest.raises(SpaceNotRunningError) as caught:
        open_it(fake, replace(SPACE, wake_timeout_s=float(seconds)))
    running = stage == "RUNNING"
    assert ("answers with" if running else said) in str(caught.value)
    assert caught.value.stage == ("" if running else stage)
    assert seconds - 5 <= sum(fake.slept) <= seconds
    assert max(fake.slept, default=0) <= 5


@pytest.mark.parametrize(
    "stage",
    ["PAUSED", "NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "DELETING", "NEW"],
)
def test_space_in_another_stage_is_not_waited_for(stage: str) -> None:
    """A stage that we do not know included."""
    fake = FakeSpace({"config": page(503), RUNTIME: stages(stage)})
    with pytest.raises(SpaceNotRunningError, match=f"does not run: its stage is {stage}") as caught:
        open_it(fake)
    assert (caught.value.stage, fake.slept) == (stage, [])


@pytest.mark.parametrize(
    ("response", "kind", "said"),
    [
        (reply({"error": "no"}, 404), NotFoundError, "no Space 'owner/name', or it is private"),
        (reply({"error": "no"}, 401), AuthenticationError, "no Space 'owner/name', or it is priv"),
        (reply({"error": "no"}, 500), ServerError, "500"),
        (reply({}), MalformedStreamError, "'stage'"),
        (page(), MalformedStreamError, "JSON"),
        (REFUSED, APIConnectionError, "refused"),
    ],
)
def test_space_of_unknown_state_is_not_waited_for(
    response: Any, kind: type[APIError], said: str
) -> None:
    """The error is the Hub's."""
    with pytest.raises(kind, match=said):
        open_it(FakeSpace({"config": page(503), RUNTIME: response}))
