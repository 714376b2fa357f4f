"""What a process has learnt of services, with a limit and an age."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
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

    Attributes:
        lock: Reentrant, because the garbage collector may close a call in the middle of a use,
            and the call then uses the cache. The child of a fork needs a new lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._entries: dict[Kind[Any], dict[Key, tuple[Any, float]]] = defaultdict(dict)

    def get(self, kind: Kind[T], key: Key) -> T | None:
        """The value, which becomes the most recently used; None without one."""
        with self.lock:
            now, entries = self._clock(), self._entries[kind]
            value: T | None
            value, expiry = entries.pop(key, (None, now))
            if expiry <= now:
                return None
            entries[key] = (value, expiry)
            return value

    def put(self, kind: Kind[T], key: Key, value: T, max_age_s: float = math.inf) -> None:
        """Keep the value for ``max_age_s`` seconds, and remove what has expired of all kinds."""
        with self.lock:
            now, entries = self._clock(), self._entries[kind]
            entries.pop(key, None)  # a new entry is the last
            entries[key] = (value, now + max_age_s)
            for each in self._entries.copy().values():
                for old in [old for old, (_, expiry) in each.copy().items() if expiry <= now]:
                    each.pop(old, None)
            if len(entries) > kind.limit:
                del entries[next(iter(entries))]

    def pop(self, kind: Kind[T], key: Key) -> T | None:
        """Remove the value and return it; of several threads, one gets it."""
        with self.lock:
            value = self.get(kind, key)
            self._entries[kind].pop(key, None)
            return value

    def clear(self) -> None:
        """Remove all values."""
        with self.lock:
            self._entries.clear()

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))


__all__ = ["Cache", "Key", "Kind"]
