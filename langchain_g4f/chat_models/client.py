"""How the calls of a chat model reach its service.

A `Client` is made for one call. What is kept between calls never travels: a copied or unpickled
model starts with a new `ModelState`. The locks and what is known of a server belong to the
process, because any model object may continue a conversation.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.auth.renewal import ModelIdentity, renewed_once
from langchain_g4f.core.cache import Cache
from langchain_g4f.core.callbacks import Caller
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.locks import KeyedLocks
from langchain_g4f.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Generator

    from pydantic import SecretStr

    from langchain_g4f.auth.account import ModelAccount
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.limits import Limits
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.run import arun
    from langchain_g4f.transport.client import AsyncClient, SyncClient

T = TypeVar("T")

_locks = KeyedLocks()
_cache = Cache()


def _uuid() -> str:
    return str(uuid.uuid4())


def _new_locks_in_child() -> None:
    """A lock held by another thread at a fork would never be released in the child."""
    global _locks  # noqa: PLW0603 -- see above
    _locks = KeyedLocks()
    _cache.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_locks_in_child)


class ModelState:
    """What one model object keeps between calls; thread-safe.

    Attributes:
        identity: Who the model is at its service.
        new_id: Makes UUIDs.
        random: Spreads retries.
    """

    def __init__(self, login_source: str = "") -> None:
        self.identity = ModelIdentity(login_source)
        self.new_id: Callable[[], str] = _uuid
        self.random = random.Random()  # noqa: S311 -- it hides nothing
        self._mutex = threading.Lock()
        self._cookies: Cookies | None = None
        self._wrapped: dict[Callable[[Any], Any], tuple[object, Any]] = {}

    def __deepcopy__(self, memo: object) -> ModelState:
        return ModelState(self.identity.source)

    def __reduce__(self) -> tuple[type[ModelState], tuple[()]]:
        return ModelState, ()

    def __repr__(self) -> str:
        return "<ModelState>"

    def context(self, account: ModelAccount, limits: Limits, max_retries: int) -> CallContext:
        """The context of one call."""
        provider = account.provider
        with self._mutex:
            if self._cookies is None:
                session = account.session()
                self._cookies = Cookies(
                    provider.cookie_url,
                    provider.initial_cookies(),
                    limit=limits.sizes.cookies_count,
                    refreshed=account.refresh,
                )
                self._cookies.give(provider.base_url, session)
        return CallContext(
            provider=provider.name,
            limits=limits,
            max_retries=max_retries,
            cookies=self._cookies,
            locks=_locks,
            cache=_cache,
            clock=time.monotonic,
            wall_clock=time.time,
            random=self.random,
            new_id=self.new_id,
        )

    def wrapped(self, http: object, wrap: Callable[[Any], T]) -> T:
        """The wrapper of the caller's HTTP client, with one retry quota for all calls."""
        with self._mutex:
            known, _ = self._wrapped.get(wrap, (None, None))
            if known is not http:
                self._wrapped[wrap] = (http, wrap(http))
            client: T = self._wrapped[wrap][1]
            return client


class Client:
    """Runs the plans of one call.

    Args:
        account: The caller's account.
        state: What the model keeps.
        context: What the call shares with others.
        http: The caller's HTTP clients, sync and async; None for ours.
        proxy: Proxy of our HTTP clients.
        impersonate: Browser that our HTTP clients look like.
        on_login_required: The caller's callback.
    """

    def __init__(
        self,
        account: ModelAccount,
        state: ModelState,
        context: CallContext,
        *,
        http: tuple[object, object],
        proxy: SecretStr | None,
        impersonate: str | None,
        on_login_required: Callable[[str], object] | None,
    ) -> None:
        self._account = account
        self._state = state
        self.context = context
        self.provider = account.provider
        self._http = http
        self._proxy = proxy
        self._impersonate = impersonate
        self._on_login_required = on_login_required

    def run(self, make_plan: Callable[[CallContext], Plan]) -> Generator[Event]:
        """Run a plan, and yield its events; a login that is refused is renewed once."""
        from langchain_g4f.run import run

        return run(self._renewed_once(make_plan), self.context, self._sync_http())

    def arun(self, make_plan: Callable[[CallContext], Plan]) -> arun:
        """Like `run`, on the running event loop."""
        from langchain_g4f.run import arun

        return arun(self._renewed_once(make_plan), self.context, self._async_http())

    def result(self, plan: PlanOf[T]) -> T:
        """What a plan returns; its events are dropped."""
        from langchain_g4f.run import run

        found: list[T] = []
        for _ in run(self._kept(plan, found), self.context, self._sync_http()):
            pass
        return found[0]

    async def aresult(self, plan: PlanOf[T]) -> T:
        """Like `result`."""
        from langchain_g4f.run import arun

        found: list[T] = []
        async with aclosing(
            arun(self._kept(plan, found), self.context, self._async_http())
        ) as events:
            async for _ in events:
                pass
        return found[0]

    def _kept(self, plan: PlanOf[T], found: list[T]) -> Plan:
        try:
            found.append((yield from plan))
        except AuthenticationError as error:
            self._account.explain(error)
            raise

    def _renewed_once(self, make_plan: Callable[[CallContext], Plan]) -> Plan:
        caller = Caller()

        def renew(login_url: str) -> bool:
            callback = self._on_login_required
            ask = None
            if callback is not None:
                ask = lambda: caller.wait(callback(login_url))  # noqa: E731
            return self._account.renew(self.context.cookies, ask)

        return renewed_once(
            partial(make_plan, self.context),
            self._state.identity,
            lambda: f"login of {self._account.file.path.name}",
            renew,
            self._account.explain,
        )

    def _sync_http(self) -> SyncClient:
        from langchain_g4f.transport import client

        if self._http[0] is not None:
            return self._state.wrapped(self._http[0], client.SyncClient)
        settings = client.ClientSettings(self._proxy, impersonate=self._impersonate)
        return client.sync_client(settings)

    def _async_http(self) -> AsyncClient:
        from langchain_g4f.transport import client

        if self._http[1] is not None:
            return self._state.wrapped(self._http[1], client.AsyncClient)
        settings = client.ClientSettings(self._proxy, impersonate=self._impersonate)
        return client.async_client(settings)


__all__ = ["Client", "ModelState"]
