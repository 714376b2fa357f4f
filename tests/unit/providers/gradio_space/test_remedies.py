"""What is tried again, once, and what is not (docs/protocols/gradio-space.md)."""

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
from tests.unit.providers.gradio_space.apps import (
    assistant,
    interface_config,
    steps_config,
    user,
)
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
from tests.unit.providers.gradio_space.test_plan import GOOD, JOINED, SPACE, world
from tests.unit.providers.gradio_space.world import HUB, World

JWT = "api/spaces/owner/name/jwt"
LOST = events({"msg": "unexpected_error", "message": "404: Session not found."})


def remedies(found: list[Event]) -> list[Any]:
    """What was tried against failures."""
    told = [event for event in found if isinstance(event, Progress) and event.kind == "retry"]
    return [event.data["recovery"] for event in told]


def sessions(trial: World) -> list[str]:
    """The sessions that were joined."""
    return [body["session_hash"] for body in trial.sent("queue/join")]


@pytest.mark.proves("obligation:gradio-space:12", "obligation:gradio-space:5")
@pytest.mark.parametrize(
    "first",
    [
        events(),
        events({"msg": "process_starts", "event_id": "e"}),
        events(generating("", None)),
        events(CANCELLED),
        LOST,
    ],
)
def test_answer_that_is_cut_before_its_first_word_is_asked_for_again(first: Reply) -> None:
    """Once, under a new session."""
    trial = world(None, first, GOOD)
    found = trial.ask("hi")
    assert (text_of(found), found[-1]) == ("ok", Finish())
    assert remedies(found) == ["new session"]
    assert len(set(sessions(trial))) == 2


@pytest.mark.proves("obligation:gradio-space:12", "fault:14:PH")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (events(generating("o", None)), StreamInterruptedError),
        (events(generating({"path": "/a"}, None)), StreamInterruptedError),
        (
            events(generating("o", None), {"msg": "unexpected_error", "message": "404"}),
            SessionLostError,
        ),
    ],
)
def test_answer_that_is_cut_after_its_first_word_is_not_asked_for_again(
    answer: Reply, kind: type[APIError]
) -> None:
    """Another one may differ, and GPU time was spent."""
    trial = world(None, answer, GOOD)
    found, _ = trial.fail(kind, "hi")
    assert remedies(found) == []
    assert len(sessions(trial)) == 1


@pytest.mark.parametrize(("retries", "asked"), [(0, 1), (1, 2), (5, 2)])
def test_answer_that_is_cut_again_is_given_up(retries: int, asked: int) -> None:
    """One more try is all there is, and none where the caller wants none."""
    for answer, kind in ((events(), StreamInterruptedError), (LOST, SessionLostError)):
        trial = world(None, answer, max_retries=retries)
        trial.fail(kind, "hi")
        assert len(sessions(trial)) == asked


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (events(failed("broken")), AppError),
        (events(completed("", None)), EmptyResponseError),
        (APIConnectionError("refused"), APIConnectionError),
    ],
)
def test_answer_that_failed_otherwise_is_not_asked_for_again(
    answer: Any, kind: type[APIError]
) -> None:
    """The app has had its say."""
    trial = world(None, answer)
    found, _ = trial.fail(kind, "hi")
    assert (remedies(found), len(sessions(trial))) == ([], 1)


MOVED = interface_config(app_id=8)
MOVED["dependencies"][0]["id"] = 99


@pytest.mark.proves("obligation:gradio-space:1")
@pytest.mark.parametrize(
    "refusal", [Reply(b"Internal Server Error", 500, "text/plain"), reply({}, 404), page(503)]
)
def test_app_that_has_changed_is_read_again(refusal: Reply) -> None:
    """Its functions are elsewhere now."""
    trial = world()
    trial.ask("first")
    trial.table |= {"queue/join": [refusal, JOINED], "config": reply(MOVED), "queue/data": [GOOD]}
    found = trial.ask("second")
    assert (text_of(found), remedies(found)) == ("ok", ["changed app"])
    assert trial.sent("queue/join")[-1]["fn_index"] == 99
    assert trial.asked.count("config") == 2


def test_app_whose_preparation_has_moved_is_read_again() -> None:
    """The first function that is called tells."""
    shown = [user("hi"), assistant("ok")]
    prepared = reply({"data": [shown[:1], None]})
    also: dict[str, Any] = {"run/predict": prepared}
    trial = world(steps_config(), events(completed(shown)), **also)
    trial.ask("first")
    trial.table |= {
        "run/predict": [Reply(b"Traceback", 500, "text/plain"), prepared],
        "config": reply(steps_config(app_id=8)),
    }
    assert remedies(trial.ask("second")) == ["changed app"]


FAILURES = [
    events(failed("broken")),
    events(failed(None)),
    events(completed("", None)),
    events(completed()),
]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("app_id", [reply({"app_id": 8}), reply({"detail": "x"}, 404)])
def test_app_that_fails_and_has_changed_is_read_again(failure: Reply, app_id: Reply) -> None:
    """Another function has the number now, and fails in its own way."""
    trial = world()
    trial.ask("first")
    trial.table |= {"queue/data": [failure, GOOD], "config": reply(MOVED), "app_id": app_id}
    found = trial.ask("second")
    assert (text_of(found), remedies(found)) == ("ok", ["changed app"])
    assert trial.sent("queue/join")[-1]["fn_index"] == 99


@pytest.mark.parametrize("failure", FAILURES)
def test_app_that_fails_and_is_the_same_is_not_asked_again(failure: Reply) -> None:
    """It is asked for its number, and for no more."""
    trial = world()
    trial.ask("first")
    trial.table["queue/data"] = failure
    found, _ = trial.fail(APIError, "second")
    assert (remedies(found), len(sessions(trial))) == ([], 2)
    assert (trial.asked.count("config"), trial.asked[-1]) == (1, "app_id")


@pytest.mark.proves("fault:9:PH")
@pytest.mark.parametrize("refusal", [Reply(b"x", 500, "text/plain"), reply({}, 404), page(503)])
def test_app_that_is_the_same_is_not_asked_again(refusal: Reply) -> None:
    """The function failed, and was where it should be."""
    trial = world()
    trial.ask("first")
    trial.table["queue/join"] = refusal
    found, error = trial.fail(APIError, "hi")
    assert remedies(found) == []
    assert f"answered with {refusal.status}" in str(error)
    assert len(sessions(trial)) == 2
    assert trial.asked[-1] == "config"


@pytest.mark.proves("fault:9:PH")
@pytest.mark.parametrize("refusal", [Reply(b"x", 500, "text/plain"), reply({}, 422), page(503)])
def test_refusal_of_an_app_that_was_just_read_is_final(refusal: Reply) -> None:
    """It said what it is a moment ago."""
    trial = world()
    trial.table["queue/join"] = refusal
    trial.fail(APIError, "hi")
    assert trial.asked == ["config", "queue/join"]


def test_space_that_fell_asleep_is_waited_for() -> None:
    """The call goes on when it is up, as another app."""
    trial = world()
    trial.ask("first", where=replace(SPACE, token=""))
    runtime = [reply({"stage": stage}) for stage in ("SLEEPING", "RUNNING")]
    trial.table |= {
        "queue/join": [page(503), JOINED],
        "config": [page(503), reply(MOVED)],
        "api/spaces/owner/name/runtime": runtime,
        "": page(503),
    }
    found = trial.ask("second", where=replace(SPACE, token=""))
    assert text_of(found) == "ok"
    assert kinds_of(found) == ["waking", "retry"]


def test_space_that_does_not_wake_up_is_told_as_such() -> None:
    """And not as the page it shows."""
    trial = world()
    trial.ask("first", where=replace(SPACE, token=""))
    runtime = reply({"stage": "PAUSED"})
    trial.table |= {
        "queue/join": page(503),
        "config": page(503),
        "api/spaces/owner/name/runtime": runtime,
    }
    _, error = trial.fail(SpaceNotRunningError, "hi", where=replace(SPACE, token=""))
    assert error.stage == "PAUSED"


def gpu(*tokens: str) -> dict[str, Any]:
    """What the Hub gives, one after the other."""
    return {JWT: [reply({"token": token}) for token in tokens]}


EXPIRED = events(failed("Expired ZeroGPU proxy token", title="ZeroGPU client error"))
NO_TOKEN = events(failed("Space app has reached its GPU limit."))


def sent_tokens(trial: World) -> list[str]:
    """The GPU tokens of the calls."""
    joins = (r for r in trial.requests if "queue/join" in r.url)
    return [request.headers.get("x-zerogpu-token", "") for request in joins]


@pytest.mark.proves("fault:43:PH", "obligation:gradio-space:21")
@pytest.mark.parametrize("refusal", [EXPIRED, NO_TOKEN])
def test_refused_identity_is_renewed_once(refusal: Reply) -> None:
    """With a new GPU token; the second refusal is final."""
    trial = world(None, refusal, GOOD, **gpu("1", "2"))
    found = trial.ask("hi", where=SPACE)
    assert (text_of(found), remedies(found)) == ("ok", ["new identity"])
    assert sent_tokens(trial) == ["1", "2"]
    trial = world(None, refusal, **gpu("1", "2", "3"))
    kind = AuthenticationError if refusal is EXPIRED else QuotaExceededError
    trial.fail(kind, "hi", where=SPACE)
    assert sent_tokens(trial) == ["1", "2"]


@pytest.mark.proves("fault:4:PH", "fault:43:PH")
def test_identity_refused_when_joining_is_renewed_once() -> None:
    """The error says how to log in."""
    trial = world(**gpu("1", "2", "3"))
    trial.table["queue/join"] = reply({"detail": "no"}, 401)
    _, error = trial.fail(AuthenticationError, "hi", where=SPACE)
    assert sent_tokens(trial) == ["1", "2"]
    assert error.login_url == f"{HUB}/login"


def test_identity_that_nobody_gave_is_not_renewed() -> None:
    """Nor is one that the caller has given."""
    for where in (replace(SPACE, token=""), replace(SPACE, gpu_token="given")):
        trial = world(None, EXPIRED)
        trial.fail(AuthenticationError, "hi", where=where)
        assert len(sessions(trial)) == 1


def test_two_failures_have_a_remedy_each() -> None:
    """A new identity, then a new session; the new token is kept."""
    trial = world(None, EXPIRED, events(), GOOD, **gpu("1", "2", "3"))
    found = trial.ask("hi", where=SPACE)
    assert remedies(found) == ["new identity", "new session"]
    assert sent_tokens(trial) == ["1", "2", "2"]
