"""A call that is cancelled, once or again, wherever it is."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from langchain_g4f.core.events import Text
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.errors import APIConnectionError
from tests.unit.run.plans import RESET, answer, cancel_in, deferring, reattaching, until
from tests.unit.run.service import FakeService, Hang, Reply, Serve, request


@pytest.mark.proves("promise:abort-once", "promise:cancel-stops")
@pytest.mark.parametrize(
    ("reply", "stop"),
    [
        pytest.param(Reply(hangs=True, sent=False), [], id="connecting"),
        pytest.param(Reply(hangs=True), ["stop"], id="waiting for the answer"),
        pytest.param(Reply([b"ab", Hang()]), ["stop"], id="idle"),
        pytest.param(Reply([b"a.", Hang()]), [], id="lingering"),
        pytest.param(Reply([b"oh ", Hang()], status=500), [], id="reading an error"),
        pytest.param(Reply(status=429, headers={"retry-after": "50"}), [], id="before a retry"),
    ],
)
async def test_cancelled_call_is_stopped_where_the_service_may_be_at_work(
    reply: Reply, stop: list[str], serve: Serve
) -> None:
    """The cancellation goes on unchanged, after the clean-up."""
    service = serve(answer=reply)
    await cancel_in(service, deferring(answer))
    assert service.asked == ["create", "answer", *stop, "second", "first"]
    assert service.open_bodies == 0


async def test_call_cancelled_while_a_cut_answer_is_taken_up_is_stopped(serve: Serve) -> None:
    """Whether or not the second request got there, one stop is sent."""
    for reply, stop in ((Reply(hangs=True, sent=False), "stop"), (Reply(hangs=True), "stop-again")):
        service = serve(answer=Reply([b"a"]), again=reply)
        await cancel_in(service, reattaching(request("again")))
        assert service.asked == ["answer", "again", stop]


async def test_call_cancelled_while_it_waits_for_a_lock_owes_nothing(serve: Serve) -> None:
    """And it is no longer in the queue."""
    service, locks = serve(), KeyedLocks()
    locks.acquire("key")
    await cancel_in(service, deferring(answer), locks=locks)
    assert service.asked == []
    locks.release("key")
    assert locks._held == {}


async def test_error_of_a_cancelled_connection_is_no_error_of_the_call(serve: Serve) -> None:
    """What the transport says while it is cancelled is not what the caller gets."""

    class Grumbling(FakeService):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except asyncio.CancelledError:
                raise httpx.ReadError("cancelled") from None

    service = Grumbling(create=Reply(hangs=True))
    await cancel_in(service, answer())
    assert service.asked == ["create"]
    with pytest.raises(APIConnectionError):  # without a cancellation the error is raised
        await FakeService(create=Reply(fails=RESET)).call("async", answer()).all()


CLEANED_UP = ["create", "answer", "stop", "second", "first"]
SLOW = Reply(delay_s=0.02)


async def begun(service: FakeService, locks: KeyedLocks) -> asyncio.Task[None]:
    """A call that waits in the midst of its answer."""
    call = service.call("async", deferring(answer), service.context(locks=locks))
    waiting = asyncio.Event()

    async def use() -> None:
        await until(service, call, Text("b"))
        waiting.set()
        await call.next()

    task = asyncio.ensure_future(use())
    await waiting.wait()
    return task


@pytest.mark.proves("promise:deferred-clean-up", "promise:abort-once")
@pytest.mark.parametrize("pauses", [[0, 0, 0], [0.005] * 10])
async def test_call_cancelled_again_during_its_clean_up_finishes_it(
    pauses: list[float], serve: Serve
) -> None:
    """Everything is sent once, then the cancellation goes on."""
    locks = KeyedLocks()
    service = serve(answer=Reply([b"ab", Hang()]), stop=SLOW, second=SLOW, first=SLOW)
    task = await begun(service, locks)
    task.cancel()
    for pause in pauses:
        await asyncio.sleep(pause)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert service.asked == CLEANED_UP
    assert locks._held == {}


async def test_close_that_is_cancelled_finishes_the_clean_up(serve: Serve) -> None:
    """Closing is part of the promise, whoever loses patience with it."""
    service = serve(answer=Reply([b"ab", Hang()]), stop=SLOW, second=SLOW, first=SLOW)
    call = service.call("async", deferring(answer))
    await until(service, call, Text("a"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call.close()
    assert service.asked == CLEANED_UP


async def test_timeout_of_the_caller_is_a_timeout(serve: Serve) -> None:
    """``asyncio.timeout`` around a call works as it does around anything else."""
    service = serve(answer=Reply([b"ab", Hang()]), stop=SLOW)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await service.call("async", deferring(answer)).all()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert service.asked == CLEANED_UP


@pytest.mark.proves("promise:abort-once")
@pytest.mark.parametrize("delay_s", [0, 0.005])
@pytest.mark.parametrize("ticks", [0, 1, 3, 8])
def test_call_cancelled_as_its_loop_ends_is_cleaned_up(ticks: int, delay_s: float) -> None:
    """A loop that shuts down cancels every task, also those that clean up."""
    slow = Reply(delay_s=delay_s)
    service = FakeService(answer=Reply([b"ab", Hang()]), stop=slow, second=slow, first=slow)
    locks, complaints = KeyedLocks(), list[object]()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: complaints.append(it))
        task = await begun(service, locks)
        task.cancel()
        for _ in range(ticks):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert service.asked == CLEANED_UP
    assert (complaints, locks._held) == ([], {})


async def test_clean_up_that_fails_is_passed_on_when_it_is_over() -> None:
    """A bug of the transport is not hidden, and releases the lock."""

    class Broken(FakeService):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/stop":
                raise KeyError("a bug")
            return await super().handle_async_request(request)

    locks = KeyedLocks()
    service = Broken(answer=Reply([b"ab"]))
    call = service.call("async", deferring(answer), service.context(locks=locks))
    await until(service, call, Text("a"))
    with pytest.raises(KeyError, match="a bug"):
        await call.close()
    assert locks._held == {}
    assert call.client._calls == 0
