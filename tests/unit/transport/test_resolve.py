"""Look-ups, blocking and awaited, with a resolver that is told what to say."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from langchain_g4f.errors import APIConnectionError, APITimeoutError
from langchain_g4f.transport.resolve import alook_up, look_up
from tests.unit.transport.exchanges import by_mode


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """Set the resolver's answer: addresses, or an error; gives what it is asked."""
    asked: list[object] = []

    def set_answer(*answer: str | Exception) -> list[object]:
        def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
            asked.append((host, port, options.get("type")))
            for each in answer:
                if isinstance(each, Exception):
                    raise each
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answer]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return set_answer


async def ask(mode: str, within: float = 5.0) -> tuple[str, ...]:
    """Look a host up."""
    if mode == "sync":
        return look_up("a.example", 443, within)
    return await alook_up("a.example", 443, within)


@by_mode
async def test_addresses_are_given_once_and_in_order(
    mode: str, say: Callable[..., list[object]]
) -> None:
    """For a stream connection."""
    asked = say("192.0.2.2", "2001:db8::1", "192.0.2.2", "192.0.2.1")
    assert await ask(mode) == ("192.0.2.2", "2001:db8::1", "192.0.2.1")
    assert asked == [("a.example", 443, socket.SOCK_STREAM)]


@by_mode
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((), "a.example has no address"),
        (
            (socket.gaierror(socket.EAI_NONAME, "not known"),),
            "could not find the address of a.example (not known)",
        ),
        (
            (UnicodeError("label too long"),),
            "could not find the address of a.example (UnicodeError)",
        ),
    ],
)
async def test_failure_is_a_connection_error_without_the_foreign_one(
    mode: str, say: Callable[..., list[object]], answer: tuple[Exception, ...], message: str
) -> None:
    """It may be tried again: nothing was sent."""
    say(*answer)
    with pytest.raises(APIConnectionError) as caught:
        await ask(mode)
    error = caught.value
    assert (str(error), error.phase, error.request_sent) == (message, "look up the host", False)
    assert error.is_retryable
    assert error.__context__ is None


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver that gives no answer while the test runs."""
    over = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    over.set()
    for thread in threading.enumerate():
        if thread.name == "look up a.example":
            thread.join()


@pytest.mark.usefixtures("stuck")
def test_loop_does_not_wait_for_a_resolver_that_is_stuck() -> None:
    """Neither after a timeout nor after a cancellation."""

    async def main() -> None:
        with pytest.raises(APITimeoutError):
            await alook_up("a.example", 443, 0.02)
        task = asyncio.ensure_future(alook_up("a.example", 443, 10))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 1


@by_mode
@pytest.mark.usefixtures("stuck")
async def test_slow_resolver_is_a_timeout(mode: str) -> None:
    """Of the total clock, which is the one that bounds a look-up."""
    with pytest.raises(APITimeoutError, match=r"no address of a\.example within 0\.05 s") as caught:
        await ask(mode, within=0.05)
    error = caught.value
    assert (error.kind, error.phase, error.request_sent) == ("total", "look up the host", False)
    assert error.__context__ is None
