"""A model on the load server, and what may be left of its calls: nothing but idle connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_g4f import ChatHuggingChat
from langchain_g4f.transport import client
from tests.load_tests.meter import Held, aeventually, eventually
from tests.load_tests.server import Served


def make_model(served: Served, **settings: Any) -> ChatHuggingChat:
    """A model for this server, with an identity."""
    identity = {"cookies": {"hf-chat": "load-session"}}
    return ChatHuggingChat(base_url=served.url, model="m", **(identity | settings))


def pools() -> list[Any]:
    """The connection pools of all the package's clients."""
    found: list[Any] = list(client._sync.values())
    for of_loop in tuple(client._async.values()):
        found.extend(of_loop.clients.values())
    return [each.http._transport._pool for each in found]


def idle_connections() -> int:
    """How many connections are kept for later; none may be in any other state."""
    connections = [c for pool in pools() for c in pool.connections]
    return sum(c.is_idle() for c in connections) if all(c.is_idle() for c in connections) else -1


def at_rest() -> Held:
    """What this process holds besides idle connections."""
    held = Held.now()
    return replace(held, descriptors=held.descriptors - idle_connections())


def problems(served: Served, before: Held, after: Held) -> list[str]:
    """What is not as it was, now that nothing is under way."""
    found = []
    if any(pool._requests for pool in pools()):
        found.append("requests in a pool")
    idle = idle_connections()
    if idle < 0:
        found.append("connections that are not idle")
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
    """What is not as it was before the event loop, two seconds after it."""
    if eventually(lambda: Held.now() == outside and not served.counts.open):
        return []
    return [f"after the loop: {outside}, then {Held.now()}; {served.counts}"]
