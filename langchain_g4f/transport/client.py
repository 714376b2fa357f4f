"""Builds the HTTP clients and keeps them where they can be used.

A sync client serves all threads, an async one the event loop it was made on. Both
are shared by all models with the same settings, and made at first use. A loop that
shuts down closes its clients; those of a loop that was merely closed are dropped
at the next use, and a forked child starts with none.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import SecretStr

from langchain_g4f.errors import ConfigurationError, MissingDependencyError
from langchain_g4f.transport.async_transport import AsyncExchange
from langchain_g4f.transport.exchange import for_ever
from langchain_g4f.transport.http_library import hide_secrets
from langchain_g4f.transport.retry import RetryBudget
from langchain_g4f.transport.sync_transport import SyncExchange

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=50)
_NO_REUSE = httpx.Limits(max_connections=1000, max_keepalive_connections=0)
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_GRACE_S = 3.0

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

hide_secrets()


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What clients differ in; models with equal settings share one.

    Attributes:
        proxy: URL of a proxy, credentials included.
        direct: No proxy, not even one that the environment names, and no connection
            that is used twice: what was agreed on with one host is not for another,
            though they may share an address.
        impersonate: The browser whose TLS and HTTP/2 are to be seen on the wire, by
            the name curl_cffi has for it; None for those of Python.
    """

    proxy: SecretStr | None = None
    direct: bool = False
    impersonate: str | None = None


_DIRECT = ClientSettings(direct=True)


class SyncClient:
    """An ``httpx.Client`` and the retry quota of those who use it."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.budget = RetryBudget()

    @property
    def direct(self) -> httpx.Client:
        """The client for requests to a given address."""
        return sync_client(_DIRECT).http

    def exchange(self, left: Callable[[], float] = for_ever) -> SyncExchange:
        """A connection for one call, which has so many seconds ``left``."""
        return SyncExchange(self, left)


class AsyncClient:
    """An ``httpx.AsyncClient``, its retry quota and its calls under way."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.budget = RetryBudget()
        self._calls = 0
        self._idle = asyncio.Event()

    @property
    def direct(self) -> httpx.AsyncClient:
        """The client for requests to a given address."""
        return async_client(_DIRECT).http

    def exchange(self, left: Callable[[], float] = for_ever) -> AsyncExchange:
        """A connection for one call, which has so many seconds ``left``."""
        return AsyncExchange(self, left)

    def enter(self) -> None:
        """A call begins."""
        self._calls += 1
        self._idle.clear()

    def leave(self) -> None:
        """A call has ended, its clean-up included."""
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def close(self) -> None:
        """Close once the calls under way have ended, at most a few seconds later."""
        if self._calls:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await self._idle.wait()
        await self.http.aclose()


@dataclass(slots=True)
class _LoopClients:
    clients: dict[ClientSettings, AsyncClient]
    keeper: AsyncGenerator[None, None]


_mutex = threading.Lock()
_sync: dict[ClientSettings, SyncClient] = {}
_async: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
_of_the_parent: list[object] = []


def sync_client(settings: ClientSettings) -> SyncClient:
    """The process's client with these settings."""
    with _mutex:
        if settings not in _sync:
            _sync[settings] = SyncClient(_built(httpx.Client, settings))
        return _sync[settings]


def async_client(settings: ClientSettings) -> AsyncClient:
    """The running event loop's client with these settings."""
    loop = asyncio.get_running_loop()
    with _mutex:
        for other in [other for other in _async if other.is_closed()]:
            del _async[other]
        if loop not in _async:
            clients: dict[ClientSettings, AsyncClient] = {}
            _async[loop] = _LoopClients(clients, _start(_keep(loop, clients)))
        clients = _async[loop].clients
        if settings not in clients:
            clients[settings] = AsyncClient(_built(httpx.AsyncClient, settings))
        return clients[settings]


async def _keep(
    loop: asyncio.AbstractEventLoop, clients: dict[ClientSettings, AsyncClient]
) -> AsyncGenerator[None, None]:
    """Suspended until the loop shuts down its async generators; closes the clients."""
    try:
        yield
    finally:
        with _mutex:
            _async.pop(loop, None)
        for client in clients.values():
            await client.close()


def _start(generator: AsyncGenerator[None, None]) -> AsyncGenerator[None, None]:
    """Run to the first ``yield``, which registers the generator with its loop."""
    with suppress(StopIteration):
        generator.__anext__().send(None)
    return generator


def _built(kind: Callable[..., C], settings: ClientSettings) -> C:
    """An HTTP client with these settings; what httpx knows of a proxy stays in its frames."""
    if settings.impersonate is not None:
        return kind(**_impersonating(kind, settings.impersonate, _proxy(settings)))
    arguments = _arguments(settings)
    with suppress(ImportError):
        return kind(**arguments)
    msg = "a SOCKS proxy needs one more package: pip install 'httpx[socks]'"
    raise MissingDependencyError(msg)


def _arguments(settings: ClientSettings) -> dict[str, Any]:
    return {
        "limits": _NO_REUSE if settings.direct else _LIMITS,
        "cookies": _no_cookies(),
        "proxy": _proxy(settings),
        # a proxy of the environment is for the network, and no way to this very machine
        "mounts": {} if settings.proxy else dict.fromkeys(_LOOPBACK),
        "trust_env": not settings.direct,
        "verify": _ssl_context(),
    }


def _impersonating(
    kind: Callable[..., C], target: str, proxy: httpx.Proxy | None
) -> dict[str, Any]:
    from langchain_g4f.transport import impersonate

    sync = kind is httpx.Client
    transport = impersonate.SyncCurlTransport if sync else impersonate.CurlTransport
    return {
        "transport": transport(impersonate.ImpersonateConfig(target, proxy)),
        "cookies": _no_cookies(),
        # the transport finds the environment's proxies itself
        "trust_env": False,
    }


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _no_cookies() -> CookieJar:
    """A jar that takes nothing: identities belong to models, clients are shared."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _proxy(settings: ClientSettings) -> httpx.Proxy | None:
    if settings.proxy is None:
        return None
    try:
        return httpx.Proxy(settings.proxy.get_secret_value())
    except (ValueError, httpx.InvalidURL):
        pass
    msg = "proxy: expected a URL such as 'http://user:password@host:3128'"
    raise ConfigurationError(msg)


def _forget_in_child() -> None:
    """Sockets are shared with the parent: neither used nor closed in the child."""
    global _mutex  # noqa: PLW0603 -- another thread may have held it at the fork
    _mutex = threading.Lock()
    _of_the_parent.extend((dict(_sync), dict(_async)))
    _sync.clear()
    _async.clear()


@atexit.register
def _close_at_exit() -> None:
    for client in _sync.values():
        client.http.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)

__all__ = ["AsyncClient", "ClientSettings", "SyncClient", "async_client", "sync_client"]
