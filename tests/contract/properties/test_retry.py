"""Property 9: whatever goes wrong, and in whatever order, repeating has its bounds.

A call is run against a service that fails at random, on a clock that only the test moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.cache import Cache
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Event, Text
from langchain_g4f.core.http import Headers, Request, ResponseHead, RetryWhen
from langchain_g4f.core.limits import Limits
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Plan, Sleep, send, stream
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    G4FError,
    TimeoutKind,
)
from langchain_g4f.run.call import Call
from langchain_g4f.run.operations import OPERATIONS, Open, Operation, Outcome, Read
from langchain_g4f.transport.retry import RetryBudget, parse_retry_after

RETRIES = 2
LIMITS = Limits()
TOTAL = LIMITS.clocks.total

_STATUSES = (400, 401, 403, 404, 408, 409, 429, 429, 500, 502, 503, 504)
_WAITS = ("", "1", "0", "59", "60", "61", "3600", "nan", "-1", "1e9", "soon")
_KINDS: tuple[TimeoutKind, ...] = ("connect", "pool", "first_event")
_answers: st.SearchStrategy[ResponseHead | APIError] = st.one_of(
    st.just(ResponseHead(200, Headers([]))),
    st.builds(
        lambda status, wait: ResponseHead(status, Headers([("retry-after", wait)])),
        st.sampled_from(_STATUSES),
        st.sampled_from(_WAITS),
    ),
    st.builds(lambda sent: APIConnectionError("broken", request_sent=sent), st.booleans()),
    st.builds(
        lambda kind, sent: APITimeoutError("late", kind=kind, request_sent=sent),
        st.sampled_from(_KINDS),
        st.booleans(),
    ),
)
_READS = (None, b"a!", b"a", b"ab", "broken", "late")
_requests = st.tuples(
    st.sampled_from(["send", "stream"]), st.sampled_from(list(RetryWhen)), st.booleans()
)


class _Letters:
    """An answer in which each byte is a piece of text, and the last one `!`."""

    finished = False

    @property
    def complete(self) -> bool:
        return self.finished

    def feed(self, data: bytes) -> Iterator[Event]:
        for letter in data.decode():
            self.finished = self.finished or letter == "!"
            yield Text(letter)

    def close(self) -> Iterator[Event]:
        yield from ()


@dataclass
class _World:
    """The service, the clock, and what was seen of the call."""

    data: st.DataObject
    now: float = 1000.0
    slept: float = 0.0
    attempts: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    latest: str = ""

    def perform(self, operation: Operation) -> Outcome:
        assert self.now <= 1000.0 + TOTAL + LIMITS.clocks.silence + LIMITS.clocks.first_event
        match operation:
            case Sleep():
                assert operation.seconds >= 0
                self.slept += operation.seconds
                self.now += operation.seconds
                assert self.now < 1000.0 + TOTAL
            case Open():
                return self._open(operation)
            case Read():
                return self._read(operation)
        return None

    def _open(self, operation: Open) -> ResponseHead:
        self.latest = operation.request.phase
        assert self.latest not in self.closed, "repeated although it may have had an effect"
        self.attempts[self.latest] = self.attempts.get(self.latest, 0) + 1
        left = 1000.0 + TOTAL - self.now
        assert operation.clocks.first_event <= max(left, 0.001) + 1e-9
        self.now += self.data.draw(st.floats(0, operation.clocks.first_event), "seconds")
        answer = self.data.draw(_answers, "answer")
        if _is_final(answer, operation.request.retry):
            self.closed.add(self.latest)
        if isinstance(answer, ResponseHead):
            return answer
        raise answer

    def _read(self, operation: Read) -> bytes | None:
        self.now += self.data.draw(st.floats(0, LIMITS.clocks.silence), "silence")
        found = self.data.draw(st.sampled_from(_READS), "read")
        if found == "broken":
            raise APIConnectionError("broken", request_sent=True)
        if found == "late":
            raise APITimeoutError("late", kind="silence", request_sent=True)
        assert not isinstance(found, str)
        return found


def _is_final(answer: ResponseHead | APIError, retry: RetryWhen) -> bool:
    """Whether this must be the last attempt (docs/fault-matrix.md, rows 9, 10 and 13)."""
    if isinstance(answer, ResponseHead):
        told = parse_retry_after(answer.headers, now=0) is not None
        safe = {
            RetryWhen.ALWAYS: {408, 429, 500, 502, 503, 504},
            RetryWhen.NOT_SENT: {429} if told else set[int](),
        }
        return answer.status not in safe.get(retry, {429, 502, 503, 504})
    assert isinstance(answer, (APIConnectionError, APITimeoutError))
    return answer.request_sent and retry is not RetryWhen.ALWAYS


def _plan(requests: list[tuple[str, RetryWhen, bool]]) -> Plan:
    for number, (way, retry, recovers) in enumerate(requests):
        request = Request("POST", "http://127.0.0.1/", retry=retry, phase=f"{way} {number}")
        try:
            if way == "send":
                yield from send(lambda request=request: request)  # type: ignore[misc]
            else:
                yield from stream(lambda request=request: request, lambda head: _Letters())  # type: ignore[misc]
        except APIError:
            if not recovers:
                raise


@pytest.mark.proves("property:9", "promise:retry-decisions", "promise:retry-never-after-an-event")
@given(requests=st.lists(_requests, min_size=1, max_size=4), data=st.data())
def test_call_repeats_within_its_bounds_whatever_fails(
    requests: list[tuple[str, RetryWhen, bool]], data: st.DataObject
) -> None:
    """At most 3 attempts each, sleep within the deadline, nothing again that may have worked."""
    world = _World(data)
    context = CallContext(
        provider="p",
        limits=LIMITS,
        max_retries=RETRIES,
        cookies=Cookies("http://127.0.0.1/"),
        locks=KeyedLocks(),
        cache=Cache(),
        clock=lambda: world.now,
        wall_clock=lambda: 1.8e9,
        random=Random(0),
        new_id=lambda: "id",
    )
    steps = Call(_plan(requests), context, RetryBudget()).steps()
    outcome: Outcome = None
    error: G4FError | None = None
    try:
        while True:
            step = steps.send(outcome) if error is None else steps.throw(error)
            outcome, error = None, None
            if type(step) not in OPERATIONS:
                if isinstance(step, Text):  # an event: what brought it is not asked for again
                    assert world.latest in world.closed
                continue
            try:
                outcome = world.perform(step)  # type: ignore[arg-type]
            except G4FError as failure:
                error = failure
    except (StopIteration, APIError):
        pass
    assert max(world.attempts.values(), default=0) <= 1 + RETRIES
    assert world.slept <= TOTAL
