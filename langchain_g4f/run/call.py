"""One call, without I/O: what a plan's effects mean, and what is owed at the end.

However a call ends (complete, closed, cancelled, failed), `Call.ending` follows: close
the answer, tell the service to stop if its run is unfinished, send what was deferred,
release the locks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from langchain_g4f.core.context import CallContext
from langchain_g4f.core.http import Response
from langchain_g4f.core.plan import (
    Ask,
    Defer,
    Effect,
    Lock,
    MakeRequest,
    Plan,
    Resolve,
    Result,
    Send,
    Sleep,
    Stream,
    StreamEnd,
    Unlock,
)
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    G4FError,
    StreamInterruptedError,
)
from langchain_g4f.run.operations import CLOSE, AwaitLock, Steps
from langchain_g4f.run.request_sender import RequestSender
from langchain_g4f.run.stream_reader import StreamReader
from langchain_g4f.transport.exchange import check_coding, check_length

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from langchain_g4f.transport.retry import RetryBudget

_LOOK_S = 0.5
"""How often a call that waits for a lock looks whether its holder is gone."""


class Call:
    """Runs a plan by yielding operations.

    Args:
        plan: What to do.
        context: What the call shares with others of its model.
        budget: The retry quota of its client.

    Attributes:
        gone: Whether the call can never go on, nor end; its locks are given to others then.
    """

    def __init__(self, plan: Plan, context: CallContext, budget: RetryBudget) -> None:
        self.gone: Callable[[], bool] = lambda: False
        self._plan = plan
        self._context = context
        self._sender = RequestSender(context, budget)
        self._abort: MakeRequest | None = None
        self._abort_if_sent: MakeRequest | None = None
        self._abort_while_open = False
        self._deferred: list[MakeRequest] = []
        self._held: dict[str, Future[None]] = {}
        self._delivered = False

    def seconds_left(self) -> float:
        """Seconds until the deadline of what is under way; may be asked in any thread."""
        return self._sender.seconds_left()

    def steps(self) -> Steps[None]:
        """Run the plan to its end; failures are raised at its effects."""
        result: Result = None
        error: G4FError | None = None
        self._sender.begin()
        while True:
            try:
                if error is None:
                    effect = self._plan.send(result)
                else:
                    effect, error = self._plan.throw(error), None
            except StopIteration:
                return
            except APIError as exc:
                self._complete(exc)
                raise
            result = None
            try:
                if isinstance(effect, Effect):
                    result = yield from self._perform(effect)
                else:
                    yield effect
            except G4FError as exc:
                error = exc
                self._complete(exc)

    def _perform(self, effect: Effect) -> Steps[Result]:
        match effect:
            case Send():
                return (yield from self._send(effect))
            case Stream():
                return (yield from self._stream(effect))
            case Defer():
                self._deferred.append(effect.make_request)
            case Lock():
                yield from self._lock(effect.key)
            case Unlock():
                self._context.locks.release(effect.key, self._held.pop(effect.key))
            case Sleep():
                yield Sleep(min(effect.seconds, max(0.0, self._sender.seconds_left())))
            case Ask():
                return (yield from self._ask(effect))
            case Resolve():
                return (yield from self._resolve(effect))
            case _:
                assert_never(effect)
        return None

    def ending(self, *, request_sent: bool) -> Steps[None]:
        """Everything the call owes when it is over.

        Args:
            request_sent: Whether the last request may have reached the service.
        """
        try:
            try:
                self._plan.close()
            finally:
                yield from self._clean_up(request_sent=request_sent)
        finally:
            for key, granted in self._held.items():
                self._context.locks.release(key, granted)

    def _clean_up(self, *, request_sent: bool) -> Steps[None]:
        abort = self._abort
        if request_sent and self._sender.unanswered:
            abort = self._abort_if_sent or abort
        requests, open_still = self._sender, False
        if self._abort_while_open:
            open_still = requests.answering and not requests.unanswered
            abort = abort if open_still else None
        if requests.answering and not (open_still and abort):
            yield CLOSE
        owed = [*filter(None, [abort]), *reversed(self._deferred)]
        end, clock = requests.clean_up_until(), self._context.clock
        for number, make_request in enumerate(owed):  # one that hangs leaves the others their part
            until = clock() + (end - clock()) / (len(owed) - number)
            if open_still and make_request is abort:
                yield from requests.stop_open(make_request, until)
            else:
                yield from requests.quietly(make_request, until)

    def _send(self, effect: Send) -> Steps[Response]:
        head = yield from self._sender.open(effect.make_request, redirects=effect.redirects)
        body = b""
        if head.status < 300:
            check_coding(head)
            limit = self._context.limits.sizes.response
            limit = limit if effect.limit is None else min(limit, effect.limit)
            check_length(head, limit)
            body = yield from self._sender.read_whole(limit)
        yield from self._sender.close()
        return Response(head.status, head.headers, head.url, body)

    def _stream(self, effect: Stream) -> Steps[StreamEnd]:
        self._abort_if_sent = effect.abort
        self._abort_while_open = effect.abort_while_open
        self._delivered = self._delivered or effect.already_started
        if effect.already_started:
            given_up, self._abort = self._abort, effect.abort
            if given_up is not None:  # another run, which the plan has given up for this one
                until = self._sender.clean_up_until()
                yield from self._sender.quietly(given_up, until)
        try:
            head = yield from self._sender.open(effect.make_request)
        except G4FError as exc:
            self._abort_if_sent = None
            if effect.already_started or _may_have_begun(exc):
                self._abort = effect.abort
            raise
        self._delivered = True
        self._abort, self._abort_if_sent = effect.abort, None
        check_coding(head)
        decoder = effect.make_decoder(head)
        held = effect.abort_while_open
        answer = StreamReader(decoder, self._context, self._sender, held=held)
        cut: StreamInterruptedError | None = None
        try:
            yield from answer.events()
        except APIError as exc:
            exc.partial_text = answer.text
            if not isinstance(exc, StreamInterruptedError):
                raise
            cut = exc
        finally:
            if decoder.finished:
                self._abort = None
        yield from self._sender.close()
        return StreamEnd(answer.text, cut)

    def _ask(self, effect: Ask) -> Steps[bool]:
        """Ask; the total clock does not run for people. A message that was taken stays sent."""
        if self._delivered:
            return False
        begun = self._context.clock()
        answer = yield effect
        self._sender.extend(self._context.clock() - begun)
        return bool(answer)

    def _resolve(self, effect: Resolve) -> Steps[tuple[str, ...]]:
        self._sender.check_total(self._context.clock(), request_sent=False)
        within = max(0.0, self._sender.seconds_left())
        addresses = yield replace(effect, seconds=within)
        if not isinstance(addresses, tuple):
            raise TypeError(addresses)
        return addresses

    def _lock(self, key: str) -> Steps[None]:
        if key in self._held:
            return
        locks, left = self._context.locks, self._sender.seconds_left()
        granted = locks.acquire(key, self.gone)
        try:
            while not granted.done():
                if left <= 0:
                    seconds = self._context.limits.clocks.total
                    msg = f"another call did not end within {seconds:g} s"
                    raise APITimeoutError(msg, kind="total")
                yield AwaitLock(granted, min(left, _LOOK_S))
                locks.look(key)
                left -= _LOOK_S
        finally:
            if not granted.cancel():  # it was granted, if perhaps too late to be of use
                self._held[key] = granted

    def _complete(self, error: G4FError) -> None:
        """Say where it happened, if the error does not."""
        if isinstance(error, APIError):
            error.provider = error.provider or self._context.provider
            error.phase = error.phase or self._sender.phase


def _may_have_begun(error: G4FError) -> bool:
    """Whether the service may be at work although its answer did not begin."""
    return isinstance(error, (APIConnectionError, APITimeoutError)) and error.request_sent


__all__ = ["Call"]
