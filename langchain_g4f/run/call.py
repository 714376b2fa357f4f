"""One call, without I/O: what a plan's effects mean, and what is owed at the end.

However a call ends (complete, closed, cancelled, failed), `Call.ending` follows: close
the answer, tell the service to stop if its run is unfinished, send what was deferred,
release the locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    G4FError,
    StreamInterruptedError,
)
from langchain_g4f.plan import (
    Defer,
    Lock,
    MakeRequest,
    Plan,
    Result,
    Send,
    Session,
    Sleep,
    Stream,
    StreamEnd,
)
from langchain_g4f.run.answer import Answer
from langchain_g4f.run.operations import CLOSE, Acquire, Steps, Wait
from langchain_g4f.run.requests import Requests
from langchain_g4f.transport.exchange import check_coding
from langchain_g4f.wire import Response

if TYPE_CHECKING:
    from concurrent.futures import Future

    from langchain_g4f.transport.retry import RetryBudget


class Call:
    """Runs a plan by yielding operations.

    Args:
        plan: What to do.
        session: What the call shares with others of its model.
        budget: The retry quota of its client.
    """

    def __init__(self, plan: Plan, session: Session, budget: RetryBudget) -> None:
        self._plan = plan
        self._session = session
        self._requests = Requests(session, budget)
        self._abort: MakeRequest | None = None
        self._begun = False
        self._deferred: list[MakeRequest] = []
        self._held: list[str] = []
        self._wanted: tuple[str, Future[None]] | None = None

    def steps(self) -> Steps[None]:
        """Run the plan to its end; failures are raised at its effects."""
        result: Result = None
        error: G4FError | None = None
        while True:
            try:
                if error is None:
                    effect = self._plan.send(result)
                else:
                    effect, error = self._plan.throw(error), None
            except StopIteration:
                return
            result = None
            try:
                match effect:
                    case Send():
                        result = yield from self._send(effect)
                    case Stream():
                        result = yield from self._stream(effect)
                    case Defer():
                        self._deferred.append(effect.make_request)
                    case Lock():
                        yield from self._lock(effect.key)
                    case Sleep():
                        yield Wait(min(effect.seconds, max(0.0, self._requests.seconds_left)))
                    case _:
                        yield effect
            except G4FError as exc:
                error = exc

    def ending(self, *, request_sent: bool) -> Steps[None]:
        """Everything the call owes when it is over.

        Args:
            request_sent: Whether the last request may have reached the service.
        """
        self._plan.close()
        try:
            if self._requests.answering:
                yield CLOSE
            if self._abort is not None and (self._begun or request_sent):
                yield from self._requests.quietly(self._abort)
            for make_request in reversed(self._deferred):
                yield from self._requests.quietly(make_request)
        finally:
            self._release()

    def _send(self, effect: Send) -> Steps[Response]:
        head = yield from self._requests.open(effect.make_request)
        check_coding(head)
        body = yield from self._requests.read_whole(self._session.limits.sizes.response)
        yield from self._requests.close()
        return Response(head.status, head.headers, head.url, body)

    def _stream(self, effect: Stream) -> Steps[StreamEnd]:
        self._abort, self._begun = effect.abort, False
        try:
            head = yield from self._requests.open(effect.make_request)
        except APIError as exc:
            if not _may_have_begun(exc):
                self._abort = None
            raise
        self._begun = True
        check_coding(head)
        decoder = effect.make_decoder(head)
        answer = Answer(decoder, self._session, self._requests.check_total)
        cut: StreamInterruptedError | None = None
        try:
            yield from answer.pump()
        except APIError as exc:
            exc.provider = self._session.provider
            exc.partial_text = answer.text
            if not isinstance(exc, StreamInterruptedError):
                raise
            cut = exc
        finally:
            if decoder.finished:
                self._abort = None
        yield from self._requests.close()
        return StreamEnd(answer.text, cut)

    def _lock(self, key: str) -> Steps[None]:
        granted = self._session.locks.acquire(key)
        self._wanted = (key, granted)
        yield Acquire(granted, self._requests.seconds_left)
        self._wanted = None
        self._held.append(key)

    def _release(self) -> None:
        if self._wanted is not None:
            key, granted = self._wanted
            if not granted.cancel():
                self._held.append(key)
        for key in self._held:
            self._session.locks.release(key)
        self._held.clear()


def _may_have_begun(error: APIError) -> bool:
    """Whether the service may be at work although its answer did not begin."""
    return isinstance(error, (APIConnectionError, APITimeoutError)) and error.request_sent


__all__ = ["Call"]
