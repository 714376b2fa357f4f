"""A Space that is not up, or no longer what it was: waited for within bounds, looked at once."""

from __future__ import annotations

import time

import pytest

from langchain_g4f import ChatGradioSpace
from langchain_g4f.core.events import Progress
from langchain_g4f.errors import (
    ChallengeError,
    G4FError,
    NotFoundError,
    QueueFullError,
    ServerError,
    SpaceNotRunningError,
)
from tests.contract.faults import gradio_script as gr
from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.gradio_entry import KEY, hub
from tests.contract.faults.harness import ask, by_call, by_turns, fail
from tests.contract.faults.registry import PATIENT, PHI4, Part, Provider, fault

ASLEEP = gr.page(503)
FULL = gr.reply({"detail": "Queue is full. Max size is 4 and size is 4."}, 503)
THREE = ("config",) * 3
"""A gateway's 503 is asked again, as of any other service."""
LATER = gr.config(app_id=7)
"""What the app says of itself after a restart."""
TRACEBACK = b"Traceback (most recent call last):\n  ...\nKeyError: 11\n"
PHI4_ALONE = fault(7, only="PH")


def crash(exchange: Exchange) -> None:
    """Answer as Gradio 5 does for a function that it does not know."""
    exchange.respond(500, TRACEBACK, content_type="text/plain")


@PHI4_ALONE
@pytest.mark.proves("obligation:gradio-space:20", "obligation:gradio-space:23")
@by_turns
@pytest.mark.parametrize(("status", "first"), [(200, 1), (503, 3)])
async def test_space_that_sleeps_is_woken_and_asked(
    provider: Provider, way: str, status: int, first: int
) -> None:
    """A page is no description: the Hub tells the stage, a knock wakes it, and the call goes on."""
    seen: list[Progress] = []
    parts: dict[str, Part] = {
        "config": [*[gr.page(status)] * first, gr.config_ok],
        "runtime": [gr.stage(name) for name in ("SLEEPING", "APP_STARTING", "RUNNING_BUILDING")],
        "page": ASLEEP,
    }
    with provider.server(**parts) as server:
        model = provider.model(server, on_progress=seen.append, wake_timeout=5)
        assert (await ask(model, way)).text == "Hello there"
        woken = ("runtime", "page", "runtime", "runtime", *provider.good_call)
        assert provider.asked(server) == ("config",) * first + woken
    stages = [progress.data["stage"] for progress in seen if progress.kind == "waking"]
    assert stages == ["SLEEPING", "APP_STARTING"]


@PHI4_ALONE
@pytest.mark.proves("obligation:gradio-space:23")
@by_turns
@pytest.mark.parametrize("stage", ["SLEEPING", "RUNNING"])
async def test_space_that_does_not_wake_in_time_is_given_up(
    provider: Provider, way: str, stage: str
) -> None:
    """Also one that the Hub calls running, and whose host still has a page only."""
    with provider.server(config=ASLEEP, runtime=gr.stage(stage), page=ASLEEP) as server:
        started = time.monotonic()
        model = provider.model(server, wake_timeout=0.2)
        error = await fail(model, way, SpaceNotRunningError, host=None)
        assert time.monotonic() - started < 2
        asked = provider.asked(server)
        assert set(asked) <= {"config", "runtime", "page"}
        assert ("page" in asked) is (stage == "SLEEPING"), "a Space that is built needs no knock"
    assert error.stage == ("" if stage == "RUNNING" else stage)
    assert "not running" in str(error)


@PHI4_ALONE
@by_turns
@pytest.mark.parametrize("stage", ["PAUSED"])
async def test_space_that_cannot_wake_is_not_waited_for(
    provider: Provider, way: str, stage: str
) -> None:
    """Its owner has to do something first; the stage says what."""
    with provider.server(config=ASLEEP, runtime=gr.stage(stage)) as server:
        error = await fail(provider.model(server), way, SpaceNotRunningError, host=None)
        assert provider.asked(server) == (*THREE, "runtime")
    assert error.stage == stage
    assert stage in str(error)


@PHI4_ALONE
@by_call
@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (500, ServerError)])
async def test_stage_that_the_hub_does_not_tell_is_an_error(
    provider: Provider, way: str, status: int, kind: type[G4FError]
) -> None:
    """No such Space, a private one, or a Hub that fails: nothing is waited for."""
    refuse = gr.reply({"error": "Repository not found"}, status)
    with provider.server(config=ASLEEP, runtime=refuse) as server:
        await fail(provider.model(server), way, kind, host=None)
        hubs = 3 if status == 500 else 1
        assert provider.asked(server) == THREE + ("runtime",) * hubs


@PHI4_ALONE
@by_call
async def test_app_that_is_no_space_is_not_waited_for(provider: Provider, way: str) -> None:
    """The Hub does not know its state."""
    with provider.server(config=ASLEEP) as server:
        model = ChatGradioSpace(base_url=server.url, hub_url=hub(server.url), timeout=PATIENT)
        await fail(model, way, SpaceNotRunningError, host=None)
        assert provider.asked(server) == THREE


@PHI4_ALONE
@pytest.mark.proves("fault:5:PH")
@by_call
async def test_challenge_is_no_reason_to_wait(provider: Provider, way: str) -> None:
    """A bot protection stands before an app that is up; asking again would only annoy it."""
    page = gr.PAGE.replace(b"<body>", b"<body>captcha")
    refuse: Action = lambda x: x.respond(503, page, content_type=gr.HTML)  # noqa: E731
    with provider.server(config=refuse) as server:
        await fail(provider.model(server), way, ChallengeError, host=None)
        assert provider.asked(server) == ("config",)


@PHI4_ALONE
@by_turns
async def test_space_that_fell_asleep_since_is_described_again(
    provider: Provider, way: str
) -> None:
    """What was known of it is no longer true: once more under what it says now, and no more."""
    described = [gr.config_ok, ASLEEP, ASLEEP, ASLEEP, gr.reply(LATER)]
    prepared = [gr.predict_ok, ASLEEP, gr.predict_ok, ASLEEP]
    with provider.server(config=described, predict=prepared) as server:
        model = provider.model(server)
        await ask(model, way)
        assert (await ask(model, way)).text == "Hello there"
        looked = ("predict", *THREE, "runtime", "config", *provider.again)
        assert provider.asked(server) == (*provider.good_call, *looked)
        error = await fail(model, way, ServerError, host=None)
        assert provider.asked(server)[-2:] == ("predict", "config"), "it is as it was"
    assert error.status_code == 503


@pytest.mark.proves("fault:9:PH", "fault:11:PH")
@fault(7, only="PH")
@by_turns
async def test_function_that_is_not_known_any_more_is_looked_up_once(
    provider: Provider, way: str
) -> None:
    """After a restart the numbers may be others: the message goes to the new ones."""
    moved = gr.config(
        app_id=7,
        dependencies=[
            gr.function(20, "add_message", [gr.CHATBOT, gr.BOX, gr.STATE], **gr.SUBMITTED),
            gr.function(21, "respond", [gr.CHATBOT, gr.STATE], **gr.STREAMING),
        ],
    )
    joins = [gr.join_ok, crash, gr.join_ok]
    with provider.server(config=[gr.config_ok, gr.reply(moved)], join=joins) as server:
        model = provider.model(server)
        await ask(model, way)
        answer = await ask(model, way)
        asked = (*provider.good_call, "predict", "join", "config", *provider.again)
        assert provider.asked(server) == asked
        called = [gr.said(request)["fn_index"] for request in provider.sent(server, "join")]
        assert called == [gr.ANSWER, gr.ANSWER, 21]
    assert answer.text == "Hello there"
    assert answer.response_metadata["retries"] == 1


@pytest.mark.proves("fault:9:PH", "fault:11:PH")
@fault(7, only="PH")
@by_turns
async def test_function_that_fails_in_the_same_app_is_called_once(
    provider: Provider, way: str
) -> None:
    """The app is still the same: its failure is told, and the message not sent again."""
    with provider.server(join=[gr.join_ok, crash]) as server:
        model = provider.model(server)
        await ask(model, way)
        error = await fail(model, way, ServerError, host=None)
        asked = (*provider.good_call, "predict", "join", "config")
        assert provider.asked(server) == asked
    assert error.status_code == 500


@fault(10, only="PH")
@by_turns
async def test_full_queue_is_joined_again_until_its_clock_has_run_out(
    provider: Provider, way: str
) -> None:
    """JSON is the app's own word; nothing was begun that had to be cancelled."""
    began = time.monotonic()
    with provider.server(join=FULL) as server:
        model = provider.model(server, queue_timeout=0.3, max_retries=0)
        error = await fail(model, way, QueueFullError, host=None)
        joined = provider.asked(server)[len(provider.until("join")) :]
        assert {*joined} == {"join"}
        assert "cancel" not in provider.asked(server)
    assert time.monotonic() - began < 2
    assert (error.status_code, error.is_retryable) == (503, True)
    assert "Max size is 4" in error.body
    assert (error.provider, error.phase) == (provider.name, "join the queue")


@fault(10, only="PH")
@by_turns
@pytest.mark.parametrize("where", ["join", "data"])
async def test_place_in_a_queue_that_was_full_is_taken(
    provider: Provider, way: str, where: str
) -> None:
    """An older app says so in its stream; it is no retry, and each wait is told and longer."""
    full = {"join": FULL, "data": PHI4.answering(gr.event("queue_full", None))}[where]
    good = {"join": gr.join_ok, "data": gr.answer_ok}[where]
    seen: list[Progress] = []
    with provider.server(**{where: [full, full, good]}) as server:
        model = provider.model(server, max_retries=0, on_progress=seen.append)
        answer = await ask(model, way)
        assert provider.asked(server).count("join") == 3
        assert "cancel" not in provider.asked(server)
    assert answer.text == "Hello there"
    waits = [each.data["wait_s"] for each in seen if each.kind == "queue_full"]
    assert waits == [pytest.approx(0.02), pytest.approx(0.03)]


@fault(10, only="PH")
@by_turns
async def test_total_clock_ends_the_wait_for_a_full_queue(provider: Provider, way: str) -> None:
    """What stood in the way is what the caller is told."""
    with provider.server(join=FULL) as server:
        model = provider.model(server, timeout=0.5, queue_timeout=60)
        await fail(model, way, QueueFullError, host=None)


@fault(10, only="PH")
@by_call
@pytest.mark.parametrize(
    "refuse",
    [gr.reply({"detail": "Queue is stopped."}, 503), gr.page(503)],
    ids=["stopped", "page"],
)
async def test_other_503_of_the_queue_is_a_server_error(
    provider: Provider, way: str, refuse: Action
) -> None:
    """A page is the platform's word, and says nothing of a queue."""
    with provider.server(join=refuse) as server:
        error = await fail(provider.model(server), way, ServerError, host=None)
        assert provider.asked(server) == provider.until("join")
    assert error.status_code == 503


@fault(11, only="PH")
@by_turns
@pytest.mark.parametrize("status", [404, 500])
async def test_app_that_does_not_describe_itself_is_called_by_the_known_numbers(
    provider: Provider, way: str, status: int
) -> None:
    """They count where there is an app and no description of it, and nowhere else."""
    refuse = gr.reply({"detail": "Not Found"}, status)
    with provider.server(config=refuse) as server:
        assert (await ask(provider.model(server, max_retries=0), way)).text == "Hello there"
        assert provider.asked(server) == provider.good_call
        (join,) = provider.sent(server, "join")
        assert gr.said(join)["fn_index"] == 11


@fault(41, only="PH")
@by_call
async def test_token_goes_to_hub_and_app_alone(provider: Provider, way: str) -> None:
    """Both are asked with it while a Space wakes up."""
    parts: dict[str, Part] = {
        "config": [ASLEEP, ASLEEP, ASLEEP, gr.config_ok],
        "runtime": [gr.stage("SLEEPING"), gr.stage("RUNNING")],
    }
    with provider.server(**parts) as server:
        await ask(provider.model(server, wake_timeout=5), way)
        found = {request.header("authorization") for request in server.requests}
        assert found == {f"Bearer {KEY}"}
