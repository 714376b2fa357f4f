"""A small chat service on loopback, for what only real connections show."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Request
from langchain_g4f.core.limits import Clocks, Sizes
from langchain_g4f.core.plan import Defer, Plan, stream
from langchain_g4f.run import arun, run
from langchain_g4f.transport.client import ClientSettings, async_client, sync_client
from tests.contract.faults.byte_server import Action, ByteServer, Exchange, routes
from tests.unit.run.world import Decoder, Service

SETTINGS = ClientSettings()
CLOCKS = Clocks(connect=2, first_event=2, silence=2, idle=2, linger=0.1, abort=0.3, total=5)


def fine(exchange: Exchange) -> None:
    """Answer that it is done."""
    exchange.respond(200, b"{}")


def chat(answer: Action, stop: Action = fine) -> ByteServer:
    """A service with an answer, and with ways to end it and to clean up."""
    return ByteServer(
        routes({("POST", "/answer"): answer, ("POST", "/stop"): stop, ("DELETE", "/"): fine})
    )


def plan_for(server: ByteServer) -> Plan:
    """An answer, with everything that it may owe."""
    yield Defer(lambda: Request("DELETE", f"{server.url}/"))
    end = yield from stream(
        lambda: Request("POST", f"{server.url}/answer", phase="ask"),
        Decoder,
        abort=lambda: Request("POST", f"{server.url}/stop"),
    )
    if end.error:
        raise end.error


def context(**sizes: Any) -> CallContext:
    """A session on the real clock."""
    made = Service().context(clocks=CLOCKS, sizes=Sizes(**sizes), max_retries=0)
    return replace(made, clock=time.monotonic)


def events_of(way: str, plan: Plan, own: CallContext) -> list[Event]:
    """All events of a call, on an event loop of its own if it needs one."""
    if way == "run":
        return list(run(plan, own, sync_client(SETTINGS)))

    async def main() -> list[Event]:
        async with aclosing(arun(plan, own, async_client(SETTINGS))) as events:
            return [event async for event in events]

    return asyncio.run(main())


def paths(server: ByteServer) -> list[str]:
    """What was asked, in order."""
    return [asked.path for asked in server.requests]


def assert_closed(server: ByteServer, number: int) -> None:
    """Within a second the service sees that this connection is closed."""
    deadline = time.monotonic() + 1
    while number not in server.closings:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def hanging(*pieces: bytes) -> Action:
    """Answer with these and keep the connection."""

    def answer(exchange: Exchange) -> None:
        chunks = exchange.start_stream(content_type="text/plain")
        for piece in pieces:
            chunks.chunk(piece)
        exchange.never_answer()

    return answer
