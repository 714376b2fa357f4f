"""Every clock, on time that the service lets pass; also while one long chunk is decoded."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Event, Finish, Text, Title
from langchain_g4f.core.http import ResponseHead
from langchain_g4f.core.limits import Clocks, Sizes
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, Plan, Sleep, send, stream
from langchain_g4f.errors import APITimeoutError, StreamInterruptedError, TooLargeError
from tests.unit.run.plans import RESET
from tests.unit.run.service import OK, Decoder, FakeService, Piece, Reply, Serve, request, texts

IDLE: list[Piece] = [25.0, b"-"]
SLOW: list[Piece] = [59.0, b"a"]


def answer() -> Plan:
    """One answer."""
    end = yield from stream(request("x"), Decoder, abort=request("stop"))
    if end.error:
        raise end.error


async def timeout_of(
    service: FakeService, mode: str, plan: Plan, clocks: Clocks | None = None
) -> APITimeoutError:
    """The timeout with which a call ends."""
    with pytest.raises(APITimeoutError) as caught:
        await service.call(mode, plan, service.context(clocks=clocks, max_retries=0)).all()
    assert caught.value.provider == "example"
    return caught.value


@pytest.mark.proves("promise:clocks", "obligation:huggingchat:15")
async def test_answer_of_heartbeats_alone_is_idle(mode: str, serve: Serve) -> None:
    """Bytes flow, and nothing happens; the service is told to stop."""
    service = serve(x=Reply([b"a", *IDLE * 9]))
    error = await timeout_of(service, mode, answer())
    assert (error.kind, error.request_sent, error.partial_text) == ("idle", True, "a")
    assert service.now == 1000 + 75
    assert service.asked == ["x", "stop"]


@pytest.mark.parametrize("event", [b"~", b"a"])
async def test_any_event_keeps_an_answer_from_being_idle(
    event: bytes, mode: str, serve: Serve
) -> None:
    """Progress is meaningful, too."""
    pieces: list[Piece] = [50.0, event]
    service = serve(x=Reply([*pieces * 9, b"!"]))
    events = await service.call(mode, answer()).all()
    assert len(events) == 10


@pytest.mark.proves("promise:clocks")
async def test_answer_that_goes_on_for_ever_ends_with_the_total(mode: str, serve: Serve) -> None:
    """One event just before each idle clock would be endless."""
    service = serve(x=Reply([*SLOW * 20]))
    error = await timeout_of(service, mode, answer())
    assert (error.kind, error.partial_text) == ("total", "a" * 10)
    assert service.asked == ["x", "stop"]


async def test_pause_of_the_caller_does_not_count_as_idle(mode: str, serve: Serve) -> None:
    """Whoever uses the events may take the time; what came meanwhile is a heartbeat."""
    service = serve(x=Reply([b"a", b"-", b"b", b"!"]))
    call = service.call(mode, answer())
    assert await call.next() == Text("a")
    service.now += 200
    assert await call.all() == [Text("b"), Finish()]


@pytest.mark.parametrize(
    ("pieces", "takes"), [([b"x", 7.0, b"x", 7.0, b"x", 7.0], 0), ([b"x"], 15), ([15.0, b"x"], 0)]
)
async def test_total_holds_for_small_responses(
    pieces: list[Any], takes: float, mode: str, serve: Serve
) -> None:
    """A response that drips is given up."""
    service = serve(x=Reply(pieces, takes=takes))
    error = await timeout_of(service, mode, send(request("x")), Clocks(total=10))  # type: ignore[arg-type]
    assert error.kind == "total"


async def test_total_that_ran_out_sends_nothing_more(mode: str, serve: Serve) -> None:
    """Nor does it look up a host."""

    def plan() -> Plan:
        yield from send(request("first"))
        try:
            yield from send(request("second"))
        except APITimeoutError as error:
            yield Title(f"{error.kind} {error.request_sent}")

    service = serve(first=Reply(takes=11))
    events = await service.call(mode, plan(), service.context(clocks=Clocks(total=10))).all()
    assert events == [Title("total False")]
    assert service.asked == ["first"]


async def test_total_bounds_a_sleep_of_the_plan(mode: str, serve: Serve) -> None:
    """And what comes after it fails."""

    def plan() -> Plan:
        yield Sleep(1e9)
        yield Title("awake")

    service = serve()
    context = service.context(clocks=Clocks(total=0.02))
    begin = time.monotonic()
    assert await service.call(mode, plan(), context).all() == [Title("awake")]
    assert 0.02 <= time.monotonic() - begin < 1


@pytest.mark.proves("promise:clocks")
async def test_clocks_of_a_request_are_given_to_the_transport(mode: str, serve: Serve) -> None:
    """Until the answer begins, reading may take as long as `first_event`; then `silence` counts."""
    seen: list[dict[str, float]] = []

    def look() -> None:
        seen.append(dict(service.requests[-1].extensions["timeout"]))

    service = serve(x=Reply([b"!"], look=look))
    clocks = Clocks(connect=1, pool=2, write=3, first_event=4, silence=6)
    await service.call(mode, answer(), service.context(clocks=clocks)).all()
    assert seen == [{"connect": 1, "pool": 2, "write": 3, "read": 4}]
    assert service.requests[0].extensions["timeout"]["read"] == 6


async def test_clocks_of_reading_are_cut_to_what_is_left_of_the_total(
    mode: str, serve: Serve
) -> None:
    """A call that has four seconds left does not wait for thirty."""

    def plan() -> Plan:
        yield from send(request("first"))
        yield from answer()

    seen: list[float] = []
    service = serve(
        first=Reply(takes=6),
        x=Reply(
            [b"!"], look=lambda: seen.append(service.requests[-1].extensions["timeout"]["read"])
        ),
    )
    await service.call(mode, plan(), service.context(clocks=Clocks(total=10))).all()
    assert seen == [4]
    assert service.requests[-1].extensions["timeout"]["read"] == 4


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (httpx.ConnectTimeout("x"), "connect", "no connection to service.example within 5 s"),
        (httpx.PoolTimeout("x"), "pool", "no free connection to service.example within 10 s"),
        (httpx.WriteTimeout("x"), "write", "could not be written within 30 s"),
        (httpx.ReadTimeout("x"), "first_event", "no answer from service.example within 60 s"),
    ],
)
async def test_timeout_of_the_transport_names_its_clock(
    failure: Exception, kind: str, said: str, mode: str, serve: Serve
) -> None:
    """And says how long it was."""
    error = await timeout_of(serve(x=Reply(fails=failure, sent=False)), mode, answer())
    assert error.kind == kind
    assert said in str(error)


async def test_silence_in_an_answer_names_its_clock(mode: str, serve: Serve) -> None:
    """The connection stands, and nothing comes over it."""
    service = serve(x=Reply([b"a", httpx.ReadTimeout("x")]))
    error = await timeout_of(service, mode, answer())
    assert (error.kind, error.partial_text) == ("silence", "a")
    assert "no byte of the answer of service.example for 30 s" in str(error)


AFTER: list[Any] = [
    pytest.param([b"-"] * 3, id="heartbeats"),
    pytest.param([b"?"], id="garbage"),
    pytest.param([b"*"], id="an error"),
    pytest.param([b"-", RESET], id="a reset"),
    pytest.param([httpx.ReadTimeout("x")], id="silence"),
    pytest.param([1.0, b"-", 700.0, b"-"], id="the total"),
    pytest.param([b"-" * 2000], id="too much"),
]


@pytest.mark.proves("obligation:huggingchat:13")
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("together", [True, False])
async def test_what_follows_the_end_cannot_spoil_the_answer(
    after: list[Any], together: bool, mode: str, serve: Serve
) -> None:
    """In the same piece or in the next; the answer is complete, and so the call."""
    pieces = [b"ab.", *after]
    if together and after[0] in (b"-", b"?", b"*"):
        pieces = [b"ab." + after[0], *after[1:]]
    service = serve(x=Reply(pieces))
    events = await service.call(mode, answer(), service.context(sizes=Sizes(response=1000))).all()
    assert events == [Text("a"), Text("b"), Finish()]
    assert service.asked == ["x"]


@pytest.mark.proves("obligation:huggingchat:13")
@pytest.mark.parametrize(("ending", "seconds"), [(b".", 5.0), (b"!", 0.1)])
async def test_service_may_add_something_to_its_answer_for_a_while(
    ending: bytes, seconds: float, mode: str, serve: Serve
) -> None:
    """A few seconds; less if it said that nothing follows."""
    tail: list[Any] = [*itertools.chain.from_iterable([seconds / 5, b"~"] for _ in range(20))]
    service = serve(x=Reply([b"a" + ending, *tail]))
    events = await service.call(mode, answer()).all()
    assert texts(events) == "a"
    assert 3 <= len(events) - 2 <= 6
    assert service.now < 1000 + 1.5 * seconds


async def test_answer_larger_than_the_limit_is_given_up(mode: str, serve: Serve) -> None:
    """What was delivered is kept in the error."""
    service = serve(x=Reply([b"a" * 600, b"b" * 600, b"!"]))
    with pytest.raises(TooLargeError, match="larger than 1000 bytes") as caught:
        await service.call(mode, answer(), service.context(sizes=Sizes(response=1000))).all()
    assert caught.value.partial_text == "a" * 600


async def test_lock_that_is_not_released_in_time_is_a_timeout(mode: str, serve: Serve) -> None:
    """The plan may go on without it, and what is granted too late is handed on."""

    def plan() -> Plan:
        try:
            yield Lock("held")
        except APITimeoutError as error:
            yield Title(f"{error.kind} {error.provider}")
        yield Lock("free")
        yield from send(request("x"))

    locks = KeyedLocks()
    locks.acquire("held")
    service = serve(x=OK)
    context = service.context(clocks=Clocks(total=0.05), locks=locks)
    assert await service.call(mode, plan(), context).all() == [Title("total example")]
    locks.release("held")
    assert locks._held == {}


# -- much that arrives at once --------------------------------------------------------------------


class Slow(Decoder):
    """Takes a millisecond of the service's clock for each byte, and says nothing."""

    service: FakeService

    def feed(self, data: bytes) -> Iterator[Event]:
        self.service.now += len(data) / 1000
        yield from ()


def slow_answer(service: FakeService) -> Plan:
    """One answer, slowly decoded."""

    def decoder(head: ResponseHead) -> Slow:
        made = Slow(head)
        made.service = service
        return made

    end = yield from stream(request("x"), decoder, abort=request("stop"))
    if end.error:
        raise end.error


@pytest.mark.proves("promise:clocks", "fault:57:PH")
async def test_clocks_are_looked_at_within_a_long_chunk(mode: str, serve: Serve) -> None:
    """However much arrives at once, and whatever is made of it."""
    for clock in ("total", "idle"):
        service = serve(x=Reply([b"-" * 1_000_000]))
        clocks = Clocks(**{clock: 10.0})
        error = await timeout_of(service, mode, slow_answer(service), clocks)
        assert error.kind == clock
        assert service.now - 1000 < 18


async def test_other_tasks_have_turns_within_a_long_chunk(serve: Serve) -> None:
    """Every few milliseconds of decoding."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.ensure_future(count())
    found = []
    for length in (1, 40_000):
        service, turns = serve(x=Reply([b"-" * length])), 0
        with pytest.raises(StreamInterruptedError):
            await service.call("async", slow_answer(service)).all()
        found.append(turns)
    others.cancel()
    assert found[1] - found[0] >= 8
