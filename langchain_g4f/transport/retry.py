"""May a failed request be repeated, and after how long: pure decisions.

Statuses and waits follow docs/fault-matrix.md, section 1. A service that says when
to come back is obeyed up to a limit; past it the error is the caller's to handle.
"""

from __future__ import annotations

import math
import threading
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from langchain_g4f.core.http import Headers, RetryWhen
from langchain_g4f.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ChallengeError,
)

if TYPE_CHECKING:
    from random import Random

    from langchain_g4f.errors import APIError

_UNAVAILABLE = {502, 503, 504}
_TRANSIENT = _UNAVAILABLE | {408, 500}
_FIRST_S, _CAP_S, _JITTER = 0.5, 8.0, 0.25


def parse_retry_after(headers: Headers, now: float) -> float | None:
    """Seconds the service asks to wait; None where it says nothing usable.

    Args:
        headers: Of the response.
        now: Seconds since the epoch, for a value that is a date.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        date = parsedate_to_datetime(value)
        wait = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return wait if wait > 0 else None


def backoff(attempt: int, random: Random) -> float:
    """Seconds before attempt ``attempt + 1``: 0.5 x 2^n, at most 8, jitter -25 %."""
    return float(min(_FIRST_S * 2**attempt, _CAP_S) * (1 - _JITTER * random.random()))


def may_retry(error: APIError, retry: RetryWhen) -> bool:
    """Whether a request of this kind may be sent again after ``error``."""
    if isinstance(error, (APIConnectionError, APITimeoutError)):
        if not error.is_retryable:
            return False
        return not error.request_sent or retry is RetryWhen.ALWAYS
    if not isinstance(error, APIStatusError) or isinstance(error, ChallengeError):
        return False
    if error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        # services count refused messages, too, and a wait of our own choice prolongs the ban
        return retry is not RetryWhen.NOT_SENT or error.retry_after is not None
    if retry is RetryWhen.ALWAYS:
        return error.status_code in _TRANSIENT
    return retry is RetryWhen.NOT_PROCESSED and error.status_code in _UNAVAILABLE


def wait_before_retry(
    error: APIError, retry: RetryWhen, attempt: int, random: Random, *, longest: float
) -> float | None:
    """Seconds to wait before the request is repeated, or None to give up.

    Args:
        error: The failure.
        retry: The kind of request.
        attempt: Number of attempts made before this one failed.
        random: For the jitter.
        longest: A wait the service asks for is obeyed up to this many seconds.
    """
    if not may_retry(error, retry):
        return None
    asked = error.retry_after if isinstance(error, APIStatusError) else None
    if asked is None:
        return backoff(attempt, random)
    return asked if asked <= longest else None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


class RetryBudget:
    """A quota that all calls of a client share, so an outage is not multiplied.

    A retry costs ``cost``, a success gives one back; at zero nothing is retried.
    """

    def __init__(self, capacity: int = 500, cost: int = 5) -> None:
        self._capacity, self._cost = capacity, cost
        self._left = capacity
        self._mutex = threading.Lock()

    def take(self) -> bool:
        """Pay for a retry, if there is enough left."""
        with self._mutex:
            if self._left < self._cost:
                return False
            self._left -= self._cost
            return True

    def refund(self) -> None:
        """Give a little back after a success."""
        with self._mutex:
            self._left = min(self._left + 1, self._capacity)


__all__ = [
    "RetryBudget",
    "backoff",
    "may_retry",
    "parse_retry_after",
    "wait_before_retry",
]
