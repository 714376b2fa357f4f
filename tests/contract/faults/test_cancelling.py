"""A task that is cancelled in any phase of its call: closed, stopped, and cancelled unchanged."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_g4f.run import drivers
from tests.contract.faults.byte_server import ByteServer, Exchange
from tests.contract.faults.harness import assert_nothing_open, closed, eventually, nothing_open
from tests.contract.faults.registry import PATIENT, Provider, fault, hang

REASON = "the caller went home"
AWAY = pytest.mark.parametrize("way", ["ainvoke", "astream"])


async def cancel(task: asyncio.Task[Any]) -> float:
    """Cancel a task; its own CancelledError comes back, and how long that took."""
    since = time.monotonic()
    task.cancel(REASON)
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    taken = time.monotonic() - since
    assert type(caught.value) is asyncio.CancelledError
    assert caught.value.args == (REASON,)
    assert task.cancelled()
    if (
        clean_ups := drivers._under_way
    ):  # a machine that is busy may need longer than the caller waits
        await asyncio.wait(clean_ups)
    assert_nothing_open()
    return taken


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
            sock.settimeout(0.2)
            try:
                sock.connect(address)
            except TimeoutError:
                break
        yield address[1]


@fault(36)
@AWAY
async def test_cancelled_while_connecting(provider: Provider, way: str, full_port: int) -> None:
    """No connection stands yet, and none is left behind."""
    task = start(provider.build(f"http://127.0.0.1:{full_port}", timeout=PATIENT), way)
    await asyncio.sleep(0.1)
    assert await cancel(task) < 1


@fault(36)
@AWAY
async def test_cancelled_in_the_tls_handshake(provider: Provider, way: str) -> None:
    """The other side accepts the connection and never says hello."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        task = start(provider.build(f"https://127.0.0.1:{port}", timeout=PATIENT), way)
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            accepted.settimeout(1)
            hello = await asyncio.to_thread(accepted.recv, 1 << 16)
            assert hello.startswith(b"\x16\x03")
            assert await cancel(task) < 1
            assert await asyncio.to_thread(accepted.recv, 1) == b""


@fault(36, where=lambda provider: provider.begins_with_message)
@AWAY
async def test_cancelled_while_uploading(provider: Provider, way: str) -> None:
    """The service does not read what it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        long = [SystemMessage("x" * (16 << 20)), HumanMessage("hi")]
        task = start(provider.build(url, timeout=PATIENT), way, long)
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            await asyncio.sleep(0.2)
            assert await cancel(task) < 1
            accepted.settimeout(1)
            assert await asyncio.to_thread(_length_of, accepted) < 16 << 20


@fault(36)
@AWAY
async def test_cancelled_before_the_message_is_sent(provider: Provider, way: str) -> None:
    """What comes before the message is closed; there is no run to stop yet."""
    part = provider.full_call[0]
    with provider.server(**{part: Exchange.never_answer}) as server:
        task = start(provider.full_model(server), way, provider.full_prompt)
        await asked(provider, server, part)
        assert await cancel(task) < 1
        assert await closed(provider, server, part)
        assert provider.asked(server) == (part,)


@fault(36)
@AWAY
async def test_cancelled_while_the_conversation_is_created(provider: Provider, way: str) -> None:
    """So is a request that creates something."""
    part = provider.create
    with provider.server(**{part: Exchange.never_answer}) as server:
        task = start(provider.model(server), way)
        await asked(provider, server, part)
        assert await cancel(task) < 1
        assert await closed(provider, server, part)
        assert provider.asked(server) == provider.until(part)


@fault(36)
@AWAY
async def test_cancelled_while_the_answer_has_not_begun(provider: Provider, way: str) -> None:
    """The service may be at work on the message: it is told to stop."""
    with provider.server(answer=Exchange.never_answer) as server:
        task = start(provider.model(server), way)
        await asked(provider, server, provider.answer)
        assert await cancel(task) < 1
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)


@fault(36)
@AWAY
async def test_cancelled_while_the_answer_flows(provider: Provider, way: str) -> None:
    """The stream is closed and stopped before the cancellation comes back."""
    pieces = [*provider.start, provider.token("Hello"), provider.heartbeat]
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        task = start(provider.model(server), way)
        await asked(provider, server, provider.answer)
        await asyncio.sleep(0.1)
        assert await cancel(task) < 1
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)


@fault(36)
@AWAY
async def test_cancelled_between_two_attempts(provider: Provider, way: str) -> None:
    """A wait for the next attempt is no reason to wait for the end."""
    part = provider.full_call[0]
    refuse: Callable[[Exchange], None] = lambda x: x.respond(429, headers=[("Retry-After", "9")])  # noqa: E731
    with provider.server(**{part: refuse}) as server:
        task = start(provider.full_model(server), way)
        await asked(provider, server, part)
        await asyncio.sleep(0.05)
        assert await cancel(task) < 1
        assert provider.asked(server) == (part,)


@fault(36, only="HC")  # elsewhere nothing of interest can follow, and it is not waited for
@AWAY
async def test_cancelled_during_the_linger(provider: Provider, way: str) -> None:
    """The answer is whole, and the run over: nothing is stopped."""
    pieces = [*provider.start, provider.token("Hello"), provider.end("Hello")[0]]
    with provider.server(answer=provider.answering(*pieces, then=hang)) as server:
        task = start(provider.model(server, await_title=True), way)
        await asked(provider, server, provider.answer)
        await asyncio.sleep(0.15)
        assert await cancel(task) < 1
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == provider.good_call


@fault(36, where=lambda provider: provider.abort)
@AWAY
@pytest.mark.parametrize("times", [1, 3])
async def test_cancelled_again_while_closing_lets_the_clean_up_end(
    provider: Provider, way: str, times: int
) -> None:
    """The abort is shielded: it arrives, and the first cancellation is the one that counts."""

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.2)
        provider.good(exchange)

    pieces = [*provider.start, provider.token("Hello")]
    parts = dict.fromkeys(provider.abort, slow)
    with provider.server(
        answer=provider.answering(*pieces, then=hang),
        **parts,
    ) as server:
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

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.2)
        provider.good(exchange)

    parts = dict.fromkeys(provider.abort, slow)
    pieces = [*provider.start, provider.token("Hello")]
    with provider.server(answer=provider.answering(*pieces, then=hang), **parts) as server:
        stream = provider.model(server).astream("hi")
        await anext(stream)
        task = asyncio.create_task(_close(stream))
        await asyncio.sleep(0.05)
        task.cancel(REASON)
        await asyncio.wait([task])
        expected = (*provider.good_call, *provider.abort)
        assert await eventually(lambda: provider.asked(server) == expected)
        assert await eventually(nothing_open)


@fault(36)
async def test_timeout_around_a_call_is_a_timeout(provider: Provider) -> None:
    """`asyncio.timeout` works as it does around anything else."""
    with provider.server(answer=Exchange.never_answer) as server:
        model = provider.model(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await model.ainvoke("hi")
        assert_nothing_open()
        assert provider.asked(server) == (*provider.good_call, *provider.abort)


async def _close(stream: Any) -> None:
    await stream.aclose()


def _length_of(sock: socket.socket) -> int:
    """How much comes before the end, or the break, of a connection."""
    length = 0
    with suppress(ConnectionResetError):
        while data := sock.recv(1 << 20):
            length += len(data)
    return length
