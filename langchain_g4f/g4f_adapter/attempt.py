"""One attempt to get an answer, without its I/O: events, clocks, and whether to try again."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_g4f.core.events import Event, Progress
from langchain_g4f.core.http import RetryWhen
from langchain_g4f.errors import APIError, APIStatusError, APITimeoutError, G4FError, TimeoutKind
from langchain_g4f.g4f_adapter.request import ProviderCall
from langchain_g4f.g4f_adapter.responses import ResponseReader
from langchain_g4f.transport.retry import wait_before_retry

END = object()
"""Stands for the end of a provider's values."""
NOTHING_YET = object()
"""Stands for a value that did not come in time; no exception, because providers raise their own."""


class Attempt:
    """One attempt to get an answer.

    Args:
        call: The call.
        began: When the call began, in seconds on the driver's clock.
        number: Number of attempts before this one.

    Attributes:
        ended: Whether the answer is complete.
    """

    def __init__(self, call: ProviderCall, began: float, number: int) -> None:
        self.ended = False
        self._call = call
        self._began = began
        self._number = number
        self._reader = ResponseReader(call)
        self._clocks = call.limits.clocks
        self._kind: TimeoutKind = "first_event"
        self._seconds = self._clocks.first_event

    def read(self, value: object) -> Iterable[Event]:
        """The events of a value, or of `END`.

        Raises:
            G4FError: The answer is too large, or has nothing in it.
        """
        self._kind, self._seconds = "idle", self._clocks.idle
        if value is not END:
            return self._reader.read(value)
        events = self._reader.close()
        self.ended = True
        return events

    def failed(self, error: Exception) -> G4FError:
        """Our error for one that ended the attempt."""
        return self._reader.failed(error)

    def deadline(self, now: float) -> float:
        """When the next value comes too late, if the wait begins now."""
        return min(now + self._seconds, self._began + self._clocks.total)

    def timeout(self, now: float) -> APITimeoutError:
        """The error for the clock that has run out."""
        kind, seconds = self._kind, self._seconds
        if now >= self._began + self._clocks.total:
            kind, seconds = "total", self._clocks.total
        what = {"first_event": "no answer", "idle": "nothing more"}.get(kind, "no whole answer")
        provider = self._call.provider
        msg = f"{provider}: {what} within {round(seconds, 2):g} s"
        return APITimeoutError(msg, kind=kind, request_sent=True, provider=provider)

    def wait_before_retry(self, error: G4FError, now: float) -> float | None:
        """Seconds until the next attempt; None for no further attempt."""
        call, number = self._call, self._number
        if self._reader.begun or number >= call.max_retries or not isinstance(error, APIError):
            return None
        # a refused question was not answered; one on a broken connection may have been
        retry = RetryWhen.ALWAYS if isinstance(error, APIStatusError) else RetryWhen.NOT_SENT
        longest = call.limits.sizes.retry_after_s
        wait = wait_before_retry(error, retry, number, call.random, longest=longest)
        spent = now - self._began
        return None if wait is None or spent + wait > self._clocks.total else wait

    def retry_event(self, error: G4FError, wait: float) -> Progress:
        """Tells that the call is made again."""
        return Progress("retry", str(error), {"attempt": self._number + 1, "wait_s": wait})


__all__ = ["END", "NOTHING_YET", "Attempt"]
