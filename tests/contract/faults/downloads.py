"""Downloads through either driver, and a resolver that answers from a table."""

from __future__ import annotations

import base64
import random
import socket
import time
from collections.abc import Sequence

import pytest

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.cache import Cache
from langchain_g4f.core.chat_request import Media
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.limits import Clocks, Limits
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.core.plan import Plan
from langchain_g4f.media.download import download
from langchain_g4f.run import arun, run
from langchain_g4f.transport import client
from tests.contract.faults.byte_server import Action
from tests.contract.faults.registry import CANARY, PATIENT

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUg==") + bytes(84)
HERE = ("127.0.0.1",)

by_driver = pytest.mark.parametrize("driver", ["run", "arun"])


def context(url: str, clocks: Clocks = PATIENT, retries: int = 2) -> CallContext:
    """A session with a credential for this very server."""
    return CallContext(
        provider="test",
        limits=Limits(clocks=clocks),
        max_retries=retries,
        cookies=Cookies(url, {"hf-chat": CANARY}),
        locks=KeyedLocks(),
        cache=Cache(),
        clock=time.monotonic,
        wall_clock=time.time,
        random=random.Random(0),
        new_id=lambda: "1",
    )


async def fetch(
    driver: str,
    url: str,
    *,
    trusted: Sequence[str] = HERE,
    clocks: Clocks = PATIENT,
    limit: int = 1000,
    settings: client.ClientSettings | None = None,
) -> Media:
    """Download through one of the drivers."""
    found: list[Media] = []

    def plan() -> Plan:
        found.append((yield from download(url, limit=limit, trusted_hosts=trusted)))

    settings = settings or client.ClientSettings()
    if driver == "run":
        list(run(plan(), context(url, clocks), client.sync_client(settings)))
    else:
        async for _ in arun(plan(), context(url, clocks), client.async_client(settings)):
            pass
    return found[0]


def give(body: bytes, content_type: str = "image/png") -> Action:
    """Answer with this body."""
    return lambda exchange: exchange.respond(200, body, content_type=content_type)


def to(location: str) -> Action:
    """Redirect."""
    return lambda exchange: exchange.respond(302, headers=[("Location", location)])


class Resolver:
    """Stands for the system's: names from a table, each look-up the next answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host: str, port: int, *args: int, **kwargs: int) -> list[object]:
        if host.replace(".", "").isdigit() or ":" in host:
            return [*self._real(host, port, *args, **kwargs)]
        self.asked.append(host)
        answers = self.names.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for a in addresses for found in self._real(a, port, *args, **kwargs)]
