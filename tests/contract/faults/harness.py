"""Asking a model in each way, and what holds after every call, however it ended."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import cycle
from typing import Any, TypeVar

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

from langchain_g4f.errors import APIError, G4FError
from langchain_g4f.transport import client
from langchain_g4f.transport.impersonate import CurlTransport, SyncCurlTransport
from tests.contract.faults import registry
from tests.contract.faults.byte_server import ByteServer
from tests.contract.faults.registry import CANARY, SYNC_AND_ASYNC, Provider

STREAMS = registry.STREAMS

by_stream = pytest.mark.parametrize("way", STREAMS)
by_turns = pytest.mark.parametrize("way", SYNC_AND_ASYNC)
by_call = pytest.mark.parametrize("way", ["invoke", "ainvoke"])
by_way = by_turns


def by_case(cases: Mapping[str, Any], *names: str) -> pytest.MarkDecorator:
    """Blocking and awaiting in turn, each for every second case; the test is about its bytes.

    Args:
        cases: By name; each gives the arguments of the test, as a tuple if they are several.
        names: Of these arguments; `way` is another one.
    """
    ways = cycle(SYNC_AND_ASYNC)
    return pytest.mark.parametrize(
        (*names, "way"),
        [
            pytest.param(*(case if len(names) > 1 else (case,)), way, id=f"{name}-{way}")
            for (name, case), way in zip(cases.items(), ways, strict=False)
        ],
    )


E = TypeVar("E", bound=G4FError)
Model = Runnable[Any, Any]


def begin(model: Any, way: str) -> Iterator[Any] | AsyncIterator[Any]:
    """A stream of the model."""
    found: Any = getattr(model, way)("hi")
    return found  # type: ignore[no-any-return]


async def read(stream: Any, count: int) -> list[str]:
    """The next pieces of text, from either kind of stream."""
    found: list[str] = []
    while len(found) < count:
        chunk = await anext(stream) if isinstance(stream, AsyncIterator) else next(stream)
        found.extend(filter(None, [chunk.text]))
    return found


async def end(stream: Any) -> None:
    """Close either kind of stream."""
    if isinstance(stream, AsyncIterator):
        await stream.aclose()  # type: ignore[attr-defined]
    else:
        stream.close()


async def chunks(model: Model, way: str, prompt: Any = "hi") -> AsyncIterator[AIMessageChunk]:
    """The chunks of a stream, or the answer of a call as the only one."""
    match way:
        case "stream":
            for chunk in model.stream(prompt):
                yield chunk
        case "astream":
            async for chunk in model.astream(prompt):
                yield chunk
        case "invoke":
            yield _as_chunk(model.invoke(prompt))
        case _:
            yield _as_chunk(await model.ainvoke(prompt))


async def ask(model: Model, way: str, prompt: Any = "hi") -> AIMessageChunk:
    """One answer; afterwards nothing is open."""
    whole: Any = None
    async for chunk in chunks(model, way, prompt):
        whole = chunk if whole is None else whole + chunk
    assert_nothing_open()
    assert isinstance(whole, AIMessageChunk)
    return whole


async def texts(model: Model, way: str, prompt: Any = "hi") -> list[str]:
    """The pieces of text, in the order and the sizes in which they came."""
    return [chunk.text async for chunk in chunks(model, way, prompt) if chunk.text]


async def fail(
    model: Model,
    way: str,
    kind: type[E],
    prompt: Any = "hi",
    *,
    host: str | None = "127.0.0.1",
    subclass: bool = False,
) -> E:
    """The error of a call that fails: of this very class, and decent.

    It names the provider, holds nothing foreign and no credential, has what was delivered as its
    partial text, and pickles. Its message names the host, where the way to the service failed.
    """
    delivered: list[str] = []
    with pytest.raises(G4FError) as caught:
        await _read(delivered, model, way, prompt)
    error = caught.value
    assert isinstance(error, kind), repr(error)
    assert subclass or type(error) is kind, repr(error)
    assert_nothing_open()
    assert_decent(error)
    if isinstance(error, APIError):
        assert error.provider == getattr(model, "provider", error.provider)
        if way in STREAMS:
            assert error.partial_text == "".join(delivered)
    if host is not None:
        assert host in str(error)
    return error


def assert_decent(error: BaseException) -> None:
    """Nothing secret, nothing foreign, and the same after a pickle."""
    shown = f"{error} {error!r} {vars(error)}"
    assert CANARY not in shown
    assert "?" not in str(error)
    assert not hasattr(error, "response")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301, our own bytes
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    for link in chain(error):
        foreign = type(link).__module__.partition(".")[0]
        assert foreign in {"langchain_g4f", "builtins"}, f"{error!r} holds {link!r}"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came from, shown in a traceback or not."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_nothing_open() -> None:
    """No request is in any pool, and no connection but idle ones."""
    assert [each for transport in transports() for each in under_way(transport)] == []


def under_way(transport: Any) -> list[Any]:
    """What is not over: requests, and connections that are neither idle nor closed."""
    if isinstance(transport, CurlTransport | SyncCurlTransport):
        return list(transport._multi._running) if transport._multi else []
    pool = transport._pool
    busy = [each for each in pool.connections if not (each.is_idle() or each.is_closed())]
    return [*pool._requests, *busy]


def transports() -> Iterator[Any]:
    """What every client that the package keeps asks by, with and without a proxy."""
    found: list[Any] = list(client._sync.values())
    for of_loop in tuple(client._async.values()):
        found.extend(of_loop.clients.values())
    for each in found:
        yield from (each.http._transport, *filter(None, each.http._mounts.values()))


async def eventually(condition: Any, within_s: float = 1.0) -> bool:
    """Whether this comes true in time, while the event loop runs."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


async def closed(provider: Provider, server: ByteServer, part: str, within_s: float = 1.0) -> bool:
    """Whether the server sees in time that the client closed the connection of this part."""
    (number,) = {
        request.connection_number
        for request in server.requests
        if provider.part_of(request) == part
    }
    return await eventually(lambda: number in server.closings, within_s)


async def assert_given_up(provider: Provider, server: ByteServer) -> None:
    """Within a second: the answer's connection is closed, the abort sent, and nothing else."""
    assert await closed(provider, server, provider.answer)
    expected = (*provider.good_call, *provider.abort)
    assert await eventually(lambda: provider.asked(server) == expected), provider.asked(server)
    await asyncio.sleep(0.03)
    assert provider.asked(server) == expected
    assert await eventually(nothing_open)


def nothing_open() -> bool:
    """Whether `assert_nothing_open` would pass."""
    try:
        assert_nothing_open()
    except AssertionError:
        return False
    return True


async def _read(into: list[str], model: Model, way: str, prompt: Any) -> None:
    async for chunk in chunks(model, way, prompt):
        into.extend([chunk.text])


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    return AIMessageChunk(
        content=message.content,
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
    )
