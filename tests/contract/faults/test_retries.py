"""Which refused requests are sent again, how often and after how long."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    BadRequestError,
    RateLimitError,
    ServerError,
)
from tests.contract.faults.byte_server import Action
from tests.contract.faults.harness import ask, by_call, by_turns, fail
from tests.contract.faults.registry import Part, Provider, fault

A_SECOND_AGO, AN_HOUR_AHEAD = -1, 3600


def refuse(code: int, retry_after: str | None = None) -> Action:
    """Answer with an error status, and perhaps with a time to come back."""
    headers = [] if retry_after is None else [("Retry-After", retry_after)]
    body = b'{"message":"come back later"}'
    return lambda exchange: exchange.respond(code, body, headers)


def date(offset_s: float) -> str:
    """Now and so many seconds, as HTTP writes it."""
    return formatdate(time.time() + offset_s, usegmt=True)


@fault(8)
@by_call
async def test_429_waits_as_long_as_the_service_asks(provider: Provider, way: str) -> None:
    """A time asked for is a time waited, whichever request was refused."""
    part = provider.message
    with provider.server(**{part: [refuse(429, "0.3"), provider.good]}) as server:
        answer = await ask(provider.model(server), way)
        rest = provider.good_call[len(provider.until(part)) :]
        assert provider.asked(server) == (*provider.until(part), part, *rest)
        refused, repeated = provider.sent(server, part)
        assert 0.3 <= repeated.at - refused.at < 1.5
    assert answer.text == "Hello there"
    assert answer.response_metadata["retries"] == 1


@fault(8)
@by_call
@pytest.mark.parametrize("value", ["3600", "61", pytest.param(date(AN_HOUR_AHEAD), id="date")])
async def test_429_with_a_long_wait_is_the_callers_to_handle(
    provider: Provider, way: str, value: str
) -> None:
    """Nobody is kept waiting for an hour; the error says how long it would be."""
    with provider.server(**{provider.message: refuse(429, value)}) as server:
        error = await fail(provider.model(server), way, RateLimitError, host=None)
        assert provider.asked(server) == provider.refused(provider.message)
    assert error.retry_after is not None
    assert error.retry_after > 60
    assert error.is_retryable
    assert "come back later" in str(error)


@fault(8)
@by_call
@pytest.mark.parametrize(
    "value", ["NaN", "inf", "-1", "soon", pytest.param(date(A_SECOND_AGO), id="past"), "", None]
)
async def test_429_without_a_usable_wait_backs_off_but_for_messages(
    provider: Provider, way: str, value: str | None
) -> None:
    """Nonsense is ignored. A message is not sent again: the service counts each try."""
    message = provider.message
    for part in {provider.full_call[0], message}:
        with provider.server(**{part: refuse(429, value)}) as server:
            model = provider.full_model(server)
            error = await fail(model, way, RateLimitError, provider.full_prompt, host=None)
            again = provider.after_refusal if part == message else (part, part)
            assert provider.asked(server) == (*provider.until(part, provider.full_call), *again)
        assert error.retry_after is None


@fault(9)
@by_turns
@pytest.mark.parametrize("code", [408, 500, 501, 502, 503, 504])
async def test_message_that_failed_is_not_sent_again(
    provider: Provider, way: str, code: int
) -> None:
    """The message may exist by now: one POST, and no stop, because nothing runs."""
    kind: type[APIStatusError] = ServerError if code >= 500 else BadRequestError
    with provider.server(**{provider.message: refuse(code)}) as server:
        error = await fail(provider.model(server), way, kind, host=None)
        assert provider.asked(server) == provider.until(provider.message)
        assert server.requests[-1].method == "POST"
    assert error.status_code == code


@fault(10, where=lambda provider: provider.repeated)
@by_call
@pytest.mark.parametrize("code", [502, 503, 504])
async def test_requests_before_the_message_are_repeated(
    provider: Provider, way: str, code: int
) -> None:
    """A gateway that recovers goes unnoticed, but for the number of attempts."""
    for part in provider.repeated:
        flaky = [refuse(code), refuse(code), provider.good]
        with provider.server(**{part: flaky}) as server:
            answer = await ask(provider.full_model(server), way, provider.full_prompt)
            asked = provider.asked(server)
        assert [name for name in asked if name != part] == [
            name for name in provider.full_call if name != part
        ]
        assert asked.count(part) == 3
        assert answer.text == "Hello there"
        assert answer.response_metadata["retries"] == 2


@fault(10, where=lambda provider: provider.repeated)
@by_call
async def test_repeating_ends_after_two_retries(provider: Provider, way: str) -> None:
    """A gateway that does not recover is told of after three attempts."""
    for part in provider.repeated:
        with provider.server(**{part: refuse(503)}) as server:
            model = provider.full_model(server)
            error = await fail(model, way, ServerError, provider.full_prompt, host=None)
            asked = provider.until(part, provider.full_call)
            assert provider.asked(server) == (*asked, part, part)
        assert error.status_code == 503
        assert error.is_retryable


@fault(9, 10, where=lambda provider: provider.repeated)
@by_call
async def test_500_is_repeated_for_reads_alone(provider: Provider, way: str) -> None:
    """A read does no harm; what was to be created may exist."""
    read, create = provider.full_call[0], provider.create
    parts: dict[str, Part] = {read: [refuse(500), provider.good], create: refuse(500)}
    with provider.server(**parts) as server:
        model = provider.full_model(server)
        await fail(model, way, APIError, provider.full_prompt, host=None, subclass=True)
        assert provider.asked(server) == (read, *provider.until(create, provider.full_call))


@fault(9, 10, where=lambda provider: provider.repeated)
@by_call
async def test_retries_fit_into_the_total_clock(provider: Provider, way: str) -> None:
    """A wait that would outlast the call is not begun."""
    part = provider.repeated[-1]
    with provider.server(**{part: refuse(503, "30")}) as server:
        started = time.monotonic()
        model = provider.full_model(server, timeout=2)
        error = await fail(model, way, ServerError, provider.full_prompt, host=None)
        assert provider.asked(server) == provider.until(part, provider.full_call)
        assert time.monotonic() - started < 1
    assert error.retry_after == 30
