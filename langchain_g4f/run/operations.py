"""What a call asks its driver to do: the few operations that I/O consists of."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Request, ResponseHead
from langchain_g4f.core.limits import Clocks


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
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Acquire:
    """Wait until a lock is granted, or for this long."""

    granted: Future[None]
    seconds: float


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find the addresses of a host, within so many seconds."""

    host: str
    port: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Question:
    """Ask the application; a person may have to answer."""

    ask: Callable[[], bool]


READ, HELD_READ, CLOSE, TURN = Read(), Read(held=True), Close(), Wait(0)
OPERATIONS = frozenset({Open, Tell, Read, Close, Wait, Acquire, LookUp, Question})

Operation = Open | Tell | Read | Close | Wait | Acquire | LookUp | Question
Outcome = ResponseHead | bytes | tuple[str, ...] | bool | None

T = TypeVar("T")
Steps = Generator[Operation | Event, Outcome, T]
"""Yields operations for the driver and events for the caller; returns a T."""

__all__ = [
    "CLOSE",
    "HELD_READ",
    "OPERATIONS",
    "READ",
    "TURN",
    "Acquire",
    "Close",
    "LookUp",
    "Open",
    "Operation",
    "Outcome",
    "Question",
    "Read",
    "Steps",
    "Tell",
    "Wait",
]
