"""When the service is told to stop: once, and only while it may be at work.

An answer is its own request's, or that of an earlier request, which has already started it.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from langchain_g4f.core.events import Event, Finish, Progress, Text, Title
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.limits import Clocks, Sizes
from langchain_g4f.core.plan import Defer, Plan, send, stream
from langchain_g4f.errors import APIError, APITimeoutError, ConfigurationError
from tests.unit.run.plans import REFUSED, RESET, answer, cancel_in, reattaching, until
from tests.unit.run.service import Decoder, Reply, Serve, request, texts

STOPPED: list[Any] = [
    pytest.param([b"ab", b"!"], Text("a"), id="in the midst of a piece"),
    pytest.param([b"a", b"b!"], Text("a"), id="between pieces"),
    pytest.param([b"~", b"b!"], Progress("started"), id="before the text"),
    pytest.param([b"ab"], None, id="cut"),
    pytest.param([b"ab", RESET], None, id="broken"),
    pytest.param([RESET], None, id="broken at once"),
    pytest.param([], None, id="empty"),
    pytest.param([b"a?"], None, id="malformed"),
    pytest.param([httpx.ReadTimeout("slow")], None, id="silent"),
    pytest.param([b"x" * 2000], None, id="too large"),
]


@pytest.mark.proves("promise:abort-once", "obligation:huggingchat:14", "promise:early-close")
@pytest.mark.parametrize(("pieces", "last"), STOPPED)
async def test_unfinished_answer_is_closed_and_stopped_once(
    pieces: list[Any], last: Event | None, mode: str, serve: Serve
) -> None:
    """However it ends, and closing it again changes nothing."""
    service = serve(answer=Reply(pieces))
    call = service.call(mode, answer(), service.context(sizes=Sizes(response=1000)))
    await until(service, call, last)
    await call.close()
    await call.close()
    assert service.asked == ["create", "answer", "stop"]
    assert service.open_bodies == 0


NOT_STOPPED: list[Any] = [
    pytest.param(Reply([b"a!"]), None, id="complete"),
    pytest.param(Reply([b"a!"]), Finish(), id="finished, and closed at once"),
    pytest.param(Reply([b"a.", b"-", b"~", b"!"]), Progress("started"), id="while it lingers"),
    pytest.param(Reply([b"a.", RESET]), None, id="finished, then broken"),
    pytest.param(Reply([b"a."]), None, id="finished, not complete"),
    pytest.param(Reply([b"a*"]), None, id="error in band"),
    pytest.param(Reply([b"a!"]), Title("created"), id="not asked yet"),
    pytest.param(Reply(status=400), None, id="refused"),
    pytest.param(Reply(status=500), None, id="failed"),
    pytest.param(Reply(fails=REFUSED, sent=False), None, id="never connected"),
    pytest.param(Reply(status=302, headers={"location": "/login"}), None, id="redirected"),
]


@pytest.mark.proves("promise:abort-once", "obligation:huggingchat:14")
@pytest.mark.parametrize(("reply", "last"), NOT_STOPPED)
async def test_answer_that_is_finished_or_never_began_is_not_stopped(
    reply: Reply, last: Event | None, mode: str, serve: Serve
) -> None:
    """A stop would be wasted, or hit the next answer."""
    service = serve(answer=reply)
    call = service.call(mode, answer(), service.context(max_retries=0))
    await until(service, call, last)
    await call.close()
    assert "stop" not in service.asked


@pytest.mark.proves("promise:abort-once")
@pytest.mark.parametrize(
    ("failure", "retry", "stopped"),
    [
        pytest.param(Reply(status=429), RetryWhen.NOT_PROCESSED, False, id="refused"),
        pytest.param(Reply(status=503), RetryWhen.ALWAYS, False, id="unavailable"),
        pytest.param(Reply(fails=REFUSED, sent=False), RetryWhen.NOT_SENT, False, id="not sent"),
        pytest.param(Reply(fails=RESET), RetryWhen.ALWAYS, True, id="sent and broken"),
    ],
)
async def test_call_closed_before_a_retry_is_stopped_if_it_was_received(
    failure: Reply, retry: RetryWhen, stopped: bool, mode: str, serve: Serve
) -> None:
    """What the service refused it is not working on."""
    service = serve(answer=failure)
    call = service.call(mode, answer(retry))
    assert await call.next() == Title("created")
    assert isinstance(await call.next(), Progress)
    await call.close()
    assert service.asked == ["create", "answer", *["stop"] * stopped]


@pytest.mark.proves("promise:abort-once")
@pytest.mark.parametrize(
    ("failure", "stopped"),
    [
        (httpx.ReadTimeout("no answer"), True),
        (httpx.WriteTimeout("upload"), True),
        (RESET, True),
        (httpx.RemoteProtocolError("garbage"), True),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("full"), False),
    ],
)
async def test_answer_that_did_not_begin_is_stopped_if_the_request_may_be_there(
    failure: Exception, stopped: bool, mode: str, serve: Serve
) -> None:
    """The service may be at work though nothing came back."""
    service = serve(answer=Reply(fails=failure, sent=stopped))
    with pytest.raises(APIError):
        await service.call(mode, answer(), service.context(max_retries=0)).all()
    assert service.asked == ["create", "answer", *["stop"] * stopped]


@pytest.mark.proves("promise:abort-once")
@pytest.mark.parametrize("fails_in", ["make_request", "url", "header"])
async def test_answer_that_could_not_be_asked_for_is_not_stopped(
    fails_in: str, mode: str, serve: Serve
) -> None:
    """That an earlier request was sent says nothing of this one."""

    def make() -> Request:
        if fails_in == "make_request":
            raise ConfigurationError(fails_in)
        url = "http://[" if fails_in == "url" else "http://service.example/answer"
        return Request("POST", url, {"x": "\u20ac"})

    def plan() -> Plan:
        yield from send(request("create"))
        yield from stream(make, Decoder, abort=request("stop"))

    service = serve()
    with pytest.raises(ConfigurationError):
        await service.call(mode, plan()).all()
    assert service.asked == ["create"]


async def test_answer_whose_request_has_a_bug_is_not_stopped(mode: str, serve: Serve) -> None:
    """Even if the request before it was sent and remained without an answer."""

    def broken() -> Request:
        raise KeyError("a bug")

    def plan() -> Plan:
        try:
            yield from send(request("create"))
        except APIError:
            yield Title("never mind")
        yield from stream(broken, Decoder, abort=request("stop"))

    service = serve(create=Reply(fails=RESET))
    with pytest.raises(KeyError, match="a bug"):
        await service.call(mode, plan()).all()
    assert service.asked == ["create"]


@pytest.mark.proves("promise:abort-once")
async def test_answer_that_is_too_late_to_be_asked_for_is_not_stopped(
    mode: str, serve: Serve
) -> None:
    """The total clock ran out before the message was sent."""
    service = serve(create=Reply(takes=100))
    with pytest.raises(APIError, match="no complete answer within 50 s"):
        await service.call(mode, answer(), service.context(clocks=Clocks(total=50))).all()
    assert service.asked == ["create"]


@pytest.mark.parametrize(
    "failure",
    [
        Reply(fails=REFUSED, sent=False),
        Reply(fails=httpx.ReadTimeout("slow")),
        Reply(status=500),
        Reply(status=302, headers={"location": "/login"}),
        Reply([b"x" * 99] * 2000),
        Reply([RESET]),
    ],
)
async def test_stop_that_fails_is_not_repeated_and_not_reported(
    failure: Reply, mode: str, serve: Serve
) -> None:
    """It is tried once; the rest of the clean-up follows."""

    def plan() -> Plan:
        yield Defer(request("delete"))
        yield from answer()

    service = serve(answer=Reply([b"ab"]), stop=failure)
    call = service.call(mode, plan())
    await until(service, call, Text("a"))
    await call.close()
    assert service.asked == ["create", "answer", "stop", "delete"]


async def test_stop_has_short_clocks_of_its_own(mode: str, serve: Serve) -> None:
    """They end with the total clock, or a moment later."""
    for seconds, clocks in ((0.0, 1.5), (99.0, 1.0), (700.0, 0.3)):
        service = serve(answer=Reply([b"a", seconds, b"?"]))
        context = service.context(clocks=Clocks(abort=1.5, total=100))
        with pytest.raises(APIError):
            await service.call(mode, answer(), context).all()
        assert service.asked == ["create", "answer", "stop"]
        given = service.requests[-1].extensions["timeout"].values()
        assert list(given) == pytest.approx([clocks] * 4)


@pytest.mark.proves("promise:abort-once")
@pytest.mark.parametrize(
    ("again", "asked"),
    [
        pytest.param(Reply([b"!"]), ["answer", "again"], id="to its end"),
        pytest.param(Reply([b"x"]), ["answer", "again", "stop-again"], id="and cut again"),
        pytest.param(Reply(status=404), ["answer", "again", "stop"], id="and is refused"),
        pytest.param(
            Reply(fails=REFUSED, sent=False), ["answer", "again", "stop"], id="without connection"
        ),
        pytest.param(Reply(fails=RESET), ["answer", "again", "stop-again"], id="without an answer"),
    ],
)
async def test_answer_taken_up_again_is_stopped_once_while_it_is_unfinished(
    again: Reply, asked: list[str], mode: str, serve: Serve
) -> None:
    """A second connection that fails does not make the service stop by itself."""
    service = serve(answer=Reply([b"a"]), again=again)
    call = service.call(mode, reattaching(request("again")), service.context(max_retries=0))
    await until(service, call, None)
    assert service.asked == asked


@pytest.mark.parametrize("refused", [True, False])
async def test_cut_answer_is_stopped_if_the_call_ends_before_it_is_taken_up(
    refused: bool, mode: str, serve: Serve
) -> None:
    """It is running all the same: before the second request, and while that is repeated."""
    service = serve(answer=Reply([b"a"]), again=Reply(fails=REFUSED, sent=False))
    call = service.call(mode, reattaching(request("again")))
    await until(service, call, Title("cut"))
    if refused:
        assert isinstance(await call.next(), Progress)
    await call.close()
    assert service.asked == ["answer", *["again"] * refused, "stop"]


# -- answers that an earlier request has already started -------------------------------------------


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
