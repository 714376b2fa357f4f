"""Waiting in a service's own queue: it has a clock of its own, and the others stand still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import QUEUED, Event, Finish, Progress, Text
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.plan import Plan, send, stream
from langchain_g4f.errors import APITimeoutError
from tests.unit.run.service import Decoder, FakeService, Piece, Reply, Serve, request, texts


class Queue(Decoder):
    """``#`` is a new place in the queue, the rest is as ever."""

    def feed(self, data: bytes) -> Iterator[Event]:
        for character in data.decode():
            if character == "#":
                yield Progress(QUEUED)
            else:
                yield from super().feed(character.encode())


def answer() -> Plan:
    """One answer."""
    end = yield from stream(request("x"), Queue, abort=request("stop"))
    if end.error:
        raise end.error


WAITING: list[Piece] = [50.0, b"-"]
"""Less than the time without an event, and nothing happens."""


async def timeout_of(
    service: FakeService, mode: str, clocks: Clocks | None = None
) -> APITimeoutError:
    """The timeout with which a call ends."""
    with pytest.raises(APITimeoutError) as caught:
        await service.call(mode, answer(), service.context(clocks=clocks, max_retries=0)).all()
    return caught.value


@pytest.mark.proves("promise:clocks", "obligation:gradio-space:10")
async def test_place_in_the_queue_may_stay_the_same_for_its_own_time(
    mode: str, serve: Serve
) -> None:
    """Much longer than anything else may."""
    service = serve(x=Reply([b"#", *WAITING * 5, b"a", b"!"]))
    events = await service.call(mode, answer()).all()
    assert events == [Progress(QUEUED), Text("a"), Finish()]


@pytest.mark.proves("promise:clocks", "obligation:gradio-space:10")
async def test_place_that_stays_the_same_for_too_long_is_a_timeout(mode: str, serve: Serve) -> None:
    """It names its clock, and the service is told to stop."""
    service = serve(x=Reply([b"#", *WAITING * 9]))
    error = await timeout_of(service, mode)
    assert (error.kind, error.request_sent, error.provider) == ("queue", True, "example")
    assert "place in the queue has not changed for 300 s" in str(error)
    assert service.now == 1000 + 350
    assert service.asked == ["x", "stop"]


@pytest.mark.proves("promise:clocks")
async def test_new_place_starts_the_clock_of_the_queue_anew(mode: str, serve: Serve) -> None:
    """However long it takes all in all."""
    service = serve(x=Reply([*[b"#", *WAITING * 5] * 4, b"a!"]))
    events = await service.call(mode, answer()).all()
    assert texts(events) == "a"
    assert service.now == 1000 + 1000


@pytest.mark.proves("promise:clocks")
@pytest.mark.parametrize("event", [b"~", b"a"])
async def test_any_other_event_ends_the_waiting(event: bytes, mode: str, serve: Serve) -> None:
    """Then the answer has to come on."""
    service = serve(x=Reply([b"#", *WAITING * 4, event, *WAITING * 4]))
    error = await timeout_of(service, mode)
    assert error.kind == "idle"
    assert service.now == 1000 + 200 + 100


@pytest.mark.proves("promise:clocks")
async def test_waiting_in_the_queue_does_not_count_for_the_total(mode: str, serve: Serve) -> None:
    """What comes before and after it does."""
    clocks = Clocks(total=100)
    pieces: list[Piece] = [40.0, b"~", b"#", *WAITING * 5]
    service = serve(x=Reply([*pieces, 50.0, b"a", 50.0, b"b!"]))
    events = await service.call(mode, answer(), service.context(clocks=clocks)).all()
    assert texts(events) == "ab"
    service = serve(x=Reply([*pieces, 50.0, b"a", 59.0, b"b", 2.0, b"c!"]))
    error = await timeout_of(service, mode, clocks)
    assert (error.kind, error.partial_text) == ("total", "ab")


async def test_time_in_the_queue_is_given_back_for_what_comes_after(
    mode: str, serve: Serve
) -> None:
    """A call of several answers goes on as long as it would have without it."""

    def plan() -> Plan:
        yield from answer()
        yield from send(request("after"))

    service = serve(x=Reply([b"#", *WAITING * 5, b"a!"]), after=Reply(takes=90))
    context = service.context(clocks=Clocks(total=100))
    assert texts(await service.call(mode, plan(), context).all()) == "a"
    assert service.asked == ["x", "after"]


async def test_silence_is_a_timeout_in_the_queue_too(mode: str, serve: Serve) -> None:
    """Heartbeats show that the server is alive."""
    service = serve(x=Reply([b"#", httpx.ReadTimeout("x")]))
    assert (await timeout_of(service, mode)).kind == "silence"


async def test_end_of_the_body_may_have_a_place_in_the_queue(mode: str, serve: Serve) -> None:
    """Nothing comes after it that could wait."""

    class Holding(Queue):
        def close(self) -> Iterator[Event]:
            yield Progress(QUEUED)
            self.finished = True
            yield Finish()

    def plan() -> Plan:
        end: Any = yield from stream(request("x"), Holding)
        assert end.error is None

    service = serve(x=Reply([b"a"]))
    events = await service.call(mode, plan()).all()
    assert events == [Text("a"), Progress(QUEUED), Finish()]
