"""What a stand-in does: values to yield, and steps between them; and what it was asked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """How a provider was called."""

    model: str
    messages: list[dict[str, Any]]
    given: dict[str, Any]
    thread: int = field(default_factory=threading.get_ident)


class Step:
    """Something that is done, and gives nothing."""

    def play(self) -> None:
        """Do it, blocking."""

    async def aplay(self) -> None:
        """Do it on an event loop."""
        self.play()


@dataclass
class Fail(Step):
    """Raises."""

    error: BaseException

    def play(self) -> None:
        raise self.error


@dataclass
class FailFirst(Step):
    """Raises in the first calls, as many as there are errors."""

    errors: list[Exception]

    def play(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class Do(Step):
    """Calls something."""

    action: Callable[[], object]

    def play(self) -> None:
        self.action()


@dataclass
class Pause(Step):
    """Takes its time, in seconds."""

    seconds: float

    def play(self) -> None:
        time.sleep(self.seconds)

    async def aplay(self) -> None:
        await asyncio.sleep(self.seconds)


class Hang(Step):
    """Waits until it is released, or for ever."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def play(self) -> None:
        self.entered.set()
        self.released.wait(30)

    async def aplay(self) -> None:
        self.entered.set()
        await asyncio.Event().wait()
