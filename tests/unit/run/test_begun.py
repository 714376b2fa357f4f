"""Answers to something that an earlier request has already_started, and that has to be stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from langchain_g4f.core.events import Text, Title
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.plan import Plan, send, stream
from langchain_g4f.errors import APIError, APITimeoutError
from tests.unit.run.plans import REFUSED, RESET, cancel_in, until
from tests.unit.run.service import Decoder, FakeService, Reply, request, texts

Serve = Callable[..., FakeService]


def listening(*, already_started: bool = True) -> Plan:
    """Begin something, and listen to what comes of it."""
    yield from send(request("join"))
    end = yield from stream(
        request("listen"), Decoder, abort=request("cancel"), already_started=already_started
    )
    if end.error:
        raise end.error


FAILURES: list[Any] = [
    pytest.param(Reply(status=500), id="refused by the service"),
    pytest.param(Reply(fails=REFUSED, sent=False), id="no connection"),
    pytest.param(Reply(fails=RESET), id="no answer"),
    pytest.param(Reply(headers={"content-type": "text/html"}), id="another content type"),
    pytest.param(Reply(headers={"content-encoding": "gzip"}), id="another coding"),
    pytest.param(Reply([b"a", RESET]), id="cut"),
    pytest.param(Reply([b"a"]), id="ended too soon"),
    pytest.param(Reply([b"a?"]), id="malformed"),
]


@pytest.mark.proves("obligation:gradio-space:16")
@pytest.mark.parametrize("failure", FAILURES)
async def test_what_was_begun_is_stopped_once_however_listening_fails(
    failure: Reply, mode: str, serve: Serve
) -> None:
    """Otherwise the service would go on working for a caller that has left."""
    service = serve(listen=failure)
    with pytest.raises(APIError):
        await service.call(mode, listening(), service.context(max_retries=0)).all()
    assert service.asked == ["join", "listen", "cancel"]


@pytest.mark.parametrize(
    "failure", [Reply(status=500), Reply(fails=REFUSED, sent=False)], ids=["status", "connection"]
)
async def test_what_nothing_has_begun_is_not_stopped(
    failure: Reply, mode: str, serve: Serve
) -> None:
    """Where it is the request for the answer that begins it."""
    service = serve(listen=failure)
    call = service.call(mode, listening(already_started=False), service.context(max_retries=0))
    with pytest.raises(APIError):
        await call.all()
    assert service.asked == ["join", "listen"]


@pytest.mark.parametrize("ending", [b"a!", b"a*"])
async def test_what_is_over_is_not_stopped(ending: bytes, mode: str, serve: Serve) -> None:
    """Its end came, good or bad."""
    service = serve(listen=Reply([ending]))
    await until(service, service.call(mode, listening()), None)
    assert service.asked == ["join", "listen"]


@pytest.mark.proves("obligation:gradio-space:16")
async def test_call_that_is_left_stops_what_it_has_begun(mode: str, serve: Serve) -> None:
    """Once, and whatever comes of it."""
    service = serve(listen=Reply([b"ab"]), cancel=Reply(status=500))
    call = service.call(mode, listening())
    await until(service, call, Text("a"))
    await call.close()
    assert service.asked == ["join", "listen", "cancel"]


@pytest.mark.proves("obligation:gradio-space:16")
async def test_task_that_is_cancelled_before_the_answer_stops_what_it_has_begun(
    serve: Serve,
) -> None:
    """It had been begun before."""
    service = serve(listen=Reply(hangs=True))
    await cancel_in(service, listening())
    assert service.asked == ["join", "listen", "cancel"]


def again() -> Plan:
    """Give up what was begun first, and begin another."""
    for number in (1, 2):
        yield from send(request(f"join-{number}"))
        end = yield from stream(
            request(f"listen-{number}"),
            Decoder,
            abort=request(f"cancel-{number}"),
            already_started=True,
        )
        yield Title(f"{number} {end.text} {end.error is None}")


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        (b"a", b"b!", ["join-1", "listen-1", "join-2", "cancel-1", "listen-2"]),
        (b"a!", b"b", ["join-1", "listen-1", "join-2", "listen-2", "cancel-2"]),
    ],
    ids=["first cut", "second cut"],
)
async def test_unfinished_one_of_two_answers_is_stopped(
    first: bytes, second: bytes, asked: list[str], mode: str, serve: Serve
) -> None:
    """The first one before the second is asked for; the finished one is not stopped."""
    service = serve(**{"listen-1": Reply([first]), "listen-2": Reply([second])})
    events = await service.call(mode, again()).all()
    assert [event.title for event in events if isinstance(event, Title)] == [
        f"1 a {b'!' in first}",
        f"2 b {b'!' in second}",
    ]
    assert service.asked == asked


async def test_stopping_one_leaves_the_other_its_time(mode: str, serve: Serve) -> None:
    """The short clock of a clean-up is not that of the call."""
    answers = {"listen-1": Reply([b"a"]), "cancel-1": Reply(takes=1)}
    service = serve(**answers, **{"listen-2": Reply([50.0, b"b", 30.0, b"c!"])})
    context = service.context(clocks=Clocks(total=100))
    assert texts(await service.call(mode, again(), context).all()) == "abc"
    service = serve(**answers, **{"listen-2": Reply([50.0, b"b", 51.0, b"c!"])})
    context = service.context(clocks=Clocks(total=100))
    with pytest.raises(APITimeoutError) as caught:
        await service.call(mode, again(), context).all()
    assert caught.value.kind == "total"
