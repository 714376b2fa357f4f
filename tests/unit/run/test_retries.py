"""A request that fails is repeated where that is allowed, and never once an event was delivered."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Event, Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.limits import Clocks, Sizes
from langchain_g4f.core.plan import Plan, send, stream
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    BadRequestError,
    RateLimitError,
    ServerError,
)
from langchain_g4f.transport.retry import RetryBudget
from tests.unit.run.plans import REFUSED, RESET
from tests.unit.run.service import OK, URL, Decoder, FakeService, Reply, Serve, request

UNSENT = Reply(fails=REFUSED, sent=False)


def asking(retry: RetryWhen = RetryWhen.ALWAYS) -> Plan:
    """One small request."""
    yield from send(request("x", retry=retry))


def answering(retry: RetryWhen = RetryWhen.ALWAYS) -> Plan:
    """One answer."""
    end = yield from stream(request("x", retry=retry), Decoder)
    if end.error:
        raise end.error


def retries(events: list[Event]) -> list[Progress]:
    """The retries among the events."""
    return [e for e in events if isinstance(e, Progress) and e.kind == "retry"]


@pytest.mark.proves("promise:retry-decisions")
@pytest.mark.parametrize("failure", [UNSENT, Reply(fails=RESET), Reply(status=503)])
@pytest.mark.parametrize("max_retries", [0, 2])
async def test_failing_request_is_repeated_as_often_as_is_set(
    failure: Reply, max_retries: int, mode: str, serve: Serve
) -> None:
    """Each repetition is announced, and the last failure is the error."""
    service, events = serve(x=failure), list[Event]()
    with pytest.raises(APIError) as caught:
        await service.call(mode, asking(), service.context(max_retries=max_retries)).into(events)
    assert service.asked == ["x"] * (max_retries + 1)
    assert [r.data["attempt"] for r in retries(events)] == [*range(1, max_retries + 1)]
    assert all(r.message == str(caught.value) for r in retries(events))


@pytest.mark.proves("promise:retry-decisions")
@pytest.mark.parametrize("plan", [asking, answering])
async def test_request_that_recovers_is_answered(
    plan: Callable[[], Plan], mode: str, serve: Serve
) -> None:
    """The plan does not notice."""
    service = serve(x=[UNSENT, Reply(status=502), Reply([b"!"])])
    events = await service.call(mode, plan()).all()
    assert len(retries(events)) == 2
    assert service.asked == ["x"] * 3


@pytest.mark.proves("promise:retry-decisions", "obligation:huggingchat:16")
@pytest.mark.parametrize(
    ("failure", "kinds"),
    [
        (UNSENT, {RetryWhen.ALWAYS, RetryWhen.NOT_PROCESSED, RetryWhen.NOT_SENT}),
        (Reply(status=429), {RetryWhen.ALWAYS, RetryWhen.NOT_PROCESSED}),
        (
            Reply(status=429, headers={"retry-after": "0.01"}),
            {RetryWhen.ALWAYS, RetryWhen.NOT_PROCESSED, RetryWhen.NOT_SENT},
        ),
        (Reply(fails=RESET), {RetryWhen.ALWAYS}),
        (Reply(fails=httpx.ProxyError("407"), sent=False), set()),
        (Reply(status=400), set()),
    ],
)
@pytest.mark.parametrize("retry", RetryWhen, ids=lambda retry: retry.name)
async def test_kind_of_request_decides_what_is_repeated(
    failure: Reply, kinds: set[RetryWhen], retry: RetryWhen, mode: str, serve: Serve
) -> None:
    """A message that may have been received is sent once."""
    service = serve(x=failure)
    with pytest.raises(APIError):
        await service.call(mode, answering(retry), service.context(max_retries=1)).all()
    assert len(service.asked) == 1 + (retry in kinds)


async def test_certificate_that_is_refused_is_not_tried_again(mode: str, serve: Serve) -> None:
    """It will not get better, and there is no unverified fallback."""
    failure = httpx.ConnectError("handshake")
    failure.__cause__ = ssl.SSLCertVerificationError("self-signed")
    service = serve(x=Reply(fails=failure, sent=False))
    with pytest.raises(APIConnectionError, match="TLS"):
        await service.call(mode, asking()).all()
    assert service.asked == ["x"]


@pytest.mark.proves("promise:retry-decisions")
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "0.002"}, 0.002),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "3"}, 0.003),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "Mon, 13 Nov 2023 22:13:20 GMT"}, None),
        ({}, None),
    ],
)
async def test_wait_is_what_the_service_asks_for_or_the_backoff(
    headers: dict[str, str], wait: float | None, mode: str, serve: Serve
) -> None:
    """It is told with the retry."""
    service = serve(x=[Reply(status=429, headers=headers), OK])
    (retry,) = retries(await service.call(mode, asking()).all())
    waited = retry.data["wait_s"]
    assert isinstance(waited, float)
    assert waited == wait if wait is not None else 0.0007 < waited <= 0.001


@pytest.mark.proves("promise:retry-decisions")
@pytest.mark.parametrize(
    ("asked", "limits", "seconds"),
    [
        ("61", {}, 61),
        ("Tue, 14 Nov 2023 22:23:20 GMT", {}, 600),
        ("50", {"clocks": Clocks(total=40)}, 50),
        ("0.5", {"sizes": Sizes(retry_after_s=0.4)}, 0.5),
    ],
)
async def test_wait_that_is_too_long_is_left_to_the_caller(
    asked: str, limits: dict[str, Any], seconds: float, mode: str, serve: Serve
) -> None:
    """The error says how long the service asked to wait."""
    service = serve(x=Reply(status=429, headers={"retry-after": asked}))
    with pytest.raises(RateLimitError) as caught:
        await service.call(mode, asking(), service.context(**limits)).all()
    assert caught.value.retry_after == seconds
    assert service.asked == ["x"]


@pytest.mark.proves("promise:retry-never-after-an-event")
@pytest.mark.parametrize(
    "pieces", [[b"a"], [b"a", RESET], [b"a*"], [b"a?"], [b"~", RESET], [httpx.ReadTimeout("x")]]
)
async def test_answer_that_began_is_not_asked_for_again(
    pieces: list[Any], mode: str, serve: Serve
) -> None:
    """Whatever happens to it, and however harmless a repetition would be."""
    service = serve(x=Reply(pieces))
    with pytest.raises(APIError):
        await service.call(mode, answering(RetryWhen.ALWAYS)).all()
    assert service.asked == ["x"]


async def test_each_attempt_is_made_with_the_cookies_of_its_time(mode: str, serve: Serve) -> None:
    """A signature would be new, and a refreshed session is used at once."""
    made: list[int] = []

    def make() -> Request:
        made.append(len(made))
        return Request("GET", f"{URL}/x", {"number": str(len(made))}, retry=RetryWhen.ALWAYS)

    def plan() -> Plan:
        yield from send(make)

    service = serve(x=[Reply(status=503, headers={"set-cookie": "a=new; Path=/"}), OK])
    await service.call(mode, plan(), service.context(cookies={"a": "old"})).all()
    seen = [(r.headers["number"], r.headers["cookie"]) for r in service.requests]
    assert seen == [("1", "a=old"), ("2", "a=new")]


@pytest.mark.proves("promise:retry-decisions")
async def test_outage_is_not_multiplied(mode: str, serve: Serve) -> None:
    """The calls of a client share a quota of retries, which successes fill again."""
    budget = RetryBudget(capacity=5, cost=5)
    service = serve(x=[Reply(status=503)] * 4 + [OK] * 5 + [Reply(status=503), OK])

    async def one() -> int:
        before = len(service.asked)
        call = service.call(mode, asking(), budget=budget)
        with suppress(ServerError):
            await call.all()
        return len(service.asked) - before

    assert [await one() for _ in range(3)] == [2, 1, 1]
    assert [await one() for _ in range(5)] == [1] * 5
    assert await one() == 2


async def test_answer_of_a_failed_attempt_is_closed_before_the_next(
    mode: str, serve: Serve
) -> None:
    """Retries do not hold connections."""
    open_then: list[int] = []

    def look() -> None:
        open_then.append(service.open_bodies)

    service: FakeService = serve(x=Reply([b"x" * 100_000] * 10, status=503, look=look))
    with pytest.raises(ServerError):
        await service.call(mode, asking()).all()
    assert open_then == [0, 0, 0]


async def test_error_body_is_read_up_to_its_limit(mode: str, serve: Serve) -> None:
    """However much there is of it, or if it breaks off."""
    endless: list[Any] = [b"no. ", b"x" * 100, *[b"y" * 1000] * 1000]
    broken: list[Any] = [b"no. ", RESET]
    for pieces, body in ((endless, "no. " + "x" * 46), (broken, "")):
        service = serve(x=Reply(pieces, status=400))
        with pytest.raises(BadRequestError) as caught:
            await service.call(mode, asking(), service.context(sizes=Sizes(error_body=50))).all()
        assert caught.value.body == body
