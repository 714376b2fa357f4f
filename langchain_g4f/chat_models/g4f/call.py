"""One call of a provider: where it is asked, with what, and what a failure means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_g4f.chat_models.g4f.responses import ResponseReader
from langchain_g4f.core.events import Event, ModelInfo, Progress
from langchain_g4f.core.http import RetryWhen
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    APITimeoutError,
    EmptyResponseError,
    G4FError,
)
from langchain_g4f.transport.retry import wait_before_retry

if TYPE_CHECKING:
    from random import Random

    from langchain_g4f.core.limits import Limits
    from langchain_g4f.errors import TimeoutKind

_GRACE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """What a driver needs to know.

    Attributes:
        provider: Name of the provider, for errors.
        start: Asks for an answer: gives an iterator, an awaitable or a value.
        blocks: Whether asking or iterating may block, and so has to be done in a thread.
        model: Whom it asks, as far as that is known.
        reader: Makes what reads an answer.
        limits: The clocks.
        max_retries: How often a call is repeated that failed before anything was given.
        random: For back-off.
        allow_empty: Whether an answer may have nothing in it.
        on_login: Told where to log in when the provider wants that.
        done: Told who answered.
    """

    provider: str
    start: Callable[[], object] = field(repr=False)
    blocks: bool
    model: str
    reader: Callable[[], ResponseReader]
    limits: Limits
    max_retries: int
    random: Random
    allow_empty: bool = False
    on_login: Callable[[str], object] | None = None
    done: Callable[[str], object] = lambda _: None

    @property
    def grace(self) -> float:
        """Seconds that are waited for a thread to end when a call has."""
        return min(self.limits.clocks.abort, _GRACE_S)

    def begin(self) -> Iterator[Event]:
        """What is known before anything is asked."""
        if self.model:
            yield ModelInfo(self.model)

    def end(self, reader: ResponseReader) -> Iterator[Event]:
        """What ends an answer.

        Raises:
            EmptyResponseError: There is nothing in it.
        """
        if not reader.begun and reader.failure is not None:
            raise reader.failed(reader.failure)
        events = [*reader.close()]
        if not (reader.begun or self.allow_empty):
            msg = f"{self.provider}: the answer is empty"
            raise EmptyResponseError(msg, provider=self.provider)
        self.done(reader.model or self.model)
        yield from events

    def wait(self, error: G4FError, attempt: int, spent: float) -> float | None:
        """Seconds until a call that gave nothing is tried again; None for never.

        Args:
            error: What it failed with.
            attempt: Number of attempts before that one.
            spent: Seconds since the first one began.
        """
        if attempt >= self.max_retries or not isinstance(error, APIError):
            return None
        # what was refused was not answered; what broke may have been
        retry = RetryWhen.ALWAYS if isinstance(error, APIStatusError) else RetryWhen.NOT_SENT
        longest = self.limits.sizes.retry_after_s
        wait = wait_before_retry(error, retry, attempt, self.random, longest=longest)
        return None if wait is None or spent + wait > self.limits.clocks.total else wait

    def login(self, event: Event) -> Callable[[], object] | None:
        """What has to be called for an event, if anything."""
        if self.on_login is None or not isinstance(event, Progress):
            return None
        if event.kind != "login_required":
            return None
        tell, url = self.on_login, str(event.data.get("login_url") or "")
        return lambda: tell(url)

    def timeout(self, seconds: float, kind: TimeoutKind) -> APITimeoutError:
        """The error for a clock that ran out."""
        what = {"first_event": "no answer", "idle": "nothing more"}.get(kind, "no whole answer")
        return APITimeoutError(
            f"{self.provider}: {what} within {round(seconds, 2):g} s",
            kind=kind,
            request_sent=True,
            provider=self.provider,
        )


class Clock:
    """How long the next value may take.

    Args:
        call: The call.
        began: When it began, in seconds on the clock that is asked, earlier attempts included.
    """

    def __init__(self, call: ProviderCall, began: float) -> None:
        clocks = call.limits.clocks
        self._call = call
        self._end = began + clocks.total
        self._limit: float = clocks.first_event
        self._idle = clocks.idle
        self._total = clocks.total
        self._kind: TimeoutKind = "first_event"

    def moved(self) -> None:
        """Something arrived."""
        self._kind, self._limit = "idle", self._idle

    def deadline(self, now: float) -> float:
        """When a value that is waited for from now on is too late."""
        return min(now + self._limit, self._end)

    def error(self, now: float) -> APITimeoutError:
        """What has run out."""
        if now >= self._end:
            return self._call.timeout(self._total, "total")
        return self._call.timeout(self._limit, self._kind)


def retry_event(error: G4FError, attempt: int, wait: float) -> Progress:
    """What somebody watching has to know of a repeated call."""
    return Progress("retry", str(error), {"attempt": attempt, "wait_s": wait})


__all__ = ["Clock", "ProviderCall", "retry_event"]
