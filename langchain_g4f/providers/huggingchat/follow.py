"""Following the run of an answer: stream it, take it up again, stop it.

Follows docs/protocols/huggingchat.md, sections 6.1 and 6.2. A run outlives its connection. On
current servers it can be taken up again, and stopped at any time; on the older generation it
can be stopped only while the connection is open (9.2).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import StreamEnd, stream
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    MalformedStreamError,
    StreamInterruptedError,
)
from langchain_g4f.providers.huggingchat.answer import AnswerDecoder, Place, ReattachDecoder
from langchain_g4f.providers.huggingchat.login import origin
from langchain_g4f.providers.huggingchat.reader import NAME, UpdateReader
from langchain_g4f.providers.huggingchat.refusals import refused
from langchain_g4f.providers.huggingchat.stored import read_conversation

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import ResponseHead
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.providers.huggingchat.stored import StoredMessage

_log = logging.getLogger("langchain_g4f")


@dataclass(frozen=True, slots=True)
class Run:
    """One generation of an answer.

    Attributes:
        base_url: Of the server.
        conversation: Id of the conversation.
        generation: The client's name for the run.
        legacy: Whether the server is of the older generation.
    """

    base_url: str
    conversation: str
    generation: str
    legacy: bool

    @property
    def url(self) -> str:
        """Address of the conversation."""
        return f"{self.base_url}/conversation/{segment(self.conversation)}"

    def stop(self, reader: UpdateReader) -> Request:
        """Stops the run; what is stored ends where the caller stopped reading (6.2)."""
        point = {"generationId": self.generation, "seenContentLength": reader.seen_length}
        return Request(
            "POST",
            f"{self.url}/stop-generating",
            {"origin": origin(self.base_url), "content-type": "application/json"},
            json.dumps(point).encode(),
            RetryWhen.NOT_SENT,
            "stop the answer",
        )

    def reattach(self, sequence: int, last_id: str) -> Request:
        """Follows the run from its beginning, after ``sequence`` or after ``last_id`` (6.1).

        Raises:
            MalformedStreamError: No header can carry ``last_id``.
        """
        headers = {"accept": "text/event-stream"}
        if not (last_id.isascii() and last_id.isprintable()):
            msg = f"{NAME}: the id of an update cannot be repeated to the server"
            raise MalformedStreamError(msg, provider=NAME)
        if last_id:
            headers["last-event-id"] = last_id
        url = f"{self.url}/stream?generationId={segment(self.generation)}"
        if sequence:
            url += f"&fromSeq={sequence}"
        return Request("GET", url, headers, retry=RetryWhen.NOT_SENT, phase="re-attach")


def follow(run: Run, message: Request, context: CallContext, *, await_title: bool = False) -> Plan:
    """Send the message and stream its answer, across a broken connection if need be.

    Args:
        run: The generation.
        message: Begins it.
        session: Of the call.
        await_title: Wait for a title that comes after the answer.

    Raises:
        StreamInterruptedError: The answer is incomplete and could not be taken up again.
    """
    reader = UpdateReader(run.url, await_title=await_title)
    try:
        yield from _follow(run, message, reader, context)
    finally:
        if reader.skipped:
            _log.debug("%s: skipped %s", NAME, dict(reader.skipped))


def _follow(run: Run, message: Request, reader: UpdateReader, context: CallContext) -> Plan:
    limit = context.limits.sizes.line
    try:
        end = yield from stream(
            lambda: message,
            lambda head: AnswerDecoder(head, reader, limit),
            abort=lambda: run.stop(reader),
            abort_while_open=run.legacy,
        )
    except APIStatusError as error:
        raise refused(error, run.base_url) from None
    if end.error is None:
        return
    if run.legacy:
        raise end.error
    yield Progress("reattach", str(end.error))
    try:
        yield from _take_up(run, reader, end.error, context)
    except APIError as error:
        error.partial_text = end.text + error.partial_text
        raise


def _take_up(
    run: Run, reader: UpdateReader, cut: StreamInterruptedError, context: CallContext
) -> Plan:
    """Follow the run again: first what is stored of its text, then its updates.

    Once, if the connection breaks again; as often as needed while it is the server that
    closes it, which it does every five minutes.
    """
    again = StreamInterruptedError(str(cut), provider=cut.provider)
    heard = ""
    try:
        stored = yield from read_conversation(run.conversation, context, run.base_url)
        found = next((m for m in stored.messages if m.generation == run.generation), None)
        place, sequence = _place(reader, found)
        while True:
            attempt = _Attempt(run, reader, place, context.limits.sizes.line)
            before = place.last_id
            end = yield from attempt.stream(sequence)
            heard += end.text
            if end.error is None:
                return
            if not attempt.closed_by_server or place.last_id == before:
                break
    except APIError as error:
        heard += error.partial_text
        error.partial_text = heard
        no_way = isinstance(error, (APIStatusError, APIConnectionError, MalformedStreamError))
        if reader.finished or not no_way:  # the run's own failure is not one of the way to it
            raise
    again.partial_text = heard
    raise again


def _place(reader: UpdateReader, found: StoredMessage | None) -> tuple[Place, int]:
    """Where to follow a run from, and the number of the last update before that.

    What is stored has all of the text up to there. Where it has had other updates that
    the caller has not, it is followed from its beginning.
    """
    if found is not None and not Counter(found.beside) - reader.seen:
        return Place(found.content), found.sequence
    return Place(skip=reader.seen.copy()), 0


class _Attempt:
    """One connection to a run that is followed again."""

    def __init__(self, run: Run, reader: UpdateReader, place: Place, limit: int) -> None:
        self._run = run
        self._reader = reader
        self._place = place
        self._limit = limit
        self._decoder: ReattachDecoder | None = None

    @property
    def closed_by_server(self) -> bool:
        """Whether the connection ended regularly, but the run had not."""
        return self._decoder is not None and self._decoder.ended

    def stream(self, sequence: int) -> PlanOf[StreamEnd]:
        """Hand the updates to the caller."""
        return (
            yield from stream(
                lambda: self._run.reattach(sequence, self._place.last_id),
                self._decode,
                abort=lambda: self._run.stop(self._reader),
            )
        )

    def _decode(self, head: ResponseHead) -> ReattachDecoder:
        self._decoder = ReattachDecoder(head, self._reader, self._place, self._limit)
        return self._decoder


__all__ = ["Run", "follow"]
