"""Both drivers perform one plan: its effects, its events, its errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Event, Finish, Progress, Text, Title
from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Sizes
from langchain_g4f.core.plan import Defer, Lock, Plan, Sleep, StreamEnd, send, stream
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ConfigurationError,
    G4FError,
    MalformedStreamError,
    NotFoundError,
    ServerError,
    StreamInterruptedError,
    TooLargeError,
)
from tests.unit.run.service import MODES, URL, Decoder, Reply, Serve, request, texts

EVERYTHING = [
    Title("a title"),
    Title("created"),
    Progress("started"),
    Text("a"),
    Text("b"),
    Text("c"),
    Finish(),
    Title("StreamEnd(text='abc', error=None)"),
    Title("last"),
]


def everything() -> Plan:
    """Every effect, and events in between."""
    yield Title("a title")
    yield Lock("key")
    created = yield from send(request("create"))
    yield Title(created.body.decode())
    yield Defer(request("delete"))
    yield Sleep(0.001)
    end = yield from stream(request("answer"), Decoder, abort=request("stop"))
    yield Title(repr(end))
    yield Title("last")


@pytest.mark.proves("promise:drivers-agree")
async def test_drivers_perform_every_effect_and_send_the_same_requests(serve: Serve) -> None:
    """Events come as they arise; the service cannot tell the drivers apart."""
    seen = []
    for mode in MODES:
        created = Reply([b"cre", b"ated"], headers={"set-cookie": "b=2"})
        service = serve(create=created, answer=Reply([b"-~a", b"bc", b"!"]))
        call = service.call(mode, everything(), service.context(cookies={"a": "1"}))
        assert await call.all() == EVERYTHING
        assert service.asked == ["create", "answer", "delete"]
        seen.append([(r.method, str(r.url), r.headers.raw, r.content) for r in service.requests])
    assert seen[0] == seen[1]
    assert dict(seen[0][1][2])[b"cookie"] == b"a=1; b=2"


FAULTS: list[Any] = [
    pytest.param({"create": Reply(status=404)}, NotFoundError, id="status"),
    pytest.param(
        {"create": Reply(fails=httpx.ConnectError("refused"), sent=False)},
        APIConnectionError,
        id="no connection",
    ),
    pytest.param(
        {"create": Reply(fails=httpx.ReadTimeout("slow"))}, APITimeoutError, id="no answer"
    ),
    pytest.param(
        {"create": Reply([b"cr", httpx.ReadError("reset")])}, APIConnectionError, id="broken body"
    ),
    pytest.param(
        {"create": Reply(headers={"content-encoding": "gzip"})}, MalformedStreamError, id="coding"
    ),
    pytest.param({"create": Reply([b"x" * 99] * 20)}, TooLargeError, id="large response"),
    pytest.param({"answer": Reply(status=500)}, ServerError, id="answer refused"),
    pytest.param(
        {"answer": Reply([b"ab", httpx.ReadError("reset")])}, StreamInterruptedError, id="reset"
    ),
    pytest.param({"answer": Reply([b"ab"])}, StreamInterruptedError, id="cut"),
    pytest.param({"answer": Reply([b"ab?"])}, MalformedStreamError, id="malformed"),
    pytest.param({"answer": Reply([b"ab", b"*"])}, ServerError, id="in band"),
    pytest.param(
        {"answer": Reply([b"ab", httpx.ReadTimeout("slow")])}, APITimeoutError, id="silence"
    ),
    pytest.param({"answer": Reply([b"x" * 99] * 20)}, TooLargeError, id="large answer"),
    pytest.param(
        {"answer": Reply(headers={"content-encoding": "br"})}, MalformedStreamError, id="br"
    ),
    pytest.param(
        {"answer": Reply(headers={"content-type": "text/html"})}, MalformedStreamError, id="html"
    ),
]


def simple() -> Plan:
    """Two requests, as most services want."""
    yield from send(request("create"))
    end = yield from stream(request("answer"), Decoder, abort=request("stop"))
    if end.error:
        raise end.error


@pytest.mark.proves("promise:drivers-agree")
@pytest.mark.parametrize(("faults", "kind"), FAULTS)
async def test_drivers_fail_alike(
    faults: dict[str, Reply], kind: type[APIError], serve: Serve
) -> None:
    """The same events, the same error with the same fields, the same requests."""
    seen = []
    for mode in MODES:
        service = serve(**{"answer": Reply([b"!"]), **faults})
        events: list[Event] = []
        context = service.context(sizes=Sizes(response=1000), max_retries=0)
        with pytest.raises(kind) as caught:
            await service.call(mode, simple(), context).into(events)
        error = caught.value
        seen.append((events, str(error), vars(error), service.asked))
        assert type(error) is kind
        assert error.provider == "example"
        assert error.phase == f"do {next(iter(faults))}"
        assert error.partial_text == texts(events)
    assert seen[0] == seen[1]


@pytest.mark.proves("promise:errors-thrown-into-plan")
@pytest.mark.parametrize(("faults", "kind"), FAULTS)
async def test_error_is_raised_at_its_effect_and_the_plan_can_go_on(
    faults: dict[str, Reply], kind: type[G4FError], mode: str, serve: Serve
) -> None:
    """What recovery needs is an ``except`` around the request."""

    def recovering() -> Plan:
        try:
            yield from simple()
        except kind as error:
            yield Title(type(error).__name__)
        again = yield from send(request("again"))
        yield Title(again.body.decode())

    service = serve(**{"answer": Reply([b"!"]), **faults}, again=Reply([b"fine"]))
    context = service.context(sizes=Sizes(response=1000), max_retries=0)
    events = await service.call(mode, recovering(), context).all()
    assert events[-2:] == [Title(kind.__name__), Title("fine")]


@pytest.mark.proves("promise:errors-thrown-into-plan", "obligation:huggingchat:10")
@pytest.mark.parametrize("last", [[], [httpx.ReadError("reset")], [httpx.RemoteProtocolError("x")]])
async def test_answer_that_is_cut_is_a_result_and_no_error(
    last: list[Any], mode: str, serve: Serve
) -> None:
    """The plan decides whether to take it up again; the reader never notices."""
    ends: list[StreamEnd] = []

    def reattaching() -> Plan:
        ends.append((yield from stream(request("answer"), Decoder)))
        ends.append((yield from stream(request("rest"), Decoder)))

    service = serve(answer=Reply([b"ab", *last]), rest=Reply([b"cd", b"!"]))
    events = await service.call(mode, reattaching()).all()
    assert events == [*map(Text, "abcd"), Finish()]
    assert [end.text for end in ends] == ["ab", "cd"]
    assert isinstance(ends[0].error, StreamInterruptedError)
    assert ends[0].error.partial_text == "ab"
    assert ends[1].error is None


async def test_error_the_plan_raises_of_itself_names_provider_and_phase(
    mode: str, serve: Serve
) -> None:
    """Also where it has nothing to do with a request under way."""

    def plan() -> Plan:
        response = yield from send(request("create"))
        response.json()

    with pytest.raises(MalformedStreamError, match="expected JSON") as caught:
        await serve().call(mode, plan()).all()
    assert (caught.value.provider, caught.value.phase) == ("example", "do create")


@pytest.mark.parametrize("kind", [ConfigurationError, KeyError, asyncio.CancelledError])
async def test_other_exception_of_a_plan_is_passed_on(
    kind: type[BaseException], mode: str, serve: Serve
) -> None:
    """A bug of a provider is not disguised."""

    def plan() -> Plan:
        yield Title("x")
        raise kind("mine")

    call = serve().call(mode, plan())
    assert await call.next() == Title("x")
    with pytest.raises(kind, match="mine"):
        await call.next()


@pytest.mark.parametrize("error", [ValueError("theirs"), APIError("theirs")])
def test_exception_of_the_caller_does_not_reach_the_plan(error: Exception, serve: Serve) -> None:
    """An error thrown in where an event is used ends the call, ours or not."""
    caught: list[object] = []

    def plan() -> Plan:
        try:
            yield from simple()
        except Exception as exc:
            caught.append(exc)
            raise

    service = serve(answer=Reply([b"ab", b"!"]))
    events = service.call("sync", plan()).sync
    assert next(events) == Text("a")
    with pytest.raises(type(error), match="theirs"):
        events.throw(error)
    assert caught == []
    assert service.asked == ["create", "answer", "stop"]


async def test_call_that_is_over_has_no_more_events(mode: str, serve: Serve) -> None:
    """After its end, its error or its closing."""
    for pieces in ([b"!"], [b"?"], [b"a", b"b"]):
        call = serve(answer=Reply(pieces)).call(mode, simple())
        with suppress(G4FError, StopAsyncIteration):
            await call.next()
        await call.close()
        with pytest.raises(StopAsyncIteration):
            await call.next()


async def test_total_clock_starts_with_the_first_event_that_is_asked_for(
    mode: str, serve: Serve
) -> None:
    """A call that was made and not used has lost no time."""
    service = serve(answer=Reply([b"a!"]))
    call = service.call(mode, simple())
    service.now += 1000
    assert texts(await call.all()) == "a"


async def test_request_that_cannot_be_built_is_a_configuration_error(
    mode: str, serve: Serve
) -> None:
    """It is thrown into the plan like any other."""

    def plan() -> Plan:
        for url in ("http://[", f"{URL}/x"):
            try:
                yield from send(lambda url=url: Request("POST", url, {"x": "\u20ac"}))  # type: ignore[misc]
            except ConfigurationError as error:
                yield Title(str(error))

    service = serve()
    events = await service.call(mode, plan()).all()
    assert [event.title[:23] for event in events if isinstance(event, Title)] == [
        "no valid URL or header:"
    ] * 2
    assert service.asked == []


async def test_call_is_not_begun_before_it_is_iterated(mode: str, serve: Serve) -> None:
    """A generator that is never started costs nothing, and closes silently."""
    service = serve()
    call = service.call(mode, everything())
    await call.close()
    assert service.asked == []
