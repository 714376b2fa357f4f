"""What a call asks its driver to do: the few operations that I/O consists of."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Request, ResponseHead
from langchain_g4f.core.limits import Clocks
from langchain_g4f.core.plan import Ask, Resolve, Sleep


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request and read the head of its answer."""

    request: Request
    clocks: Clocks


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a request beside the answer that is open; what it is answered is dropped."""

    request: Request
    clocks: Clocks


@dataclass(frozen=True, slots=True)
class Read:
    """Read more of the answer; its end, or nothing ``within`` so many seconds, is None.

    A read that is ``held`` leaves the answer open when the caller is cancelled.
    """

    within: float | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """Close the answer."""


@dataclass(frozen=True, slots=True)
class AwaitLock:
    """Wait until a lock is granted, or for so many seconds."""

    granted: Future[None]
    seconds: float


READ, HELD_READ, CLOSE, YIELD = Read(), Read(held=True), Close(), Sleep(0)
OPERATIONS = frozenset({Open, Tell, Read, Close, Sleep, AwaitLock, Resolve, Ask})

Operation = Open | Tell | Read | Close | Sleep | AwaitLock | Resolve | Ask
Outcome = ResponseHead | bytes | tuple[str, ...] | bool | None

T = TypeVar("T")
Steps = Generator[Operation | Event, Outcome, T]
"""Yields operations for the driver and events for the caller; returns a T."""

__all__ = [
    "CLOSE",
    "HELD_READ",
    "OPERATIONS",
    "READ",
    "YIELD",
    "AwaitLock",
    "Close",
    "Open",
    "Operation",
    "Outcome",
    "Read",
    "Steps",
    "Tell",
]
