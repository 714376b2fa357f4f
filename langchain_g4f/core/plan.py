"""The language in which providers describe a conversation; no I/O happens here.

A *plan* is a generator that yields *effects* and *events*. The driver performs each
effect and sends its result back in; a failure is raised at the ``yield``, so a plan
recovers with ``try``/``except`` where recovery is part of the protocol. Events go to
the caller. `send`, `stream` and `resolve` give ``yield from`` its type. A plan must not
yield while it is being closed: what has to happen at the end of a call in any case is
a `Defer`, given beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from langchain_g4f.core.events import Event
from langchain_g4f.core.http import Request, Response, ResponseHead
from langchain_g4f.errors import StreamInterruptedError

if TYPE_CHECKING:
    pass


class Decoder(Protocol):
    """Turns the bytes of one answer into events. Single use, bounded buffer."""

    @property
    def finished(self) -> bool:
        """The terminal event was seen; an abort would come too late."""
        ...

    @property
    def complete(self) -> bool:
        """Nothing of interest can follow; the driver stops reading."""
        ...

    def feed(self, data: bytes) -> Iterable[Event]:
        """The events that ``data`` completes, then perhaps one of our errors."""
        ...

    def close(self) -> Iterable[Event]:
        """The events that the end of the body completes."""
        ...


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        text: The answer text the caller was given.
        error: Set if the stream was cut before its terminal event.
    """

    text: str
    error: StreamInterruptedError | None = None


MakeRequest = Callable[[], Request]
MakeDecoder = Callable[[ResponseHead], Decoder]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read the whole, small response. Result: `Response`.

    Attributes:
        make_request: Makes a new request for each attempt.
        limit: Bytes the body may have; None for what any response may.
        redirects: Whether a redirect is a response, too; its body is not read.
    """

    make_request: MakeRequest
    limit: int | None = None
    redirects: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """Send a request and hand the events of its answer to the caller.

    Result: `StreamEnd`. ``abort`` is sent once, when the call ends in any way
    while the decoder is not finished and the request may have been received.

    Attributes:
        make_request: Makes a new request for each attempt.
        make_decoder: Makes what reads the answer.
        abort: Makes the request that tells the service to stop.
        already_started: What there is to stop was already_started by an earlier request.
        abort_while_open: The service stops only while the answer is open: ``abort`` is sent
            before that is closed, if it is open still, and the rest is read for a short time.
    """

    make_request: MakeRequest
    make_decoder: MakeDecoder
    abort: MakeRequest | None = None
    already_started: bool = False
    abort_while_open: bool = False


@dataclass(frozen=True, slots=True)
class Defer:
    """Send a request when the call ends in any way; its outcome is ignored."""

    make_request: MakeRequest


@dataclass(frozen=True, slots=True)
class Lock:
    """Hold the lock named ``key`` to the end of the call, or to its `Unlock`."""

    key: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """Give the lock named ``key`` to the next who waits for it."""

    key: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the application whether to begin again, for which it may take as long as a person needs.

    Result: its answer; False, and it is not asked, once the service has taken the message.
    """

    question: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Resolve:
    """Look up the addresses of a host, within so many seconds or what is left of the call.

    Result: a tuple of them, the best first.
    """

    host: str
    port: int
    seconds: float = math.inf


Effect = Send | Stream | Defer | Lock | Unlock | Sleep | Ask | Resolve
Result = Response | StreamEnd | tuple[str, ...] | bool | None

T = TypeVar("T")
PlanOf = Generator[Effect | Event, Result, T]
"""A plan, or a part of one, that returns a T."""
Plan = PlanOf[None]


def send(
    make_request: MakeRequest, *, limit: int | None = None, redirects: bool = False
) -> PlanOf[Response]:
    """Yield `Send` and return its response; use with ``yield from``."""
    result = yield Send(make_request, limit, redirects)
    if not isinstance(result, Response):
        raise TypeError(result)
    return result


def stream(
    make_request: MakeRequest,
    make_decoder: MakeDecoder,
    *,
    abort: MakeRequest | None = None,
    already_started: bool = False,
    abort_while_open: bool = False,
) -> PlanOf[StreamEnd]:
    """Yield `Stream` and return how it ended; use with ``yield from``."""
    result = yield Stream(make_request, make_decoder, abort, already_started, abort_while_open)
    if not isinstance(result, StreamEnd):
        raise TypeError(result)
    return result


def ask(question: Callable[[], bool]) -> PlanOf[bool]:
    """Yield `Ask` and return the answer; use with ``yield from``."""
    return bool((yield Ask(question)))


def resolve(host: str, port: int) -> PlanOf[tuple[str, ...]]:
    """Yield `Resolve` and return the addresses; use with ``yield from``."""
    result = yield Resolve(host, port)
    if not isinstance(result, tuple):
        raise TypeError(result)
    return result


__all__ = [
    "Ask",
    "Decoder",
    "Defer",
    "Effect",
    "Lock",
    "MakeDecoder",
    "MakeRequest",
    "Plan",
    "PlanOf",
    "Resolve",
    "Result",
    "Send",
    "Sleep",
    "Stream",
    "StreamEnd",
    "Unlock",
    "ask",
    "resolve",
    "send",
    "stream",
]
