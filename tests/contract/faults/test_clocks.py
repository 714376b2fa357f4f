"""Each clock runs out for itself, on a connection that is alive."""

from __future__ import annotations

import time
from dataclasses import replace

from langchain_g4f.errors import APITimeoutError
from tests.contract.faults.byte_server import ChunkedWriter, Exchange
from tests.contract.faults.harness import ask, by_call, by_turns, closed, fail
from tests.contract.faults.registry import PATIENT, Provider, fault, hang


def every(seconds: float, *pieces: bytes) -> object:
    """Say this for ever, again and again."""

    def act(exchange: Exchange, stream: ChunkedWriter) -> None:
        while True:
            for piece in pieces:
                stream.chunk(piece)
                if exchange.hold(seconds):
                    return

    return act


@fault(29)
@by_turns
async def test_heartbeats_alone_are_idleness(provider: Provider, way: str) -> None:
    """Bytes flow, but nothing happens: the answer is given up, stopped and closed."""
    pieces = [*provider.start, provider.token("Hello")]
    beating = provider.answering(*pieces, then=every(0.02, provider.heartbeat))  # type: ignore[arg-type]
    with provider.server(answer=beating) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=replace(PATIENT, idle=0.2))
        error = await fail(model, way, APITimeoutError, host=None)
        assert 0.2 <= time.monotonic() - started < 1.5
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)
    assert (error.kind, error.partial_text) == ("idle", "Hello")


@fault(29)
@by_call
async def test_heartbeats_before_the_first_event_are_idleness_too(
    provider: Provider, way: str
) -> None:
    """An answer that never gets to its first event."""
    beating = provider.answering(then=every(0.02, provider.heartbeat))  # type: ignore[arg-type]
    with provider.server(answer=beating) as server:
        model = provider.model(server, timeout=replace(PATIENT, idle=0.2))
        error = await fail(model, way, APITimeoutError, host=None)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert (error.kind, error.partial_text) == ("idle", "")


@fault(29, 24)
@by_call
async def test_unknown_events_are_not_meaningful(provider: Provider, way: str) -> None:
    """What is skipped does not keep an answer alive."""
    chatter = provider.answering(then=every(0.02, provider.unknown))  # type: ignore[arg-type]
    with provider.server(answer=chatter) as server:
        model = provider.model(server, timeout=replace(PATIENT, idle=0.2))
        error = await fail(model, way, APITimeoutError, host=None)
    assert error.kind == "idle"


@fault(30)
@by_turns
async def test_endless_trickle_of_events_ends_with_the_total_clock(
    provider: Provider, way: str
) -> None:
    """Each event comes in time, and the whole takes too long."""
    trickle = provider.answering(*provider.start, then=every(0.06, provider.token("more ")))  # type: ignore[arg-type]
    with provider.server(answer=trickle) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=replace(PATIENT, idle=0.3, total=0.45))
        error = await fail(model, way, APITimeoutError, host=None)
        assert 0.45 <= time.monotonic() - started < 1.8
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)
    assert error.kind == "total"
    assert error.partial_text.startswith("more more more ")


@fault(30, where=lambda provider: provider.good_call[0] != provider.answer)
@by_call
async def test_total_clock_counts_the_requests_before_the_answer(
    provider: Provider, way: str
) -> None:
    """A slow start is a part of the call."""

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.3)
        provider.good(exchange)

    trickle = provider.answering(*provider.start, then=every(0.05, provider.token("more ")))  # type: ignore[arg-type]
    with provider.server(**{provider.good_call[0]: slow, "answer": trickle}) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=replace(PATIENT, total=0.5))
        error = await fail(model, way, APITimeoutError, host=None)
        assert 0.5 <= time.monotonic() - started < 2
    assert error.kind == "total"


@fault(30)
@by_call
async def test_one_number_is_the_total_clock(provider: Provider, way: str) -> None:
    """`timeout=0.4` bounds the whole call, whatever it waits for."""
    with provider.server(answer=Exchange.never_answer) as server:
        started = time.monotonic()
        await fail(provider.model(server, timeout=0.4), way, APITimeoutError)
        # the stop has a clock of its own
        assert 0.3 <= time.monotonic() - started < 1.5


@fault(2, 29)
@by_turns
async def test_silence_inside_the_answer_is_noticed(provider: Provider, way: str) -> None:
    """Not even a heartbeat comes any more."""
    pieces = [*provider.start, provider.token("Hello")]
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        started = time.monotonic()
        model = provider.model(server, timeout=replace(PATIENT, silence=0.3))
        error = await fail(model, way, APITimeoutError)
        assert 0.3 <= time.monotonic() - started < 1.5
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)
    assert (error.kind, error.partial_text) == ("silence", "Hello")


@fault(2)
@by_call
async def test_slow_head_is_not_silence(provider: Provider, way: str) -> None:
    """Until the answer begins the first clock counts, and not that of the bytes."""

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.3)
        provider.good(exchange)

    with provider.server(answer=slow) as server:
        model = provider.model(server, timeout=replace(PATIENT, silence=0.1))
        assert (await ask(model, way)).text == "Hello there"


@fault(29)
@by_turns
async def test_steady_heartbeats_between_events_are_no_idleness(
    provider: Provider, way: str
) -> None:
    """A slow model that goes on before the clock runs out has its time."""

    def act(exchange: Exchange, stream: ChunkedWriter) -> None:
        for text in ("One ", "two "):
            for _ in range(8):
                stream.chunk(provider.heartbeat)
                exchange.hold(0.03)
            stream.chunk(provider.token(text))
        for piece in provider.end("One two "):
            stream.chunk(piece)
        stream.end()

    with provider.server(answer=provider.answering(*provider.start, then=act)) as server:
        model = provider.model(server, timeout=replace(PATIENT, idle=2, silence=0.3))
        assert (await ask(model, way)).text == "One two "
