"""Reads the event stream of a queue (docs/protocols/gradio-space.md, sections 3 to 5).

One stream carries all events of a session; only those of our own call count. The call ends
at its ``process_completed``, whatever follows. Before that the outputs come as diffs; the
last event has their full values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from langchain_g4f.codecs.fields import decoded, need, want
from langchain_g4f.codecs.gradio_diff import apply_diff
from langchain_g4f.codecs.sse import ServerSentEvents
from langchain_g4f.core.events import QUEUED, Event, Progress
from langchain_g4f.core.http import JSON, ResponseHead
from langchain_g4f.core.redact import count_kind, redact_text
from langchain_g4f.errors import (
    MalformedStreamError,
    QueueFullError,
    ServerStreamError,
    SessionLostError,
)
from langchain_g4f.providers.gradio_space.failure import app_failure, plain

Growth = tuple[int, list[JSON], str]
"""The only change of an event: a text grew. Output, path in it, and the addition."""

_MAX_RANK = 10**9
_MAX_SECONDS = 10**9


class OutputHandler(Protocol):
    """Receives the outputs of a function."""

    def update(self, data: list[JSON], grown: Growth | None = None) -> Iterable[Event]:
        """Handle all outputs as they are now; ``grown`` is set if one text grew."""
        ...

    def complete(self, data: list[JSON] | None) -> Iterable[Event]:
        """Handle the final outputs; None if the app cancelled the call."""
        ...


class QueueDecoder:
    """The events of one call on the stream of its session.

    Args:
        head: Head of the response.
        event_id: The queue's id of the call.
        handler: Receives the outputs.
        limit: Largest event in bytes.
        secrets: Credentials to mask, should the app repeat them.

    Attributes:
        finished: The call has ended or failed.
        skipped: Number of ignored events by kind; bounded.
    """

    def __init__(
        self,
        head: ResponseHead,
        event_id: str,
        handler: OutputHandler,
        limit: int,
        secrets: Sequence[str] = (),
    ) -> None:
        kind = head.headers.content_type
        if kind != "text/event-stream":
            raise MalformedStreamError(f"expected an event stream, got {kind or 'no content type'}")
        self.finished = False
        self.skipped: Counter[str] = Counter()
        self._secrets = secrets
        self._events = ServerSentEvents(limit)
        self._event_id = event_id
        self._handler = handler
        self._rank: int | None = None
        self._outputs: list[JSON] | None = None

    @property
    def complete(self) -> bool:
        """Whether to stop reading; the stream itself may never end (section 3)."""
        return self.finished

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that ``data`` completes."""
        for event in self._events.feed(data):
            if self.finished:
                return
            what = f"the event of the queue at byte {event.offset}"
            yield from self._message(decoded(event.data, what))

    def close(self) -> Iterable[Event]:
        """The end of the body; an incomplete event is dropped."""
        return ()

    def _message(self, message: JSON) -> Iterable[Event]:
        kind = need(message, "msg", str)
        if kind in ("unexpected_error", "queue_full"):
            self.finished = True
            if kind == "queue_full":  # older apps say it here, others when the queue is joined
                raise QueueFullError("the queue of the app is full")
            raise self._queue_error(message)
        if kind in ("heartbeat", "close_stream"):
            return ()
        if kind not in _HANDLERS:
            return self._skip(kind)
        if need(message, "event_id", str) != self._event_id:
            return self._skip(f"{kind} of another call")
        return _HANDLERS[kind](self, message)

    def _skip(self, kind: str) -> tuple[()]:
        count_kind(self.skipped, kind, *self._secrets)
        return ()

    def _plain(self, message: JSON, key: str) -> str:
        """A text for users, without markup and credentials."""
        return redact_text(plain(want(message, key, str, default="")), *self._secrets)

    def _queue_error(self, message: JSON) -> ServerStreamError | SessionLostError:
        text = self._plain(message, "message")
        lost = want(message, "session_not_found", bool, default=False)
        if lost or text.startswith("404"):
            return SessionLostError(f"the app no longer knows the session: {text}")
        return ServerStreamError(f"the queue of the app failed: {text or 'without a word'}")

    def _estimation(self, message: JSON) -> Iterator[Event]:
        rank = need(message, "rank", int)
        if not 0 <= rank < _MAX_RANK:
            raise MalformedStreamError("'rank' is no place in a queue")
        if rank == self._rank:
            return
        self._rank = rank
        size, eta = want(message, "queue_size", int, default=0), _seconds(message, "rank_eta")
        when = "" if eta is None else f", about {eta:.0f} s"
        text = f"place {rank + 1} of {max(size, rank + 1)} in the queue{when}"
        yield Progress(QUEUED, text, {"rank": rank, "queue_size": size, "eta_s": eta})

    def _starts(self, message: JSON) -> Iterator[Event]:
        yield Progress("started", data={"eta_s": _seconds(message, "eta")})

    def _log(self, message: JSON) -> Iterator[Event]:
        level = want(message, "level", str, default="info")
        title = self._plain(message, "title")
        yield Progress("log", self._plain(message, "log"), {"level": level, "title": title})

    def _progress(self, message: JSON) -> Iterator[Event]:
        for step in want(message, "progress_data", list, default=[]):
            if isinstance(step, dict):
                text = self._plain(step, "desc")
                yield Progress("progress", text, {**step, "desc": text})

    def _generating(self, message: JSON) -> Iterable[Event]:
        output = need(message, "output", dict)
        if not want(message, "success", bool, default=True):
            return self._failed(message, output)
        data = need(output, "data", list)
        grown = None
        if self._outputs is None:
            self._outputs = data
        elif len(data) != len(self._outputs):
            raise MalformedStreamError(
                f"'data' has {len(data)} outputs instead of {len(self._outputs)}"
            )
        else:
            for at, edits in enumerate(data):
                self._outputs[at] = apply_diff(self._outputs[at], edits)
            grown = _growth(data)
        return self._handler.update(self._outputs, grown)

    def _completed(self, message: JSON) -> Iterable[Event]:
        output = need(message, "output", dict)
        if not need(message, "success", bool):
            return self._failed(message, output)
        self.finished = True
        data = need(output, "data", list) if output else None
        return self._handler.complete(data)

    def _failed(self, message: JSON, output: dict[str, JSON]) -> Iterable[Event]:
        self.finished = True
        title = message.get("title") if isinstance(message, dict) else None
        raise app_failure(output, title, self._secrets)


def _growth(data: list[Any]) -> Growth | None:
    """The growth of a text, if nothing else has changed; most events are like that.

    The edits were applied before, so they are well-formed. No ``match`` here: it is too slow.
    """
    grown = None
    for at, edits in enumerate(data):
        if not edits:
            continue
        if grown is not None or len(edits) > 1:
            return None
        op, path, new = edits[0]
        if op != "append":
            return None
        grown = at, path, new
    return grown


def _seconds(message: JSON, key: str) -> float | None:
    value = message.get(key) if isinstance(message, dict) else None
    if isinstance(value, int | float) and abs(value) < _MAX_SECONDS:
        return float(value)
    return None


_HANDLERS = {
    "estimation": QueueDecoder._estimation,  # noqa: SLF001 -- this module's own
    "process_starts": QueueDecoder._starts,  # noqa: SLF001
    "log": QueueDecoder._log,  # noqa: SLF001
    "progress": QueueDecoder._progress,  # noqa: SLF001
    "process_generating": QueueDecoder._generating,  # noqa: SLF001
    "process_streaming": QueueDecoder._generating,  # noqa: SLF001
    "process_completed": QueueDecoder._completed,  # noqa: SLF001
}
