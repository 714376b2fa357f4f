"""The run of an answer: stream it, attach to it again after a break, stop it.

Follows docs/protocols/huggingchat.md, sections 6.1 and 6.2. A run outlives its connection.
Current servers let a client attach to it again, and stop it at any time; older ones only let it
stop the run while the connection is open (9.2).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import stream
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    MalformedStreamError,
    StreamInterruptedError,
)
from langchain_g4f.providers.huggingchat.answer import AnswerDecoder, Place, ReattachDecoder
from langchain_g4f.providers.huggingchat.conversation import read_conversation
from langchain_g4f.providers.huggingchat.reader import NAME, UpdateReader
from langchain_g4f.providers.huggingchat.requests import explain, origin

if TYPE_CHECKING:
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import Plan, PlanOf

_log = logging.getLogger("langchain_g4f")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the model, which makes one answer.

    Attributes:
        base_url: Base URL of the server.
        conversation: Id of the conversation.
        run_id: The client's id of the run.
        legacy: Whether the server is an older one.
    """

    base_url: str
    conversation: str
    run_id: str
    legacy: bool

    @property
    def url(self) -> str:
        """Address of the conversation."""
        return f"{self.base_url}/conversation/{segment(self.conversation)}"

    def stop(self, reader: UpdateReader) -> Request:
        """Stops the run; the server keeps the text that the caller has read (6.2)."""
        point = {"generationId": self.run_id, "seenContentLength": reader.seen_length}
        return Request(
            "POST",
            f"{self.url}/stop-generating",
            {"origin": origin(self.base_url), "content-type": "application/json"},
            json.dumps(point).encode(),
            RetryWhen.NOT_SENT,
            "stop the answer",
        )

    def reattach(self, sequence: int, last_id: str) -> Request:
        """Follows the run after update ``sequence``, or after the event ``last_id`` (6.1).

        Raises:
            MalformedStreamError: No header can carry ``last_id``.
        """
        headers = {"accept": "text/event-stream"}
        if not (last_id.isascii() and last_id.isprintable()):
            msg = f"{NAME}: the id of an update cannot be repeated to the server"
            raise MalformedStreamError(msg, provider=NAME)
        if last_id:
            headers["last-event-id"] = last_id
        url = f"{self.url}/stream?generationId={segment(self.run_id)}"
        if sequence:
            url += f"&fromSeq={sequence}"
        return Request("GET", url, headers, retry=RetryWhen.NOT_SENT, phase="re-attach")


def follow(run: Run, message: Request, context: CallContext, *, await_title: bool = False) -> Plan:
    """Send the message and stream its answer, across a broken connection if need be.

    Args:
        run: The run that the message begins.
        message: The request that sends it.
        context: Context of the call.
        await_title: Whether to wait for a title that comes after the answer.

    Raises:
        StreamInterruptedError: The answer is incomplete, and attaching to the run again failed.
    """
    reader = UpdateReader(run.url, await_title=await_title)
    limit = context.limits.sizes.line
    try:
        end = yield from stream(
            lambda: message,
            lambda head: AnswerDecoder(head, reader, limit),
            abort=lambda: run.stop(reader),
            abort_while_open=run.legacy,
        )
        if end.error is None:
            return
        if run.legacy:
            raise end.error
        yield Progress("reattach", str(end.error))
        try:
            yield from _reattach(run, reader, end.error, context)
        except APIError as error:
            error.partial_text = end.text + error.partial_text
            raise
    except APIStatusError as error:
        raise explain(error, run.base_url) from None
    finally:
        if reader.skipped:
            _log.debug("%s: skipped %s", NAME, dict(reader.skipped))


def _reattach(
    run: Run, reader: UpdateReader, cut: StreamInterruptedError, context: CallContext
) -> Plan:
    """Follow the run again: first its stored text, then its updates.

    Once, if the connection breaks again; as often as needed while the server closes it in good
    order, which it does every five minutes.
    """
    given = ""
    try:
        place, sequence = yield from _place(run, reader, context)
        while True:
            before, place.closed = place.last_id, False
            end = yield from stream(
                lambda: run.reattach(sequence, place.last_id),
                lambda head: ReattachDecoder(head, reader, place, context.limits.sizes.line),
                abort=lambda: run.stop(reader),
            )
            given += end.text
            if end.error is None:
                return
            if not place.closed or place.last_id == before:
                break
    except APIError as error:
        given += error.partial_text
        error.partial_text = given
        # The run's own failure counts; a failure to get at the run leaves it at the first break.
        way = (APIStatusError, APIConnectionError, MalformedStreamError)
        if reader.finished or not isinstance(error, way):
            raise
    again = StreamInterruptedError(str(cut), provider=cut.provider)
    again.partial_text = given
    raise again


def _place(run: Run, reader: UpdateReader, context: CallContext) -> PlanOf[tuple[Place, int]]:
    """Where to follow a run from, and the number of the last update before that.

    The stored answer has all of the text up to there. If it also has other updates that the
    caller lacks, the run is followed from its beginning.
    """
    stored = yield from read_conversation(run.conversation, context, run.base_url)
    found = next((m for m in stored.messages if m.run_id == run.run_id), None)
    if found is not None and not Counter(found.beside) - reader.seen:
        return Place(found.content), found.sequence
    return Place(skip=reader.seen.copy()), 0


__all__ = ["Run", "follow"]
