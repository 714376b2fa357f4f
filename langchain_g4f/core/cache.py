"""What a process has learnt of services, with a bound and an age."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Key = str | tuple[str, ...]
"""Address that a value comes from, and the identity where it depends on who asks."""


@dataclass(frozen=True, eq=False)
class Kind(Generic[T]):
    """A kind of cached values, such as GPU tokens, with keys of its own.

    Attributes:
        limit: Number of values above which the least recently used one is removed.
    """

    limit: int = 256


class Cache:
    """Values by kind and key; thread-safe.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[Kind[Any], dict[Key, tuple[Any, float]]] = {}
        self._next_expiry = math.inf
        self.reset_lock()

    def reset_lock(self) -> None:
        """Free the lock in the child of a fork, where the thread that held it does not run."""
        # Reentrant: the garbage collector may close a call at any time, which then puts a session.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return sum(map(len, self._values.values()))

    def get(self, kind: Kind[T], key: Key) -> T | None:
        """The value, which is now the most recently used; None if there is none."""
        with self._lock:
            values = self._current(kind)
            if key not in values:
                return None
            values[key] = entry = values.pop(key)  # to the end: the first is the oldest
            value: T = entry[0]
            return value

    def put(self, kind: Kind[T], key: Key, value: T, max_age_s: float = math.inf) -> None:
        """Keep the value for at most ``max_age_s`` seconds."""
        with self._lock:
            values = self._current(kind)
            expiry = self._clock() + max_age_s
            values.pop(key, None)
            values[key] = (value, expiry)
            self._next_expiry = min(self._next_expiry, expiry)
            if len(values) > kind.limit:
                del values[next(iter(values))]

    def pop(self, kind: Kind[T], key: Key) -> T | None:
        """Remove the value and return it; of several threads, one gets it."""
        with self._lock:
            value: T | None = self._current(kind).pop(key, (None, 0.0))[0]
            return value

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._values.clear()

    def _current(self, kind: Kind[Any]) -> dict[Key, tuple[Any, float]]:
        """The values of a kind, after the expired ones of all kinds are removed."""
        now = self._clock()
        if now >= self._next_expiry:
            for values in self._values.copy().values():
                for key, (_, expiry) in values.copy().items():
                    if expiry <= now:
                        values.pop(key, None)
            left = (expiry for values in self._values.values() for _, expiry in values.values())
            self._next_expiry = min(left, default=math.inf)
        return self._values.setdefault(kind, {})


__all__ = ["Cache", "Key", "Kind"]
