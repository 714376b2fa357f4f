"""A model on the load server, and what may be left of its calls: nothing but idle connections."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from langchain_g4f import ChatHuggingChat
from langchain_g4f.transport import client
from langchain_g4f.transport.impersonate import CurlTransport, SyncCurlTransport
from tests.nightly.meter import Held, aeventually, eventually
from tests.nightly.server import Served

KEPT = 50
"""Connections that may wait for the next request."""


def make_model(served: Served, **settings: Any) -> ChatHuggingChat:
    """A model for this server, with an identity."""
    identity = {"cookies": {"hf-chat": "load-session"}}
    return ChatHuggingChat(base_url=served.url, model="m", **(identity | settings))


def close_sync_clients() -> None:
    """Close those that serve all threads; those of event loops end with them."""
    while client._sync:
        client._sync.popitem()[1].http.close()


def transports() -> list[Any]:
    """What all the package's clients ask by."""
    found: list[Any] = list(client._sync.values())
    for of_loop in tuple(client._async.values()):
        found.extend(of_loop.clients.values())
    return [each.http._transport for each in found]


def requests_under_way() -> int:
    """How many requests are not over."""
    count = 0
    for each in transports():
        if is_curl(each):
            count += 0 if each._multi is None else len(each._multi._running)
        else:
            count += len(each._pool._requests)
    return count


def idle_connections(served: Served) -> int:
    """How many connections are kept for later; none may be in any other state."""
    connections = [c for each in transports() if not is_curl(each) for c in each._pool.connections]
    if not all(c.is_idle() for c in connections):
        return -1
    if any(map(is_curl, transports())):  # curl does not tell how many it keeps
        return served.counts.open
    return len(connections)


def is_curl(transport: object) -> bool:
    """Whether this one looks like a browser."""
    return isinstance(transport, CurlTransport | SyncCurlTransport)


def at_rest(served: Served) -> Held:
    """What this process holds besides idle connections."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):  # cancelled, and about to end
            thread.join()
    held = Held.now()
    return replace(held, descriptors=held.descriptors - idle_connections(served))


def problems(served: Served, before: Held, after: Held) -> list[str]:
    """What is not as it was, now that nothing is under way."""
    found = []
    if count := requests_under_way():
        found.append(f"{count} requests in a pool")
    idle = idle_connections(served)
    if idle < 0:
        found.append("connections that are not idle")
    if idle > KEPT:
        found.append(f"{idle} connections are kept")
    if served.counts.open != idle:
        found.append(f"{served.counts.open} connections at the server, {idle} here")
    if after.descriptors != before.descriptors + idle:
        found.append(f"descriptors: {before.descriptors} + {idle}, then {after.descriptors}")
    if after.threads != before.threads:
        found.append(f"threads: {before.threads}, then {after.threads}")
    if after.tasks != before.tasks:
        found.append(f"tasks: {before.tasks}, then {after.tasks}")
    return found


async def settled(served: Served, before: Held) -> list[str]:
    """What is still not as it was after two seconds."""
    await aeventually(lambda: not problems(served, before, Held.now()))
    return problems(served, before, Held.now())


def all_closed(served: Served, outside: Held) -> list[str]:
    """What is not as it was before there were clients, two seconds after their end."""
    if eventually(lambda: Held.now() == outside and not served.counts.open):
        return []
    return [f"after the end: {outside}, then {Held.now()}; {served.counts}"]
