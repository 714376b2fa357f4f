"""Runs one function of an app, through its queue or directly.

Follows docs/protocols/gradio-space.md, sections 2 and 3. A queued call is cancelled
once, when it is given up before its end.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_g4f.codecs.fields import need
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import send, stream
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import APIError, APIStatusError, QueueFullError
from langchain_g4f.providers.gradio_space.failure import app_failure
from langchain_g4f.providers.gradio_space.stream import QueueDecoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON, ResponseHead
    from langchain_g4f.core.plan import Plan, PlanOf
    from langchain_g4f.providers.gradio_space.app import Function
    from langchain_g4f.providers.gradio_space.stream import Reader

JOIN = "join the queue"
RUN = "run "

_log = logging.getLogger("langchain_g4f")
_SERVER_FAILED = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A line to an app: one session of one caller.

    Attributes:
        api: Address of the app's API.
        session_hash: Names the session.
        trigger: Id of the component that starts the chat.
        headers: Of every request.
        payer: Headers that say who pays; they count where a function is called.
    """

    api: str
    session_hash: str
    trigger: int | None
    headers: Mapping[str, str] = field(repr=False)
    payer: Mapping[str, str] = field(repr=False)

    def call(
        self, function: Function, data: list[JSON], reader: Reader, context: CallContext
    ) -> Plan:
        """Run ``function``; ``reader`` is given its outputs.

        Raises:
            AppError: The app failed.
            QueueFullError: Too many are waiting.
        """
        if function.queued or function.streams:  # a direct call gives a first piece only
            yield from self._queue(function, data, reader, context)
        else:
            yield from reader.complete((yield from self._direct(function, data)))

    def _direct(self, function: Function, data: list[JSON]) -> PlanOf[list[JSON]]:
        phase = RUN + (function.name or "a function")
        request = self._post("run/predict", self._body(function, data), phase)
        try:
            response = yield from send(lambda: request)
        except APIStatusError as error:
            raise _direct_failure(error) from None
        return need(response.json(), "data", list)

    def _queue(
        self, function: Function, data: list[JSON], reader: Reader, context: CallContext
    ) -> Plan:
        join = self._post("queue/join?__theme=light", self._body(function, data), JOIN)
        try:
            response = yield from send(lambda: join)
        except APIStatusError as error:
            raise _join_failure(error) from None
        event_id = need(response.json(), "event_id", str)
        listen = Request(
            "GET",
            f"{self.api}/queue/data?session_hash={segment(self.session_hash)}",
            {**self.headers, "accept": "text/event-stream"},
            retry=RetryWhen.NOT_PROCESSED,  # reading twice loses what was read
            phase="read the answer",
        )
        body: dict[str, JSON] = {
            "session_hash": self.session_hash,
            "fn_index": function.id,
            "event_id": event_id,
        }
        cancel = self._post("cancel", body, "cancel the call")
        decoders: list[QueueDecoder] = []

        def decoder(head: ResponseHead) -> QueueDecoder:
            limit = context.limits.sizes.line
            decoders.append(QueueDecoder(head, event_id, reader, limit, self._secrets))
            return decoders[0]

        try:
            end = yield from stream(
                lambda: listen, decoder, abort=lambda: cancel, already_started=True
            )
        finally:
            if decoders and decoders[0].skipped:
                _log.debug("%s: skipped %s", context.provider, dict(decoders[0].skipped))
        if end.error is not None:
            raise end.error

    @property
    def _secrets(self) -> list[str]:
        """The credentials that the app is sent."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        return [secret for secret in (token, *self.payer.values()) if secret]

    def _body(self, function: Function, data: list[JSON]) -> dict[str, JSON]:
        return {
            "data": data,
            "event_data": None,
            "fn_index": function.id,
            "trigger_id": self.trigger,
            "session_hash": self.session_hash,
        }

    def _post(self, path: str, body: dict[str, JSON], phase: str) -> Request:
        return Request(
            "POST",
            f"{self.api}/{path}",
            {**self.headers, **self.payer, "content-type": "application/json"},
            json.dumps(body, ensure_ascii=False).encode(),
            RetryWhen.NOT_SENT,
            phase,
        )


def _direct_failure(error: APIStatusError) -> APIError:
    """What a direct call was refused with: the app's own error has status 500 (section 5)."""
    if error.status_code != _SERVER_FAILED or error.content_type != "application/json":
        return error
    failure = app_failure({"error": None if error.body == "null" else error.body})
    failure.phase = error.phase
    return failure


def _join_failure(error: APIStatusError) -> APIError:
    """A 503 is the app's only where it is JSON; a page is the platform's (section 10)."""
    if error.content_type == "application/json" and "Queue is full" in error.body:
        return QueueFullError(
            str(error),
            status_code=error.status_code,
            body=error.body,
            retry_after=error.retry_after,
        )
    return error


__all__ = ["JOIN", "RUN", "Line"]
