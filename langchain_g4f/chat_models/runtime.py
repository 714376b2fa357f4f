"""What a model object keeps between calls: identity, locks, the list of models.

It is made at first use and never travels: a copied or unpickled model starts anew.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from typing import TYPE_CHECKING

from langchain_g4f.auth.cookies import Cookies
from langchain_g4f.locks import KeyedLocks
from langchain_g4f.plan import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_g4f.limits import Limits

MODELS_TTL_S = 300.0
"""How long a list of models is kept."""


class Runtime:
    """State of one model object; thread-safe."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self._models_at = 0.0
        self._mutex = threading.Lock()
        self._cookies: Cookies | None = None
        self._locks = KeyedLocks()
        self._random = random.Random()  # noqa: S311 -- spreads retries, hides nothing

    def __deepcopy__(self, memo: object) -> Runtime:
        return Runtime()

    def __reduce__(self) -> tuple[type[Runtime], tuple[()]]:
        return Runtime, ()

    def __repr__(self) -> str:
        return "<Runtime>"

    def session(
        self,
        provider: str,
        limits: Limits,
        max_retries: int,
        url: str,
        secrets: Callable[[], dict[str, str]],
    ) -> Session:
        """What the calls of the model share, with the settings of this one."""
        with self._mutex:
            if self._cookies is None:
                self._cookies = Cookies(url, secrets(), limit=limits.sizes.cookies_count)
        return Session(
            provider=provider,
            limits=limits,
            max_retries=max_retries,
            cookies=self._cookies,
            locks=self._locks,
            clock=time.monotonic,
            wall_clock=time.time,
            random=self._random,
            new_id=lambda: str(uuid.uuid4()),
        )

    def models_are_fresh(self) -> bool:
        """Whether the list of models needs no new look."""
        return bool(self.models) and time.monotonic() - self._models_at < MODELS_TTL_S

    def keep_models(self, models: list[str]) -> list[str]:
        """Remember the list; returns a copy."""
        self.models, self._models_at = list(models), time.monotonic()
        return list(models)


__all__ = ["Runtime"]
