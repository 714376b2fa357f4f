"""Decoders of an answer: JSON lines, or events after the client attached to a run again.

Follows docs/protocols/huggingchat.md, sections 6 and 6.1.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import decoded, need
from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.codecs.sse import ServerSentEvents
from langchain_g4f.core.events import Event, Finish
from langchain_g4f.errors import MalformedStreamError, StreamInterruptedError
from langchain_g4f.providers.huggingchat.reader import NAME, UpdateReader, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_g4f.codecs.sse import ServerSentEvent
    from langchain_g4f.core.http import ResponseHead


class _Decoder:
    def __init__(self, head: ResponseHead, reader: UpdateReader, *kinds: str) -> None:
        found = head.headers.content_type
        if found not in kinds:
            message = f"{NAME}: expected {kinds[0]}, got {found or 'no content type'}"
            raise MalformedStreamError(message, provider=NAME)
        self._reader = reader
        self._over = False

    @property
    def finished(self) -> bool:
        """Whether the answer is whole."""
        return self._reader.finished

    @property
    def complete(self) -> bool:
        """Whether nothing that is awaited follows."""
        return self._over or self._reader.enough


class AnswerDecoder(_Decoder):
    """The lines of an answer.

    ``finalAnswer`` finishes the answer, ``status: finished`` the run. Updates between them, such
    as a title, are read if they have arrived already, and awaited only if the caller wants that.
    """

    def __init__(self, head: ResponseHead, reader: UpdateReader, limit: int) -> None:
        # up to v0.9.4 the lines were announced as an event stream (9.2)
        super().__init__(head, reader, "application/jsonl", "application/json", "text/event-stream")
        self._lines = JSONLines(limit)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that ``data`` completes."""
        if self._over:
            self._reader.skip("after the end")
            return
        for line in self._lines.feed(data):
            yield from self._reader.update(line)
            self._over = self._reader.complete
            if self._over:
                return

    def close(self) -> Iterator[Event]:
        """The events of a last line without a line end."""
        for line in self._lines.close():
            yield from self._reader.update(line)


@dataclass(slots=True)
class Place:
    """How far a run has been followed, across the connections after the first.

    Attributes:
        text: The latest text of the run; the caller may lack a part of it.
        begin: Length of the text before that, in characters.
        skip: Updates besides text that are to come and that the caller has, by `kind_of`.
        last_id: Id of the last event.
        closed: Whether the server closed the connection in good order.
    """

    text: str = ""
    begin: int = 0
    skip: Counter[str] = field(default_factory=Counter)
    last_id: str = ""
    closed: bool = False


class ReattachDecoder(_Decoder):
    """The events of a run that is followed again; only what is new to the caller is given out.

    Args:
        head: Head of the response.
        reader: The reader of the first connection.
        place: Where the events begin; it moves with them.
        limit: Bytes one event may have.
    """

    def __init__(self, head: ResponseHead, reader: UpdateReader, place: Place, limit: int) -> None:
        super().__init__(head, reader, "text/event-stream")
        self._events = ServerSentEvents(limit)
        self._place = place

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that ``data`` completes."""
        yield from self._catch_up()
        for event in self._events.feed(data):
            yield from self._event(event)

    def close(self) -> Iterator[Event]:
        """The server closes after five minutes; the run may continue."""
        self._place.closed = True
        yield from self._catch_up()

    def _event(self, event: ServerSentEvent) -> Iterator[Event]:
        if event.event not in ("update", "end"):
            self._reader.skip(f"event {event.event}")
            return
        update = decoded(event.data, "an event")
        if event.event == "end":
            yield from self._end(need(update, "status", str))
            return
        place = self._place
        place.last_id = event.id
        if not isinstance(update, dict) or need(update, "type", str) == "stream":
            place.text += need(update, "token", str)
            yield from self._catch_up()
        elif place.skip[kind_of(update)] > 0:
            place.skip[kind_of(update)] -= 1
        else:
            yield from self._reader.update(update)

    def _catch_up(self) -> Iterator[Event]:
        place = self._place
        text, known = place.text, max(0, self._reader.length - place.begin)
        place.begin, place.text = place.begin + len(text), ""
        if len(text) > known:
            yield from self._reader.token(text[known:])

    def _end(self, status: str) -> Iterator[Event]:
        self._over = True
        if self._reader.finished:
            return
        self._reader.finished = True  # there is nothing left to stop
        yield from self._reader.close()
        if status != "interrupted":
            message = f"{NAME}: the run ended as {status[:40]!r} before its answer was complete"
            raise StreamInterruptedError(message, provider=NAME)
        yield Finish("interrupted")


__all__ = ["AnswerDecoder", "Place", "ReattachDecoder"]
