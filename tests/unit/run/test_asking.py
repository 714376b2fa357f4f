"""The application is asked whether a call can begin again, and takes its time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from langchain_g4f.core.events import Title
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Lock, MakeRequest, Plan, ask, send, stream
from langchain_g4f.errors import APITimeoutError, ConfigurationError
from tests.unit.run.plans import RESET, until
from tests.unit.run.service import Decoder, FakeService, Reply, Serve, request

Question = Callable[[], bool]


def asking(question: Question) -> Plan:
    """Ask under a lock, and say what the answer was; then do what is left."""
    yield Lock("key")
    found = yield from ask(question)
    yield Title("yes" if found else "no")
    yield from send(request("next"))


@pytest.mark.parametrize("answer", [True, False])
async def test_answer_of_the_application_goes_to_the_plan(
    mode: str, serve: Serve, answer: bool
) -> None:
    """And the call goes on."""
    service = serve()
    events = await service.call(mode, asking(lambda: answer)).all()
    assert events == [Title("yes" if answer else "no")]
    assert service.asked == ["next"]


async def test_async_question_is_asked_in_a_thread_and_does_not_block_the_loop() -> None:
    """The event loop keeps running: a task on it answers the question."""
    asked, answered = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def question() -> bool:
        threads.append(threading.current_thread())
        asked.set()
        return answered.wait(5)

    async def answer() -> None:
        assert await asyncio.to_thread(asked.wait, 5)
        answered.set()

    events, _ = await asyncio.gather(FakeService().call("async", asking(question)).all(), answer())
    assert events == [Title("yes")]
    assert threads[0] is not threading.current_thread()


async def test_sync_question_is_asked_where_the_call_is(serve: Serve) -> None:
    """An application may open a window in its main thread alone."""
    threads: list[threading.Thread] = []

    def question() -> bool:
        threads.append(threading.current_thread())
        return True

    await serve().call("sync", asking(question)).all()
    assert threads == [threading.current_thread()]


@pytest.mark.proves("promise:clocks")
async def test_total_clock_stands_still_while_the_application_is_asked(
    mode: str, serve: Serve
) -> None:
    """A person needs minutes, and the call has as long after that as it had before."""
    service = serve(next=Reply(takes=4))

    def question() -> bool:
        service.now += 1_000
        return True

    context = service.context(clocks=Clocks(total=5))
    assert await service.call(mode, asking(question), context).all() == [Title("yes")]
    slow = serve(next=Reply(takes=6, pieces=[b"late"]))
    context = slow.context(clocks=Clocks(total=5))
    with pytest.raises(APITimeoutError) as caught:
        await slow.call(mode, asking(lambda: True), context).all()
    assert caught.value.kind == "total"


@pytest.mark.proves("promise:locks")
@pytest.mark.parametrize("error", [ConfigurationError("no window"), RuntimeError("no window")])
async def test_error_of_the_application_ends_the_call_unchanged(
    mode: str, serve: Serve, error: Exception
) -> None:
    """Whatever it is; nothing is sent after it, and the lock is free."""

    def question() -> bool:
        raise error

    locks, service = KeyedLocks(), serve()
    call = service.call(mode, asking(question), service.context(locks=locks))
    with pytest.raises(type(error)) as caught:
        await call.all()
    assert caught.value is error
    assert service.asked == []
    assert locks._held == {}


async def test_plan_may_recover_from_an_error_of_ours(mode: str, serve: Serve) -> None:
    """It is raised where the question was."""

    def question() -> bool:
        raise ConfigurationError("no window")

    def plan() -> Plan:
        try:
            yield from ask(question)
        except ConfigurationError as error:
            yield Title(str(error))

    assert await serve().call(mode, plan()).all() == [Title("no window")]


@pytest.mark.proves("promise:locks")
async def test_call_that_is_cancelled_does_not_wait_for_the_answer() -> None:
    """The question may go on in its thread; the lock is free at once."""
    asked, answered = threading.Event(), threading.Event()

    def question() -> bool:
        asked.set()
        return answered.wait(5)

    locks, service = KeyedLocks(), FakeService()
    call = service.call("async", asking(question), service.context(locks=locks))
    task = asyncio.ensure_future(call.all())
    assert await asyncio.to_thread(asked.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not answered.is_set()
    assert (locks._held, service.asked) == ({}, [])
    answered.set()


# -- once a message was taken --------------------------------------------------------------------


def never() -> bool:
    """Answer a question that must not be asked."""
    raise AssertionError("asked although the message was taken")


def answered() -> Plan:
    """An answer to its end, then the question."""
    yield from stream(request("answer"), Decoder)
    yield from asking(never)


def refused(make_request: MakeRequest, *, already_started: bool) -> Plan:
    """An answer that is refused, then the question."""
    try:
        yield from stream(make_request, Decoder, already_started=already_started)
    except Exception:  # noqa: BLE001 -- whatever it is
        yield from asking(never if already_started else lambda: True)


@pytest.mark.parametrize("pieces", [[b"a!"], [RESET]], ids=["complete", "broken"])
async def test_message_that_was_taken_is_a_reason_not_to_ask(
    pieces: list[Any], mode: str, serve: Serve
) -> None:
    """The message would be sent twice."""
    service = serve(answer=Reply(pieces))
    call = service.call(mode, answered())
    await until(service, call, Title("no"))
    await call.close()


@pytest.mark.parametrize(("already_started", "answer"), [(False, "yes"), (True, "no")])
async def test_refused_answer_is_asked_about_if_nothing_had_begun_it(
    mode: str, serve: Serve, already_started: bool, answer: str
) -> None:
    """A message is taken by an earlier request, where one says so."""
    service = serve(answer=Reply(status=401))
    events = await service.call(
        mode, refused(request("answer"), already_started=already_started)
    ).all()
    assert events == [Title(answer)]
