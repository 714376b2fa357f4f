"""Pumps an answer through its decoder, and watches the clocks when bytes arrive.

There is no timeout scope per read: the HTTP client's read timeout covers silence, and one
timer per exchange the deadline of the call. Of many bytes that arrive at once only a few are
decoded before the clocks are looked at again, and the event loop is given a turn when they
take long.
As long as the latest event is a place in the service's queue, the queue clock counts
and the others stand still.
After the terminal event the service gets a few seconds for what it still adds; once
nothing can follow, only the end of the body is awaited, briefly, so that the
connection can be used again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from langchain_g4f.core.events import QUEUED, Finish, Progress, Text
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    MalformedStreamError,
    StreamInterruptedError,
    TooLargeError,
)
from langchain_g4f.run.operations import HELD_READ, READ, YIELD, Read, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.events import Event
    from langchain_g4f.core.plan import Decoder
    from langchain_g4f.run.request_sender import RequestSender

_DRAIN_S = 0.1
_PIECE = 4096
"""Bytes that are decoded between two looks at the clocks."""
_TURN_S = 0.01
"""Seconds that decoding may take before other tasks have a turn."""


class StreamReader:
    """One answer on its way through its decoder.

    Args:
        decoder: Turns its bytes into events.
        context: Clocks and sizes.
        sender: Those of the call, which share its total clock.
        held: Keep it open when the caller is cancelled.
    """

    def __init__(
        self, decoder: Decoder, context: CallContext, sender: RequestSender, *, held: bool = False
    ) -> None:
        self._decoder = decoder
        self._context = context
        self._sender = sender
        self._next = HELD_READ if held else READ
        self._pieces: list[str] = []
        self._received = 0
        self._ended = False
        self._queued = False
        self._until: float | None = None
        self._rest: Iterator[bytes] = iter(())
        self._turn = 0.0

    @property
    def text(self) -> str:
        """The answer text the caller was given."""
        return "".join(self._pieces)

    def events(self) -> Steps[None]:
        """Yield the events until the answer has ended.

        Raises:
            StreamInterruptedError: It ended before its terminal event.
            APITimeoutError: No event came for too long, though bytes may have.
            TooLargeError: It is larger than the limit.
        """
        clock, queue = self._context.clock, self._context.limits.clocks.queue
        latest = before = clock()
        while True:
            try:
                data = yield from self._read()
            except APITimeoutError:
                if self._queued:
                    self._check_wait(clock() - latest)
                raise
            now = clock()
            if self._queued:
                self._sender.extend(now - before)
            before = now
            if not self._decoder.finished:
                self._sender.check_total(now)
            if data is None:
                yield from self._end()
                return
            try:
                heard = yield from self._decode(data)
            except APIError:
                if self._ended:
                    return  # what follows a complete answer cannot spoil it
                raise
            if heard:
                latest = clock()  # not `now`: the caller may have taken long over an event
                self._sender.queue_until(latest + queue if self._queued else 0)
            if self._decoder.finished:
                if self._lingered(now):
                    return
            else:
                self._check_wait(now - latest)

    def _decode(self, data: bytes) -> Steps[bool]:
        """Yield the events of ``data``; whether there are any."""
        limit = self._context.limits.sizes.response
        self._received += len(data)
        if self._received > limit:
            raise TooLargeError(f"the answer is larger than {limit} bytes")
        heard = False
        for event in self._decoder.feed(data):
            heard = True
            self._note(event)
            yield event
        return heard

    def _note(self, event: Event) -> None:
        self._queued = False
        if type(event) is Text:
            self._pieces.append(event.text)
        elif type(event) is Finish:
            self._ended = True
        elif type(event) is Progress:
            self._queued = event.kind == QUEUED

    def _read(self) -> Steps[bytes | None]:
        piece = next(self._rest, None)
        if piece is not None:
            if self._context.clock() > self._turn:
                yield YIELD
                self._turn = self._context.clock() + _TURN_S
            return piece
        read = self._next if self._until is None else Read(self._until - self._context.clock())
        try:
            data = yield read
        except (APIConnectionError, APITimeoutError) as exc:
            if self._decoder.finished:
                return None
            if isinstance(exc, APITimeoutError):
                raise
            raise self._interrupted(str(exc)) from None
        if not isinstance(data, bytes):
            return None
        if len(data) <= _PIECE:
            return data
        self._rest = (data[at : at + _PIECE] for at in range(_PIECE, len(data), _PIECE))
        self._turn = self._context.clock() + _TURN_S
        return data[:_PIECE]

    def _end(self) -> Steps[None]:
        if self._decoder.finished:
            return
        # what is incomplete at the end is cut, not malformed
        with suppress(MalformedStreamError):
            for event in self._decoder.close():
                self._note(event)
                yield event
        if not self._decoder.finished:
            raise self._interrupted("the answer ended before it was complete")

    def _lingered(self, now: float) -> bool:
        """Whether the time for what may follow the terminal event is over."""
        linger = _DRAIN_S if self._decoder.complete else self._context.limits.clocks.linger
        until = now + linger
        self._until = until if self._until is None else min(self._until, until)
        return now >= self._until

    def _check_wait(self, waited: float) -> None:
        """Raise APITimeoutError if no event has come for too long."""
        clocks, provider = self._context.limits.clocks, self._context.provider
        limit = clocks.queue if self._queued else clocks.idle
        if waited <= limit:
            return
        if self._queued:
            message = (
                f"{provider}: the place in the queue has not changed for {round(limit, 2):g} s"
            )
        else:
            message = (
                f"{provider}: no event within {round(limit, 2):g} s, though the connection is alive"
            )
        raise APITimeoutError(
            message,
            kind="queue" if self._queued else "idle",
            request_sent=True,
            provider=provider,
        )

    def _interrupted(self, message: str) -> StreamInterruptedError:
        provider = self._context.provider
        return StreamInterruptedError(f"{provider}: {message}", provider=provider)


__all__ = ["StreamReader"]
