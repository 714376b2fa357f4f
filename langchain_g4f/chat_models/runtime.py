"""What is kept between calls: of a model object its identity and the list of models.

That never travels: a copied or unpickled model starts anew. The locks and what is
known of a server belong to the process, for a conversation may be continued by any
model object.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.locks import KeyedLocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_g4f.core.limits import Limits

MODELS_TTL_S = 300.0
"""How long a list of models is kept."""


C = TypeVar("C")

_locks = KeyedLocks()
_memory: dict[str, object] = {}


def _uuid() -> str:
    return str(uuid.uuid4())


def _new_locks_in_child() -> None:
    """A lock held by another thread at a fork would never be released in the child."""
    global _locks  # noqa: PLW0603 -- see above
    _locks = KeyedLocks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_locks_in_child)


class Runtime:
    """State of one model object; thread-safe.

    Attributes:
        models: What the service listed last.
        new_id: Makes UUIDs.
        identity: Grows when the caller has become another one.
        renewals: How often that was tried.
    """

    def __init__(self) -> None:
        self.identity = 0
        self.renewals = 0
        self.models: list[str] = []
        self.new_id: Callable[[], str] = _uuid
        self._models_at = 0.0
        self._mutex = threading.Lock()
        self._cookies: Cookies | None = None
        self._own: dict[Callable[[Any], Any], tuple[object, Any]] = {}
        self._random = random.Random()  # noqa: S311 -- spreads retries, hides nothing

    def __deepcopy__(self, memo: object) -> Runtime:
        return Runtime()

    def __reduce__(self) -> tuple[type[Runtime], tuple[()]]:
        return Runtime, ()

    def __repr__(self) -> str:
        return "<Runtime>"

    def context(
        self,
        provider: str,
        limits: Limits,
        max_retries: int,
        *,
        url: str,
        secrets: Callable[[], dict[str, str]],
        refreshed: Callable[[Mapping[str, str], Mapping[str, str]], None],
    ) -> CallContext:
        """What the calls of the model share, with the settings of this one."""
        with self._mutex:
            if self._cookies is None:
                limit = limits.sizes.cookies_count
                self._cookies = Cookies(url, secrets(), limit=limit, refreshed=refreshed)
        return CallContext(
            provider=provider,
            limits=limits,
            max_retries=max_retries,
            cookies=self._cookies,
            locks=_locks,
            memory=_memory,
            clock=time.monotonic,
            wall_clock=time.time,
            random=self._random,
            new_id=self.new_id,
        )

    def own(self, http: object, wrap: Callable[[Any], C]) -> C:
        """What goes with an HTTP client of the user's: one retry quota, for one."""
        with self._mutex:
            known, _ = self._own.get(wrap, (None, None))
            if known is not http:
                self._own[wrap] = (http, wrap(http))
            client: C = self._own[wrap][1]
            return client

    def models_are_fresh(self) -> bool:
        """Whether the list of models needs no new look."""
        return bool(self.models) and time.monotonic() - self._models_at < MODELS_TTL_S

    def keep_models(self, models: list[str]) -> list[str]:
        """Remember the list; returns a copy."""
        self.models, self._models_at = list(models), time.monotonic()
        return list(models)


__all__ = ["Runtime"]
