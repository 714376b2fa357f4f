"""What a failed call is repeated with, once, and what is final."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_g4f.core.events import Event, Finish, Progress
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    AppError,
    AuthenticationError,
    EmptyResponseError,
    QuotaExceededError,
    SessionLostError,
    SpaceNotRunningError,
    StreamInterruptedError,
)
from tests.unit.providers.gradio_space.apps import assistant, interface_config, steps_config, user
from tests.unit.providers.gradio_space.fake_space import HUB, FakeSpace
from tests.unit.providers.gradio_space.replies import (
    CANCELLED,
    Reply,
    completed,
    events,
    failed,
    generating,
    kinds_of,
    page,
    reply,
    text_of,
)
from tests.unit.providers.gradio_space.test_plan import (
    ANONYMOUS,
    GOOD,
    JOINED,
    LOST,
    SPACE,
    sent,
    sessions,
    space,
)


def recoveries(found: list[Event]) -> list[Any]:
    """The recoveries that were tried."""
    told = [event for event in found if isinstance(event, Progress) and event.kind == "retry"]
    return [event.data["recovery"] for event in told]


@pytest.mark.proves("obligation:gradio-space:12", "obligation:gradio-space:5")
@pytest.mark.parametrize(
    "first",
    [
        events({"msg": "process_starts", "event_id": "e"}),
        events(generating("", None)),
        events(CANCELLED),
        LOST,
    ],
)
def test_answer_cut_before_its_first_word_is_requested_again(first: Reply) -> None:
    """Once, in a new session, if the caller allows retries."""
    fake = space(None, first, GOOD)
    found = fake.ask("hi")
    assert (text_of(found), found[-1]) == ("ok", Finish())
    assert (recoveries(found), sessions(fake)) == (["new session"], [0, 1])
    for retries, calls in ((0, 1), (1, 2), (5, 2)):
        fake = space(None, first, max_retries=retries)
        fake.fail(SessionLostError if first is LOST else StreamInterruptedError, "hi")
        assert len(sent(fake)) == calls


@pytest.mark.proves("obligation:gradio-space:12", "fault:14:PH")
@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (events(generating("o", None)), StreamInterruptedError),
        (events(generating({"path": "/a"}, None)), StreamInterruptedError),
        (
            events(generating("o", None), {"msg": "unexpected_error", "message": "404"}),
            SessionLostError,
        ),
        (events(failed("broken")), AppError),
        (events(completed("", None)), EmptyResponseError),
        (APIConnectionError("refused"), APIConnectionError),
    ],
)
def test_other_failed_answer_is_not_requested_again(stream: Any, kind: type[APIError]) -> None:
    """The caller has seen a part of it, or the app has answered with an error."""
    fake = space(None, stream, GOOD)
    found, _ = fake.fail(kind, "hi")
    assert (recoveries(found), len(sent(fake))) == ([], 1)


MOVED = interface_config(app_id=8)
MOVED["dependencies"][0]["id"] = 99
REFUSALS = [Reply(b"Internal Server Error", 500, "text/plain"), reply({}, 404), page(503)]
FAILURES = [
    events(failed("broken")),
    events(failed(None)),
    events(completed("", None)),
    events(completed()),
]


@pytest.mark.proves("obligation:gradio-space:1", "fault:9:PH")
@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusal_by_an_app_that_has_changed_is_recovered(refusal: Reply) -> None:
    """If the app is the same, or was described in this very call, the refusal is final."""
    fake = space()
    fake.ask("first")
    fake.table |= {"queue/join": [refusal, JOINED], "config": reply(MOVED), "queue/data": [GOOD]}
    found = fake.ask("second")
    assert (text_of(found), recoveries(found)) == ("ok", ["changed app"])
    assert fake.sent("queue/join")[-1]["fn_index"] == 99
    assert fake.asked.count("config") == 2
    fake = space()
    fake.ask("first")
    fake.table["queue/join"] = refusal
    found, error = fake.fail(APIError, "second")
    assert (recoveries(found), len(sent(fake)), fake.asked[-1]) == ([], 2, "config")
    assert f"answered with {refusal.status}" in str(error)
    fake = space(**{"queue/join": refusal})
    fake.fail(APIError, "hi")
    assert fake.asked == ["config", "queue/join"]


def test_refused_preparation_of_a_changed_app_is_recovered() -> None:
    """The first function that is called shows the change."""
    shown = [user("hi"), assistant("ok")]
    prepared = reply({"data": [shown[:1], None]})
    fake = space(steps_config(), events(completed(shown)), **{"run/predict": prepared})
    fake.ask("first")
    fake.table |= {"run/predict": [REFUSALS[0], prepared], "config": reply(steps_config(app_id=8))}
    assert recoveries(fake.ask("second")) == ["changed app"]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("app_id", [reply({"app_id": 8}), reply({"detail": "x"}, 404)])
def test_failure_of_an_app_that_has_changed_is_recovered(failure: Reply, app_id: Reply) -> None:
    """Another function may have the number; if the app is the same, the failure is final."""
    fake = space()
    fake.ask("first")
    fake.table |= {"queue/data": [failure, GOOD], "config": reply(MOVED), "app_id": app_id}
    found = fake.ask("second")
    assert (text_of(found), recoveries(found)) == ("ok", ["changed app"])
    assert fake.sent("queue/join")[-1]["fn_index"] == 99
    fake = space()
    fake.ask("first")
    fake.table["queue/data"] = failure
    found, _ = fake.fail(APIError, "second")
    assert (recoveries(found), len(sent(fake))) == ([], 2)
    assert (fake.asked.count("config"), fake.asked[-1]) == (1, "app_id")


@pytest.mark.parametrize("up", [True, False])
def test_space_that_fell_asleep_is_woken(up: bool) -> None:
    """If it does not wake up, the error names its stage."""
    fake = space()
    fake.ask("first", config=ANONYMOUS)
    stages = ("SLEEPING", "RUNNING" if up else "PAUSED")
    fake.table |= {
        "queue/join": [page(503), JOINED],
        "config": [page(503), reply(MOVED)],
        "api/spaces/owner/name/runtime": [reply({"stage": stage}) for stage in stages],
        "": page(503),
    }
    if up:
        found = fake.ask("second", config=ANONYMOUS)
        assert (text_of(found), kinds_of(found)) == ("ok", ["waking", "retry"])
    else:
        _, error = fake.fail(SpaceNotRunningError, "second", config=ANONYMOUS)
        assert error.stage == "PAUSED"


def gpu(*tokens: str) -> dict[str, Any]:
    """A Hub that issues these tokens."""
    return {"api/spaces/owner/name/jwt": [reply({"token": token}) for token in tokens]}


EXPIRED = events(failed("Expired ZeroGPU proxy token", title="ZeroGPU client error"))
NO_TOKEN = events(failed("Space app has reached its GPU limit."))


def sent_tokens(fake: FakeSpace) -> list[str]:
    """The GPU token of each queued call."""
    joins = (request for request in fake.requests if "queue/join" in request.url)
    return [request.headers.get("x-zerogpu-token", "") for request in joins]


@pytest.mark.proves("fault:43:PH", "obligation:gradio-space:21")
@pytest.mark.parametrize(
    ("refusal", "kind"), [(EXPIRED, AuthenticationError), (NO_TOKEN, QuotaExceededError)]
)
def test_refused_gpu_token_is_renewed_once(refusal: Reply, kind: type[APIError]) -> None:
    """Another recovery may follow, and keeps the new token."""
    fake = space(None, refusal, GOOD, **gpu("1", "2"))
    found = fake.ask("hi", config=SPACE)
    assert (text_of(found), recoveries(found)) == ("ok", ["new identity"])
    assert sent_tokens(fake) == ["1", "2"]
    fake = space(None, refusal, **gpu("1", "2", "3"))
    fake.fail(kind, "hi", config=SPACE)
    assert sent_tokens(fake) == ["1", "2"]
    fake = space(None, refusal, events(), GOOD, **gpu("1", "2", "3"))
    assert recoveries(fake.ask("hi", config=SPACE)) == ["new identity", "new session"]
    assert sent_tokens(fake) == ["1", "2", "2"]


@pytest.mark.proves("fault:4:PH", "fault:43:PH")
def test_refused_join_is_repeated_with_a_new_token() -> None:
    """The error says how to log in. A token that the caller gave is not replaced."""
    fake = space(**gpu("1", "2", "3"))
    fake.table["queue/join"] = reply({"detail": "no"}, 401)
    _, error = fake.fail(AuthenticationError, "hi", config=SPACE)
    assert sent_tokens(fake) == ["1", "2"]
    assert error.login_url == f"{HUB}/login"
    for config in (ANONYMOUS, replace(SPACE, gpu_token="given")):
        fake = space(None, EXPIRED)
        fake.fail(AuthenticationError, "hi", config=config)
        assert len(sent(fake)) == 1
