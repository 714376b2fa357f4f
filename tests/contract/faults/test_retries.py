"""Which refused requests are sent again; what a failure inside an answer is."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    EmptyResponseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
)
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action
from tests.contract.faults.harness import ask, closed, fail
from tests.contract.faults.registry import After, Part, Provider, cut, end, fault, hang, reset

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


@fault(8, value={"3600": "3600", "61": "61", "date": date(AN_HOUR_AHEAD)})
async def test_429_with_a_long_wait_is_the_callers_to_handle(
    provider: Provider, way: str, value: str
) -> None:
    """A caller is not kept waiting for an hour; the error says how long it would be."""
    with provider.server(**{provider.message: refuse(429, value)}) as server:
        error = await fail(provider.model(server), way, RateLimitError, host=None)
        assert provider.asked(server) == provider.refused(provider.message)
    assert error.retry_after is not None
    assert error.retry_after > 60
    assert error.is_retryable
    assert "come back later" in str(error)


UNUSABLE = {
    "not a number": "NaN",
    "for ever": "inf",
    "negative": "-1",
    "words": "soon",
    "past": date(A_SECOND_AGO),
    "empty": "",
    "missing": None,
}


@fault(8, value=UNUSABLE)
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


@fault(9, code=[408, 500, 501, 502, 503, 504])
async def test_message_that_failed_is_not_sent_again(
    provider: Provider, way: str, code: int
) -> None:
    """The message may exist already: one POST, and no stop, because nothing runs."""
    kind: type[APIStatusError] = ServerError if code >= 500 else BadRequestError
    with provider.server(**{provider.message: refuse(code)}) as server:
        error = await fail(provider.model(server), way, kind, host=None)
        assert provider.asked(server) == provider.until(provider.message)
        assert server.requests[-1].method == "POST"
    assert error.status_code == code


@fault(10, where=lambda provider: provider.repeated, code=[502, 503, 504])
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
async def test_500_is_repeated_for_reads_alone(provider: Provider, way: str) -> None:
    """A read does no harm; what was to be created may exist."""
    read, create = provider.full_call[0], provider.create
    parts: dict[str, Part] = {read: [refuse(500), provider.good], create: refuse(500)}
    with provider.server(**parts) as server:
        model = provider.full_model(server)
        await fail(model, way, APIError, provider.full_prompt, host=None, subclass=True)
        assert provider.asked(server) == (read, *provider.until(create, provider.full_call))


@fault(9, 10, where=lambda provider: provider.repeated)
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


# --- row 25: HuggingChat reports a failure inside an answer that began with status 200 -----------

KINDS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitError,
    500: ServerError,
    503: ServerError,
    599: ServerError,
}
NO_OUTPUT = "No output was generated. Something went wrong."

Report = tuple[str, dict[str, Any], type[APIError], str]

REPORTS: dict[str, Report] = {
    **{
        str(code): ("Hello", {"message": f"{code} says so", "statusCode": code}, kind, "says so")
        for code, kind in KINDS.items()
    },
    "nothing": ("Hello", {}, ServerStreamError, "without a message"),
    "null": (
        "Hello",
        {"message": None, "statusCode": None},
        ServerStreamError,
        "without a message",
    ),
    "a message": ("Hello", {"message": "it broke"}, ServerStreamError, "it broke"),
    "no status": ("Hello", {"message": "it broke", "statusCode": 0}, ServerStreamError, "it broke"),
    "no text": ("", {"message": NO_OUTPUT}, EmptyResponseError, ""),
    "held back text": ("1 <", {"message": "busy"}, ServerStreamError, "busy"),
}
"""What was said before, the fields of the report, and the error, which says this."""


def error_line(**fields: Any) -> bytes:
    """The update that reports a failure."""
    return hc.line({"type": "status", "status": "error", **fields})


@fault(25, only="HC", case=REPORTS)
async def test_reported_failure_is_an_error_of_its_class(
    provider: Provider, way: str, case: Report
) -> None:
    """As the same status in HTTP, with the text that came; the next call is like any other."""
    text, fields, kind, words = case
    pieces = [hc.STARTED, *map(hc.token, filter(None, [text])), error_line(**fields)]
    with provider.server(send=[provider.answering(*pieces), hc.answer_ok]) as server:
        model = provider.model(server)
        error = await fail(model, way, kind, host=None)
        assert provider.asked(server) == provider.good_call, "neither again nor stopped"
        assert (await ask(model, way)).text == "Hello there"
    assert error.partial_text == text
    assert words in str(error)
    if isinstance(error, APIStatusError):
        assert error.status_code == fields["statusCode"]


@fault(25, only="HC", then=[end, cut, reset, hang])
async def test_failure_ends_the_answer_however_its_connection_ends(
    provider: Provider, way: str, then: After
) -> None:
    """The report is the end: nothing more is awaited, stopped or taken up again."""
    pieces = [hc.STARTED, hc.token("Hello"), error_line(message="busy", statusCode=429)]
    with provider.server(send=provider.answering(*pieces, then=then)) as server:
        error = await fail(provider.model(server), way, RateLimitError, host=None)
        assert provider.asked(server) == provider.good_call
        if then is hang:
            assert await closed(provider, server, "send")
    assert error.partial_text == "Hello"
