"""A request, repeated where that is allowed, until it is answered with success."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_g4f.core.error_mapping import status_error
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, Response, ResponseHead
from langchain_g4f.core.plan import Sleep
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    G4FError,
    TooLargeError,
)
from langchain_g4f.run.operations import CLOSE, READ, Open, Read, Steps, Tell
from langchain_g4f.transport.retry import parse_retry_after, wait_before_retry

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.limits import Clocks
    from langchain_g4f.core.plan import MakeRequest
    from langchain_g4f.transport.retry import RetryBudget

_SECRET_LENGTH = 8
_MOMENT_S = 0.3
_CUT = ("connect", "pool", "write", "first_event", "silence")
"""Clocks of one request, none of which lasts longer than what is left of the total."""
_HARMLESS = frozenset({"accept", "content-type", "last-event-id", "origin", "referer"})

_log = logging.getLogger("langchain_g4f")


class RequestSender:
    """The requests of one call, which share its total clock.

    Attributes:
        answering: Whether an answer is open and has to be closed.
        unanswered: Whether a request was given away whose answer has not begun.
        phase: What the latest request is for.
    """

    def __init__(self, context: CallContext, budget: RetryBudget) -> None:
        self.answering = False
        self.unanswered = False
        self.phase = ""
        self._cookies_sent = ""
        self._context = context
        self._budget = budget
        self._clocks = context.limits.clocks
        self._sizes = context.limits.sizes
        self._deadline = math.inf
        self._queue_end = 0.0

    def begin(self) -> None:
        """Start the total clock."""
        self._deadline = self._context.clock() + self._clocks.total

    def queue_until(self, end: float) -> None:
        """Wait in a queue until then, however much of the total is left; 0 for no queue."""
        self._queue_end = end

    def extend(self, seconds: float) -> None:
        """Let the total clock stand still for a time that is past."""
        self._deadline += seconds

    def seconds_left(self) -> float:
        """Seconds until the total clock runs out; in a queue, until that of the queue does."""
        return max(self._deadline, self._queue_end) - self._context.clock()

    def check_total(self, now: float, *, request_sent: bool = True) -> None:
        """Raise APITimeoutError if the total clock has run out."""
        if now > self._deadline:
            provider, seconds = self._context.provider, self._clocks.total
            raise APITimeoutError(
                f"{provider}: no complete answer within {round(seconds, 2):g} s",
                kind="total",
                request_sent=request_sent,
                provider=provider,
            )

    def open(self, make_request: MakeRequest, *, redirects: bool = False) -> Steps[ResponseHead]:
        """The head of a successful answer; its body is for the caller to read.

        Args:
            make_request: Makes a new request for each attempt.
            redirects: Whether a redirect is a success.

        Raises:
            APIError: The last failure; it names provider and phase.
        """
        attempt = 0
        self.unanswered = False
        if self.answering:  # the plan recovered from an error in the midst of an answer
            yield from self.close()
        while True:
            request = make_request()
            self.phase = request.phase
            error: APIError
            try:
                head = yield from self._exchange(request, self._clocks)
                if 200 <= head.status < (400 if redirects else 300):
                    self._budget.refund()
                    return head
                error = yield from self._refused(head, request)
            except (APIConnectionError, APITimeoutError) as exc:
                error = exc
                error.provider, error.phase = self._context.provider, request.phase
            yield from self.close()
            wait = self._wait_before_retry(error, request, attempt)
            if wait is None:
                raise error
            attempt += 1
            yield Progress("retry", str(error), {"attempt": attempt, "wait_s": wait})
            yield Sleep(wait)

    def read_whole(self, limit: int, *, cut: bool = False) -> Steps[bytes]:
        """The rest of the body, at most ``limit`` bytes.

        Args:
            limit: Number of bytes.
            cut: Leave out what is beyond the limit, instead of TooLargeError.
        """
        body = bytearray()
        while isinstance(data := (yield READ), bytes):
            body += data
            self.check_total(self._context.clock())
            if len(body) > limit:
                if cut:
                    break
                raise TooLargeError(f"the response is larger than {limit} bytes")
        return bytes(body[:limit])

    def clean_up_until(self) -> float:
        """When all that is sent at the end of the call has to be over.

        The clock for that is cut to what is left of the total, but for a moment in which a
        service that is there can be told.
        """
        within = min(self._clocks.abort, max(self.seconds_left(), _MOMENT_S))
        return self._context.clock() + within

    def stop_open(self, make_request: MakeRequest, until: float) -> Steps[None]:
        """Have the open answer stopped by a request beside it, and drop what it still brings.

        Args:
            make_request: Makes the request.
            until: The deadline, on the clock of the session.
        """
        self._deadline, self._queue_end = until, 0.0
        request = make_request()
        cookies = self._context.cookies.header_for(request.url)
        with suppress(G4FError):
            yield Tell(_with_cookies(request, cookies), self._cut(self._clocks))
            while isinstance((yield Read(self.seconds_left())), bytes):
                pass
        with suppress(G4FError):
            yield from self.close()

    def quietly(self, make_request: MakeRequest, until: float) -> Steps[None]:
        """Send a request whose outcome is of no interest, with a deadline of its own.

        Args:
            make_request: Makes the request.
            until: The deadline, on the clock of the session.
        """
        clocks = replace(self._clocks, total=max(until - self._context.clock(), 0.001))
        deadline, self._deadline, self._queue_end = self._deadline, until, 0.0
        try:
            head = yield from self._exchange(make_request(), clocks)
            _log.debug("%s: clean-up answered %d", self._context.provider, head.status)
            yield from self.read_whole(self._sizes.error_body, cut=True)
        except G4FError as exc:
            _log.debug("%s: clean-up failed: %s", self._context.provider, exc)
        with suppress(G4FError):
            yield from self.close()
        self._deadline = deadline

    def close(self) -> Steps[None]:
        """Close the answer that is open."""
        yield CLOSE
        self.answering, self._queue_end = False, 0.0

    def _exchange(self, request: Request, clocks: Clocks) -> Steps[ResponseHead]:
        """Send one request with the identity's cookies, and keep those it sets."""
        self.check_total(self._context.clock(), request_sent=False)
        clocks = self._cut(clocks)
        # whoever is asked at a given address is not the service
        cookies = None if request.address else self._context.cookies
        version = cookies.version if cookies is not None else 0
        self.answering = self.unanswered = True
        self._cookies_sent = "" if cookies is None else cookies.header_for(request.url)
        request = _with_cookies(request, self._cookies_sent)
        head = yield Open(request, clocks)
        if not isinstance(head, ResponseHead):
            raise TypeError(head)
        self.unanswered = False
        # what comes late, to an identity that was renewed meanwhile, must not undo that
        if cookies is not None and cookies.version == version:
            accepted = 200 <= head.status < 300
            cookies.store(request.url, head.headers.get_all("set-cookie"), accepted=accepted)
        return head

    def _cut(self, clocks: Clocks) -> Clocks:
        """These clocks, none longer than what is left of the call."""
        left = max(self.seconds_left(), 0.001)
        return replace(clocks, **{name: min(getattr(clocks, name), left) for name in _CUT})

    def _refused(self, head: ResponseHead, request: Request) -> Steps[APIError]:
        """The error for a status other than 2xx, with what its body says."""
        body = b""
        with suppress(APIError):
            body = yield from self.read_whole(self._sizes.error_body, cut=True)
        error = status_error(
            Response(head.status, head.headers, head.url, body),
            provider=self._context.provider,
            phase=request.phase,
            secrets=self._secrets(request),
        )
        error.retry_after = parse_retry_after(head.headers, self._context.wall_clock())
        return error

    def _secrets(self, request: Request) -> list[str]:
        """The credentials of a request, and the cookies that the answer has made of them.

        A value that is a word proves nothing if it is repeated.
        """
        now = self._context.cookies.header_for(request.url)
        pairs = f"{self._cookies_sent}; {now}".split("; ")
        values = [pair.partition("=")[2] for pair in pairs]
        for name, value in request.headers.items():
            if name not in _HARMLESS:
                values.append(value.rpartition(" ")[2])  # without its scheme
        return [value for value in values if len(value) >= _SECRET_LENGTH]

    def _wait_before_retry(self, error: APIError, request: Request, attempt: int) -> float | None:
        """Seconds until the next attempt; None if there must not be one."""
        if attempt >= self._context.max_retries:
            return None
        if request.final and isinstance(error, APIStatusError) and request.final in error.body:
            return None
        wait = wait_before_retry(
            error,
            request.retry,
            attempt,
            self._context.random,
            longest=self._sizes.retry_after_s,
        )
        if wait is None or wait >= self.seconds_left() or not self._budget.take():
            return None
        return wait


def _with_cookies(request: Request, cookies: str) -> Request:
    if not cookies:
        return request
    return replace(request, headers={**request.headers, "cookie": cookies})


__all__ = ["RequestSender"]
