"""A task is cancelled, or a blocking call interrupted, in any phase: closed, stopped, unchanged."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, NoReturn

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_g4f.run import drivers
from tests.contract.faults.byte_server import Action, ByteServer, Exchange
from tests.contract.faults.harness import assert_nothing_open, closed, eventually, nothing_open
from tests.contract.faults.registry import PATIENT, Provider, fault, hang

REASON = "the caller went home"
AWAITED = ("ainvoke", "astream")
BLOCKING = ("invoke", "stream")
SOON_S = 2
"""How long a cancellation may take on a busy machine; every clock of the call is longer."""


async def cancel(task: asyncio.Task[Any]) -> None:
    """Cancel a task; its own CancelledError comes back, and soon."""
    since = time.monotonic()
    task.cancel(REASON)
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert time.monotonic() - since < SOON_S
    assert type(caught.value) is asyncio.CancelledError
    assert caught.value.args == (REASON,)
    assert task.cancelled()
    if clean_ups := drivers._under_way:  # a busy machine may need longer than the caller waits
        await asyncio.wait(clean_ups)
    assert_nothing_open()


def start(model: Any, way: str, prompt: Any = "hi") -> asyncio.Task[Any]:
    """Ask in a task of its own."""

    async def stream() -> None:
        async for _ in model.astream(prompt):
            pass

    return asyncio.create_task(stream() if way == "astream" else model.ainvoke(prompt))


async def asked(provider: Provider, server: ByteServer, part: str) -> None:
    """Wait until a part has been asked."""
    assert await eventually(lambda: part in provider.asked(server), 5)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full: connecting to it takes for ever."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        while True:
            sock = stack.enter_context(socket.socket())
            sock.settimeout(0.1)
            try:
                sock.connect(address)
            except TimeoutError:
                break
        yield address[1]


@fault(36, ways=AWAITED)
async def test_cancelled_while_connecting(provider: Provider, way: str, full_port: int) -> None:
    """No connection stands yet, and none is left behind."""
    task = start(provider.build(f"http://127.0.0.1:{full_port}", timeout=PATIENT), way)
    await asyncio.sleep(0.1)
    await cancel(task)


@fault(36, ways=AWAITED)
async def test_cancelled_in_the_tls_handshake(provider: Provider, way: str) -> None:
    """The other side accepts the connection and never says hello."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        task = start(provider.build(f"https://127.0.0.1:{port}", timeout=PATIENT), way)
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            accepted.settimeout(SOON_S)
            hello = await asyncio.to_thread(accepted.recv, 1 << 16)
            assert hello.startswith(b"\x16\x03")
            await cancel(task)
            assert await asyncio.to_thread(accepted.recv, 1) == b""


@fault(36, ways=AWAITED, where=lambda provider: provider.begins_with_message)
async def test_cancelled_while_uploading(provider: Provider, way: str) -> None:
    """The service does not read what it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        long = [SystemMessage("x" * (16 << 20)), HumanMessage("hi")]
        task = start(provider.build(url, timeout=PATIENT), way, long)
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            await asyncio.sleep(0.2)
            await cancel(task)
            accepted.settimeout(SOON_S)
            assert await asyncio.to_thread(_length_of, accepted) < 16 << 20


def _length_of(sock: socket.socket) -> int:
    """How much comes before the end, or the break, of a connection."""
    length = 0
    with suppress(ConnectionResetError):
        while data := sock.recv(1 << 20):
            length += len(data)
    return length


@dataclass(frozen=True)
class Phase:
    """Where a call is cancelled: while this part is acted on, at once or after a moment."""

    part: Callable[[Provider], str]
    act: Callable[[Provider], Action]
    after_s: float = 0.0


def refuse(exchange: Exchange) -> None:
    """Ask to come back later."""
    exchange.respond(429, headers=[("Retry-After", "9")])


PHASES = {
    "the answer flows": Phase(
        lambda p: p.answer,
        lambda p: p.answering(*p.start, p.token("Hello"), p.heartbeat, then=hang),
        0.1,
    ),
    "the answer has not begun": Phase(lambda p: p.answer, lambda _: Exchange.never_answer),
    "before the message": Phase(lambda p: p.full_call[0], lambda _: Exchange.never_answer),
    "a conversation is created": Phase(lambda p: p.create, lambda _: Exchange.never_answer),
    "between two attempts": Phase(lambda p: p.full_call[0], lambda _: refuse, 0.05),
}


@fault(36, ways=AWAITED, each=True, phase=PHASES)
async def test_cancelled_while_a_part_is_asked(provider: Provider, way: str, phase: Phase) -> None:
    """Its connection is closed; where there may be a run, the service is told to stop."""
    part = phase.part(provider)
    first = part == provider.full_call[0]
    with provider.server(**{part: phase.act(provider)}) as server:
        model = provider.full_model(server) if first else provider.model(server)
        task = start(model, way, provider.full_prompt if first else "hi")
        await asked(provider, server, part)
        await asyncio.sleep(phase.after_s)
        await cancel(task)
        if phase.act(provider) is not refuse:
            assert await closed(provider, server, part)
        assert provider.asked(server) == ((part,) if first else provider.unheard(part))


@fault(36, only="HC", ways=AWAITED)  # elsewhere nothing of interest can follow
async def test_cancelled_during_the_linger(provider: Provider, way: str) -> None:
    """The answer is whole, and the run over: nothing is stopped."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        task = start(provider.model(server, await_title=True), way)
        await asked(provider, server, provider.answer)
        await asyncio.sleep(0.3)
        await cancel(task)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call


def slow_to_stop(provider: Provider) -> dict[str, Action]:
    """A run that goes on for ever, and what takes its time to stop it."""

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.2)
        provider.good(exchange)

    pieces = [*provider.start, provider.token("Hello")]
    answer = provider.answering(*pieces, then=hang)
    return {"answer": answer, **dict.fromkeys(provider.abort, slow)}


@fault(36, ways=AWAITED, where=lambda provider: provider.abort, times=[1, 3])
async def test_cancelled_again_while_closing_lets_the_clean_up_end(
    provider: Provider, way: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The abort is shielded: it arrives, and the first cancellation is the one that counts."""
    monkeypatch.setattr(drivers, "_PATIENCE_S", 5)  # a busy machine needs it
    with provider.server(**slow_to_stop(provider)) as server:
        task = start(provider.model(server), way)
        await asked(provider, server, provider.answer)
        await asyncio.sleep(0.05)
        task.cancel(REASON)
        for part in provider.abort:
            await asked(provider, server, part)
        for _ in range(times):
            task.cancel("again")
            await asyncio.sleep(0.01)
        assert not task.done()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert_nothing_open()
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        aborts = [each for part in provider.abort for each in provider.sent(server, part)]
        assert not {each.connection_number for each in aborts} & server.closings.keys()


@fault(36)
async def test_stream_that_is_closed_can_be_cancelled_meanwhile(provider: Provider) -> None:
    """`aclose` itself is cancelled while the abort is under way."""
    with provider.server(**slow_to_stop(provider)) as server:
        stream = provider.model(server).astream("hi")
        await anext(stream)

        async def close() -> None:
            await stream.aclose()  # type: ignore[attr-defined]

        task = asyncio.create_task(close())
        await asyncio.sleep(0.05)
        task.cancel(REASON)
        await asyncio.wait([task])
        expected = (*provider.good_call, *provider.abort)
        assert await eventually(lambda: provider.asked(server) == expected)
        assert await eventually(nothing_open)


@fault(36, only="HC")
async def test_timeout_around_a_call_is_a_timeout(provider: Provider) -> None:
    """`asyncio.timeout` works as it does around anything else."""
    with provider.server(answer=Exchange.never_answer) as server:
        model = provider.model(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await model.ainvoke("hi")
        assert await eventually(nothing_open)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)


# --- a blocking call that is interrupted, as by Ctrl-C -------------------------------------------


class InterruptError(BaseException):
    """What a signal handler raises, as Ctrl-C does."""


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptError(REASON)


def soon(action: Action) -> Action:
    """Have the caller interrupted while this goes on."""

    def act(exchange: Exchange) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        action(exchange)

    return act


INTERRUPTED = {
    "the answer flows": PHASES["the answer flows"],
    "the answer has not begun": PHASES["the answer has not begun"],
    "the first request": Phase(lambda p: p.good_call[0], lambda _: Exchange.never_answer),
}


@fault(36, ways=BLOCKING, phase=INTERRUPTED)
def test_blocking_call_that_is_interrupted(provider: Provider, way: str, phase: Phase) -> None:
    """Closed, stopped where there is a run, and raised unchanged."""
    part = phase.part(provider)
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        with provider.server(**{part: soon(phase.act(provider))}) as server:
            model = provider.model(server, timeout=replace(PATIENT, abort=1))
            with pytest.raises(InterruptError, match=REASON):
                list(model.stream("hi")) if way == "stream" else model.invoke("hi")
            assert_nothing_open()
            assert provider.asked(server) == provider.unheard(part)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
