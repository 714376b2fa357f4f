"""What a call owes at its end: to clean up, and to let others go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_g4f.core.events import Event, Finish, Text, Title
from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Sizes
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, Plan, send, stream
from langchain_g4f.errors import APIError
from tests.unit.run.plans import REFUSED, answer, deferring, until
from tests.unit.run.service import Decoder, Reply, Serve, request


@pytest.mark.proves("promise:deferred-clean-up")
@pytest.mark.parametrize(
    ("reply", "last", "stop"),
    [
        pytest.param(Reply([b"a!"]), Finish(), [], id="closed"),
        pytest.param(Reply([b"ab"]), Text("a"), ["stop"], id="given up"),
        pytest.param(Reply([b"a?"]), None, ["stop"], id="failed"),
        pytest.param(Reply(status=500), None, [], id="refused"),
    ],
)
async def test_deferred_requests_run_in_reverse_order_however_the_call_ends(
    reply: Reply, last: Event | None, stop: list[str], mode: str, serve: Serve
) -> None:
    """The last thing made is the first to go; what was not reached is not undone."""
    service = serve(answer=reply, second=Reply(fails=REFUSED, sent=False))
    locks = KeyedLocks()
    context = service.context(locks=locks, max_retries=0)
    call = service.call(mode, deferring(answer), context)
    await until(service, call, last)
    await call.close()
    assert service.asked == ["create", "answer", *stop, "second", "first"]
    assert locks._held == {}


@pytest.mark.proves("promise:locks")
async def test_lock_is_held_until_the_clean_up_is_done(mode: str, serve: Serve) -> None:
    """The next call may depend on it."""
    locks = KeyedLocks()
    taken: list[bool] = []
    look = Reply(look=lambda: taken.append("key" in locks._held))
    service = serve(answer=Reply([b"ab"]), stop=look, first=look)
    call = service.call(mode, deferring(answer), service.context(locks=locks))
    await until(service, call, Text("a"))
    await call.close()
    assert taken == [True, True]
    assert locks._held == {}


async def test_plan_that_fails_while_it_is_closed_is_cleaned_up_after(
    mode: str, serve: Serve
) -> None:
    """Its error is passed on when everything is done."""

    def plan() -> Plan:
        try:
            yield from deferring(answer)
        finally:
            raise KeyError("a bug")

    locks = KeyedLocks()
    service = serve(answer=Reply([b"ab"]))
    call = service.call(mode, plan(), service.context(locks=locks))
    await until(service, call, Text("a"))
    with pytest.raises(KeyError, match="a bug"):
        await call.close()
    assert service.asked == ["create", "answer", "stop", "second", "first"]
    assert locks._held == {}


async def test_decoder_that_fails_is_cleaned_up_after(mode: str, serve: Serve) -> None:
    """A bug of a decoder is passed on, and the service is stopped."""

    class Broken(Decoder):
        def feed(self, data: bytes) -> Iterator[Event]:
            raise KeyError(data)

    service = serve(answer=Reply([b"ab"]))
    plan = stream(request("answer"), Broken, abort=request("stop"))
    with pytest.raises(KeyError):
        await service.call(mode, plan).all()  # type: ignore[arg-type]
    assert service.asked == ["answer", "stop"]


async def test_clean_up_that_fails_releases_the_locks(mode: str, serve: Serve) -> None:
    """A bug in the making of a request is passed on; no other call waits for ever."""

    def broken() -> Request:
        raise KeyError("a bug")

    def plan() -> Plan:
        yield Lock("key")
        yield from send(request("create"))
        yield from stream(request("answer"), Decoder, abort=broken)

    locks = KeyedLocks()
    service = serve(answer=Reply([b"ab"]))
    call = service.call(mode, plan(), service.context(locks=locks))
    await until(service, call, Text("a"))
    with pytest.raises(KeyError, match="a bug"):
        await call.close()
    assert locks._held == {}


async def test_answer_the_plan_gave_up_is_closed_before_the_next_request(
    mode: str, serve: Serve
) -> None:
    """A plan that recovers in the midst of an answer does not keep its connection."""

    def plan() -> Plan:
        for path in ("create", "answer"):
            try:
                yield from send(request(path))
            except APIError:
                yield Title(path)
        yield from send(request("last"))

    still_open: list[int] = []
    look = Reply(look=lambda: still_open.append(service.open_bodies))
    service = serve(
        create=Reply([b"x" * 2000]),
        answer=Reply(headers={"content-encoding": "gzip"}, look=look.look),
        last=look,
    )
    context = service.context(sizes=Sizes(response=1000))
    assert await service.call(mode, plan(), context).all() == [Title("create"), Title("answer")]
    assert still_open == [0, 0]
