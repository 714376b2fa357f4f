"""Runs one function of an app, through its queue or directly.

Follows docs/protocols/gradio-space.md, sections 2 and 3. A queued call that is given up
before its end is cancelled once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_g4f.codecs.fields import need
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON, Request, ResponseHead, RetryWhen
from langchain_g4f.core.plan import Plan, PlanOf, Sleep, send, stream
from langchain_g4f.core.urls import segment
from langchain_g4f.errors import APIStatusError, APITimeoutError, QueueFullError
from langchain_g4f.providers.gradio_space.app import Function
from langchain_g4f.providers.gradio_space.failure import direct_failure, join_failure
from langchain_g4f.providers.gradio_space.stream import OutputHandler, QueueDecoder

JOIN = "join the queue"
RUN = "run "
LISTEN = "read the answer"
_FIRST_S, _LONGEST_S = 1.0, 10.0
"""Seconds before a full queue is joined again."""
_SECRET_LENGTH = 8
"""Characters of a cookie's value from which on it is masked; a short one is a common word."""

_log = logging.getLogger("langchain_g4f")


@dataclass(frozen=True, slots=True)
class FunctionClient:
    """Calls functions of an app in one session of one caller.

    Attributes:
        api: URL of the app's API.
        session_hash: Id of the session.
        trigger: Id of the component that starts the chat.
        headers: Headers of every request.
        gpu_headers: Headers that name who pays; sent when a function is called.
        can_cancel: Whether the app has ``/cancel``; otherwise ``/reset`` stops a call.
        oauth_tokens: The caller's token, by names of the functions that announce that they take it.
    """

    api: str
    session_hash: str
    trigger: int | None
    headers: Mapping[str, str] = field(repr=False)
    gpu_headers: Mapping[str, str] = field(repr=False)
    can_cancel: bool = True
    oauth_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def call(
        self, function: Function, data: list[JSON], handler: OutputHandler, context: CallContext
    ) -> Plan:
        """Run ``function`` and pass its outputs to ``handler``.

        Raises:
            AppError: The app failed.
            QueueFullError: Too many calls were waiting for as long as the queue may take.
        """
        body: dict[str, JSON] = {
            "data": data,
            "event_data": None,
            "fn_index": function.id,
            "trigger_id": self.trigger,
            "session_hash": self.session_hash,
        }
        if function.api_name in self.oauth_tokens:
            body["oauth_token"] = self.oauth_tokens[function.api_name]
        if function.queue or function.generator:  # a direct call returns the first piece only
            yield from self._patiently(function, body, handler, context)
        else:
            yield from handler.complete((yield from self._direct(function, body)))

    def _direct(self, function: Function, body: dict[str, JSON]) -> PlanOf[list[JSON]]:
        request = self._post("run/predict", body, RUN + (function.api_name or "a function"))
        try:
            response = yield from send(lambda: request)
        except APIStatusError as error:
            raise direct_failure(error) from None
        return need(response.json(), "data", list)

    def _patiently(
        self,
        function: Function,
        body: dict[str, JSON],
        handler: OutputHandler,
        context: CallContext,
    ) -> Plan:
        """Join the queue; while it is full, again and again."""
        until, wait = context.clock() + context.limits.clocks.queue, _FIRST_S
        full: QueueFullError | None = None
        while True:
            try:
                yield from self._queue(function, body, handler, context)
            except QueueFullError as error:
                full = error
            except APITimeoutError as error:
                if full is None or (error.kind, error.phase) != ("total", JOIN):
                    raise
                raise full from None  # it was full until the time of the call was over
            else:
                return
            if context.clock() + wait > until:
                raise full
            yield Progress("queue_full", str(full), {"wait_s": wait})
            yield Sleep(wait)
            wait = min(wait * 1.5, _LONGEST_S)

    def _queue(
        self,
        function: Function,
        body: dict[str, JSON],
        handler: OutputHandler,
        context: CallContext,
    ) -> Plan:
        join = self._post("queue/join?__theme=light", body, JOIN)
        try:
            response = yield from send(lambda: join)
        except APIStatusError as error:
            raise join_failure(error) from None
        event_id = need(response.json(), "event_id", str)
        listen = Request(
            "GET",
            f"{self.api}/queue/data?session_hash={segment(self.session_hash)}",
            {**self.headers, "accept": "text/event-stream"},
            retry=RetryWhen.NOT_PROCESSED,  # events that were read once do not come again
            phase=LISTEN,
        )
        event: dict[str, JSON] = {
            "session_hash": self.session_hash,
            "fn_index": function.id,
            "event_id": event_id,
        }
        cancel = self._post("cancel" if self.can_cancel else "reset", event, "cancel the call")
        pairs = context.cookies.header_for(self.api).split("; ")
        values = (pair.partition("=")[2] for pair in pairs)
        secrets = [*self._secrets, *(value for value in values if len(value) >= _SECRET_LENGTH)]
        decoders: list[QueueDecoder] = []

        def decoder(head: ResponseHead) -> QueueDecoder:
            limit = context.limits.sizes.line
            decoders.append(QueueDecoder(head, event_id, handler, limit, secrets))
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
        given = (token, *self.gpu_headers.values(), *self.oauth_tokens.values())
        return [secret for secret in given if secret]

    def _post(self, path: str, body: dict[str, JSON], phase: str) -> Request:
        return Request(
            "POST",
            f"{self.api}/{path}",
            {**self.headers, **self.gpu_headers, "content-type": "application/json"},
            json.dumps(body, ensure_ascii=False).encode(),
            RetryWhen.NOT_SENT,
            phase,
        )
