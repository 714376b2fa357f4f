"""What the calls of one model object share: identity, limits, locks, cache, clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from random import Random

    from langchain_g4f.core.cache import Cache
    from langchain_g4f.core.limits import Limits
    from langchain_g4f.core.locks import KeyedLocks


class CookieStore(Protocol):
    """The cookies of one identity, each confined to its own domain."""

    @property
    def version(self) -> int:
        """Grows when the identity has changed."""
        ...

    def renew(self, fresh: Mapping[str, str]) -> bool:
        """Take ``fresh`` cookies; False if they were given before."""
        ...

    def give(self, url: str, cookies: Mapping[str, str]) -> bool:
        """Add cookies of another server, for its host and port; False if they were there."""
        ...

    def header_for(self, url: str) -> str:
        """The value of the ``Cookie`` header for ``url``, or an empty string."""
        ...

    def store(self, url: str, set_cookie: list[str], *, accepted: bool = False) -> None:
        """Keep what a response to ``url`` set, if it may; one that took the request is accepted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What a call shares with the other calls of the same model object.

    Attributes:
        provider: Name of the provider, for errors.
        limits: Clocks and sizes.
        max_retries: How often a failed request is repeated at most.
        cookies: The identity.
        locks: Held from a `Lock` effect to the end of the call.
        cache: What the process has learnt of services.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
        random: For back-off; its numbers come again in each child of a fork.
        new_id: Makes UUIDs.
    """

    provider: str
    limits: Limits
    max_retries: int
    cookies: CookieStore
    locks: KeyedLocks
    cache: Cache
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    random: Random
    new_id: Callable[[], str]

    def __repr__(self) -> str:
        return f"<Session {self.provider}>"


__all__ = ["CallContext", "CookieStore"]
