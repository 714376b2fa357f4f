"""What apps and queues of real servers of both lines refuse, as errors that say which it is."""

from __future__ import annotations

import pytest

from langchain_g4f import (
    AppError,
    ChatGradioSpace,
    EmptyResponseError,
    QueueFullError,
    QuotaExceededError,
    ServerError,
)
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
from tests.servers.gradio.conftest import QUOTA, Raw, Space
from tests.servers.gradio.front import Front

pytestmark = pytest.mark.servers

WORDS = "one two three four five"


@obligation(17)
@by_model
@by_turns
async def test_error_before_any_text_has_the_apps_words(
    kind: type[ChatGradioSpace], way: str, space: Space
) -> None:
    """What the app says to its user is told, with its title; it is not tried again."""
    server = one_worker(space)
    before = len(server.calls)
    error = await fail(model_at(server, kind), way, AppError, f"[[error]] {WORDS}", host=None)
    assert "The model refused this request." in str(error)
    assert (error.title, error.partial_text) == ("Model error", "")
    assert (await ask(model_at(server, kind), way, "Still there?")).text.endswith("Still there?")
    assert [call.outcome for call in last_calls(server, 2)] == ["failed", "completed"]
    assert len(server.calls) == before + 2


@obligation(12, 17)
@by_turns
async def test_error_after_some_text_has_that_text(way: str, space: Space) -> None:
    """The title stands in the output, and what was said is kept."""
    error = await fail(
        phi4_at(one_worker(space)), way, AppError, f"[[error:mid]] {WORDS}", host=None
    )
    assert "The model stopped half way." in str(error)
    assert (error.title, error.partial_text) == ("Model error", "Turn 1. You ")


@obligation(18)
@pytest.mark.parametrize(("order", "said"), [("crash", ""), ("crash:mid", "Turn 1. You ")])
@by_turns
async def test_hidden_error_is_explained(order: str, said: str, way: str, space: Space) -> None:
    """An app that fails without a word is said to do so, and why that may be."""
    error = await fail(phi4_at(one_worker(space)), way, AppError, f"[[{order}]] {WORDS}", host=None)
    assert "does not say why" in str(error)
    assert "of a shape it does not take" in str(error)
    assert error.partial_text == said


@obligation(17)
@by_turns
async def test_error_that_the_page_would_not_show_is_told(way: str, space: Space) -> None:
    """An error kept off the screen has its text all the same."""
    error = await fail(phi4_at(one_worker(space)), way, AppError, "[[hidden]]", host=None)
    assert "kept off the screen" in str(error)
    assert error.title == "Quiet"


@by_turns
async def test_exception_is_told_by_an_app_that_shows_errors(way: str, space: Space) -> None:
    """With `show_error` the text of the app's own exception arrives."""
    model = phi4_at(five_workers(space))
    error = await fail(model, way, AppError, "[[crash]]", host=None)
    assert "the app broke before it answered" in str(error)


@obligation(17)
@by_turns
async def test_used_up_quota_says_when_to_come_back(way: str, space: Space) -> None:
    """The text of the GPU scheduler is an error of its own, with its time in seconds."""
    error = await fail(phi4_at(one_worker(space)), way, QuotaExceededError, "[[quota]]", host=None)
    assert error.retry_after == 12 * 3600 + 34 * 60 + 56
    assert QUOTA.partition(" - ")[0] in str(error)


@obligation(17)
@by_turns
async def test_quota_text_with_html_is_read_as_text(way: str, space: Space) -> None:
    """Tags are left out and what is between them stays; no time is made up."""
    model = phi4_at(one_worker(space))
    error = await fail(model, way, QuotaExceededError, "[[quota:html]]", host=None)
    assert error.retry_after is None
    assert "(60s requested vs. 56s left). Create a free account to get more" in str(error)


@obligation(15)
@by_turns
async def test_empty_answer_is_no_answer(way: str, space: Space) -> None:
    """An app that finishes without a word is reported."""
    await fail(phi4_at(one_worker(space)), way, EmptyResponseError, "[[empty]]", host=None)


@obligation(17, 20)
@by_turns
async def test_full_queue_is_not_taken_for_a_space_that_is_away(way: str, space: Space) -> None:
    """503 with JSON is the app's queue, which is joined again; 503 with a page is not."""
    server = one_worker(space)
    with Front(server) as front, Raw(server) as raw:
        model = phi4_at(front, max_retries=0, queue_timeout=0.9)
        await ask(model, way, "once")
        count = len(server.calls)
        raw.join(11, raw.prepare_phi4("[[hang:0.8]]"))
        server.wait_until(lambda: len(server.calls) > count)
        data = raw.prepare_phi4("waits")
        assert [raw.join(11, data).status_code for _ in range(3)] == [200] * 3
        full = await fail(model, way, QueueFullError, host=None)
        assert full.status_code == 503
        assert "Queue is full" in str(full)
        assert full.is_retryable
        patient = phi4_at(front, max_retries=0, on_progress=(heard := Heard()))
        assert (await ask(patient, way)).text.endswith("hi")
        assert "queue_full" in heard.kinds

        front.away = lambda exchange: exchange.path.endswith("/join")
        away = await fail(model, way, ServerError, host=None)
        assert (away.status_code, away.content_type) == (503, "text/html")
        assert "<" not in str(away)
    server.wait_until(lambda: len(server.calls) == count + 5 and not server.busy)
