"""What is repeated, and after how long."""

from __future__ import annotations

import random

import pytest

from langchain_g4f import errors
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.http import Headers, RetryWhen
from langchain_g4f.errors import APIConnectionError, APIError, APITimeoutError
from langchain_g4f.transport.retry import (
    RetryBudget,
    backoff,
    may_retry,
    parse_retry_after,
    wait_before_retry,
)

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
ANY, REFUSED, UNSENT = RetryWhen.ALWAYS, RetryWhen.NOT_PROCESSED, RetryWhen.NOT_SENT


def status(code: int, retry_after: float | None = None) -> APIError:
    """The error of a status."""
    return error_class(code)("m", status_code=code, retry_after=retry_after)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "1"}, 1),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": " 2 "}, 2),
        ({"Retry-After": "3600"}, 3600),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "NaN"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"Retry-After": "Tue, 14 Nov 2023 23:13:50 +0100"}, 30),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50"}, 30),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:20 GMT"}, None),
        ({"Retry-After": "Mon, 13 Nov 2023 22:13:20 GMT"}, None),
        ({"Retry-After": "Tue, 99 Nov 2023 22:13:50 GMT"}, None),
        ({"Retry-After": "Tue, 14 Nov 99999999999 22:13:50 GMT"}, None),
        ({"Retry-After-Ms": "250"}, 0.25),
        ({"Retry-After-Ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After-Ms": "0", "Retry-After": "9"}, 0),
        ({"Retry-After-Ms": "NaN", "Retry-After": "9"}, 9),
        ({"Retry-After-Ms": "-5"}, None),
    ],
)
@pytest.mark.proves("promise:retry-decisions")
def test_retry_after_is_read_in_each_form(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds or a date; what is not finite, negative or past says nothing."""
    assert parse_retry_after(Headers([*headers.items()]), NOW) == seconds


@pytest.mark.proves("promise:retry-decisions")
def test_backoff_doubles_up_to_its_cap_with_jitter_below() -> None:
    """0.5 s, doubled each time, at most 8 s, and up to a quarter less."""
    chosen = random.Random(3)
    for attempt, longest in enumerate((0.5, 1, 2, 4, 8, 8, 8)):
        waits = [backoff(attempt, chosen) for _ in range(500)]
        assert 0.75 * longest < min(waits) < 0.77 * longest
        assert 0.98 * longest < max(waits) <= longest
    assert backoff(1000, chosen) <= 8  # no overflow


# Each error, and the kinds of request that may be repeated after it.
DECISIONS = [
    (APIConnectionError(request_sent=False), {ANY, REFUSED, UNSENT}),
    (APIConnectionError(request_sent=True), {ANY}),
    (APIConnectionError(request_sent=False, is_retryable=False), set()),
    (APIConnectionError(request_sent=True, is_retryable=False), set()),
    (APITimeoutError(kind="connect"), {ANY, REFUSED, UNSENT}),
    (APITimeoutError(kind="pool"), {ANY, REFUSED, UNSENT}),
    (APITimeoutError(kind="write", request_sent=True), {ANY}),
    (APITimeoutError(kind="first_event", request_sent=True), {ANY}),
    (status(400), set()),
    (status(402), set()),
    (status(408), {ANY}),
    (status(422), set()),
    (status(429), {ANY, REFUSED}),
    (status(429, retry_after=1), {ANY, REFUSED, UNSENT}),
    (status(500), {ANY}),
    (status(501), set()),
    (status(502), {ANY, REFUSED}),
    (status(503), {ANY, REFUSED}),
    (status(504), {ANY, REFUSED}),
    (status(307), set()),
    (errors.ChallengeError(status_code=429), set()),
    (errors.ChallengeError(status_code=503), set()),
    (errors.QuotaExceededError(status_code=402), set()),
    (errors.MalformedStreamError(), set()),
    (errors.TooLargeError(), set()),
    (errors.StreamInterruptedError(), set()),
    (errors.ServerStreamError(), set()),
    (errors.EmptyResponseError(), set()),
]


def _named(value: APIError | set[RetryWhen]) -> str:
    """Name a case; a set has no order."""
    return "+".join(sorted(each.name for each in value)) if isinstance(value, set) else repr(value)


@pytest.mark.proves("promise:retry-decisions", "obligation:huggingchat:16")
@pytest.mark.parametrize(("error", "kinds"), DECISIONS, ids=_named)
@pytest.mark.parametrize("retry", RetryWhen, ids=lambda retry: retry.name)
def test_request_is_repeated_where_that_cannot_do_harm(
    error: APIError, kinds: set[RetryWhen], retry: RetryWhen
) -> None:
    """A message is repeated only if the service surely did not take it."""
    assert may_retry(error, retry) is (retry in kinds)
    wait = wait_before_retry(error, retry, 0, random.Random(1), longest=60)
    assert (wait is not None) is (retry in kinds)


@pytest.mark.proves("promise:retry-decisions")
@pytest.mark.parametrize(
    ("asked", "wait"), [(0, 0), (1, 1), (60, 60), (60.001, None), (3600, None)]
)
def test_wait_the_service_asks_for_is_obeyed_up_to_the_limit(
    asked: float, wait: float | None
) -> None:
    """Above it the error is the caller's, with the number in it."""
    error = status(429, retry_after=asked)
    assert wait_before_retry(error, UNSENT, 0, random.Random(1), longest=60) == wait


def test_wait_nobody_asks_for_is_the_backoff_of_the_attempt() -> None:
    """The first retry waits for half a second, the next for one."""
    for attempt, longest in enumerate((0.5, 1.0)):
        wait = wait_before_retry(status(429), ANY, attempt, random.Random(1), longest=60)
        assert wait == backoff(attempt, random.Random(1))
        assert 0.75 * longest <= wait <= longest


@pytest.mark.proves("promise:retry-decisions")
def test_budget_is_spent_by_retries_and_earned_by_successes() -> None:
    """An outage is not multiplied, and after it things go on."""
    budget = RetryBudget(capacity=10, cost=5)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(4):
        budget.refund()
        assert not budget.take()
    budget.refund()
    assert budget.take()
    for _ in range(100):
        budget.refund()
    assert [budget.take() for _ in range(3)] == [True, True, False]


def test_budget_by_default_pays_for_a_hundred_retries() -> None:
    """As the AWS SDKs do it."""
    budget = RetryBudget()
    assert [budget.take() for _ in range(101)] == [True] * 100 + [False]
