"""A client of the caller's own, of httpx or httpx2: it may read along, and keeps none of ours."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from langchain_g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    G4FError,
    StreamInterruptedError,
)
from tests.contract.faults.byte_server import Exchange
from tests.contract.faults.harness import ask, by_turns, by_way, fail
from tests.contract.faults.registry import CANARY, PATIENT, Provider, cut, fault
from tests.unit.transport.exchanges import closed_port

by_library = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@asynccontextmanager
async def clients(
    library: ModuleType, *hooks: Any, **settings: Any
) -> AsyncIterator[dict[str, Any]]:
    """The fields of a model with clients of this library; hooks are a blocking and another one."""
    one, other = [{"response": [each]} for each in hooks] or [{}, {}]
    with library.Client(event_hooks=one, **settings) as http:
        async with library.AsyncClient(event_hooks=other, **settings) as ahttp:
            yield {"http_client": http, "http_async_client": ahttp}


def reading(seen: list[bytes]) -> tuple[Any, Any]:
    """Hooks that read a body, as those do that write a log of it."""

    def read(response: Any) -> None:
        seen.append(response.read())

    async def aread(response: Any) -> None:
        seen.append(await response.aread())

    return read, aread


@fault(59)
@by_way
@by_library
async def test_hook_may_read_the_answer(provider: Provider, way: str, library: ModuleType) -> None:
    """The model reads what the hook has kept."""
    seen: list[bytes] = []
    async with clients(library, *reading(seen)) as own:
        with provider.server() as server:
            assert (await ask(provider.model(server, **own), way)).text == "Hello there"
            assert provider.asked(server) == provider.good_call
    assert len(seen) == len(provider.good_call)


@fault(59)
@by_turns
async def test_hook_that_keeps_nothing_is_told(provider: Provider, way: str) -> None:
    """Its answer is gone, and no model can read it."""

    def drain(response: httpx.Response) -> None:
        list(response.iter_raw())

    async def adrain(response: httpx.Response) -> None:
        _ = [part async for part in response.aiter_raw()]

    async with clients(httpx, drain, adrain) as own:
        with provider.server() as server:
            await fail(provider.model(server, **own), way, ConfigurationError, host="use read()")


@fault(59)
@by_turns
@by_library
async def test_jar_of_the_client_is_not_ours(
    provider: Provider, way: str, library: ModuleType
) -> None:
    """It neither gets the cookies of our answers nor gives one of its own; its owner's it keeps."""
    cookie = [("Set-Cookie", f"given={CANARY}-given; Path=/")]

    def give(exchange: Exchange) -> None:
        exchange.respond(200 if exchange.path == "/page" else 404, headers=cookie)

    async with clients(library, cookies={"foreign": f"{CANARY}-foreign"}) as own:
        client = own["http_client" if way == "invoke" else "http_async_client"]
        with provider.server(**{provider.create: [give, provider.good]}) as server:
            model = provider.model(server, max_retries=0, **own)
            for _ in range(2):
                with suppress(G4FError):
                    await ask(model, way)
            assert provider.asked(server).count(provider.create) >= 2
            assert [each.name for each in client.cookies.jar] == ["foreign"]
            assert all("foreign" not in (each.header("cookie") or "") for each in server.requests)
            server.handler = give
            answer = client.get(f"{server.url}/page")
            assert (answer if way == "invoke" else await answer).status_code == 200
        assert [each.name for each in client.cookies.jar] == ["foreign", "given"]


@fault(59)
@by_turns
@by_library
async def test_errors_of_either_library_are_ours(
    provider: Provider, way: str, library: ModuleType
) -> None:
    """Refused, broken, too slow, cut: the classes are the same, and nothing foreign is held."""
    settings: Any = {"timeout": replace(PATIENT, first_event=0.2), "max_retries": 0}
    first, pieces = provider.good_call[0], [*provider.start, provider.token("Hello")]
    async with clients(library) as own:
        with closed_port() as port:
            nobody = provider.build(f"http://127.0.0.1:{port}", **settings, **own)
            await fail(nobody, way, APIConnectionError)
        with provider.server(**{first: Exchange.reset}) as server:
            await fail(provider.model(server, **settings, **own), way, APIConnectionError)
        with provider.server(**{first: Exchange.never_answer}) as server:
            await fail(provider.model(server, **settings, **own), way, APITimeoutError)
        with provider.server(answer=provider.answering(*pieces, then=cut)) as server:
            await fail(provider.model(server, **own), way, StreamInterruptedError, host=None)


@fault(59)
@by_turns
@by_library
async def test_deadline_holds_on_a_client_of_ones_own(
    provider: Provider, way: str, library: ModuleType
) -> None:
    """Also while a hook reads a body that comes byte by byte, on a connection used before."""

    def dribble(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not exchange.hold(0.05):
            exchange.send(b" ")

    async with clients(library, *reading([])) as own:
        with provider.server(**{provider.again[-1]: [provider.good, dribble]}) as server:
            assert (await ask(provider.model(server, **own), way)).text == "Hello there"
            model = provider.model(server, timeout=replace(PATIENT, total=0.5), **own)
            since = time.monotonic()
            error = await fail(model, way, APITimeoutError)
            assert time.monotonic() - since < 1.5
    assert error.kind == "total"
