"""FlowGPT: one signed request, an answer of JSON lines that has no end marker.

Follows docs/protocols/flowgpt.md; nothing there was checked against the live service.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from langchain_g4f.codecs.fields import need
from langchain_g4f.codecs.jsonl import JSONLines
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.events import Event, Finish, Text
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import stream
from langchain_g4f.core.redact import count_kind, redact_text
from langchain_g4f.errors import (
    APIError,
    AuthenticationError,
    ChallengeError,
    ConfigurationError,
    EmptyResponseError,
    MalformedStreamError,
    PermissionDeniedError,
    QuotaExceededError,
    ServerStreamError,
    UnsupportedMediaError,
)
from langchain_g4f.providers.base import Provider
from langchain_g4f.text.escape import escape
from langchain_g4f.text.transcript import GO_ON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from langchain_g4f.core.chat_request import ChatRequest
    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.http import JSON, ResponseHead
    from langchain_g4f.core.plan import Plan

_log = logging.getLogger(__name__)

SITE = "https://flowgpt.com"
NO_CREDIT = "Insufficient credit"
"""The whole answer to a caller without credit (section 7)."""
TEMPERATURE = 0.7
"""The value that clients send by default (section 5)."""


@dataclass(frozen=True, kw_only=True)
class FlowGPT(Provider):
    """The service as a caller sees it.

    Attributes:
        api_key: Token of a member; empty for anonymous use.
        device_id: Name of the device, 21 characters (section 3).
        greeting: Text before the history; empty for none.
        default_system: System text if the caller gives none; empty for none.
    """

    name: ClassVar[str] = "flowgpt"
    label: ClassVar[str] = "FlowGPT"
    url: ClassVar[str] = SITE
    home: ClassVar[str] = "https://prod-backend-k8s.flowgpt.com"
    home_variable: ClassVar[str] = "FLOWGPT_BASE_URL"
    base_url_required: ClassVar[bool] = True
    credential: ClassVar[str] = "api_key"
    credential_variables: ClassVar[Mapping[str, str]] = {"api_key": "FLOWGPT_TOKEN"}
    default_model: ClassVar[str] = "gpt-3.5-turbo"
    models: ClassVar[tuple[str, ...]] = (
        "gpt-3.5-turbo",
        "gpt-3.5-long",
        "gpt-4-turbo",
        "google-gemini",
        "claude-instant",
        "claude-v1",
        "claude-v2",
        "llama2-13b",
        "mythalion-13b",
        "pygmalion-13b",
        "chronos-hermes-13b",
        "Mixtral-8x7B",
        "Dolphin-2.6-8x7B",
    )
    model_aliases: ClassVar[Mapping[str, str]] = {
        "gemini": "google-gemini",
        "gemini-pro": "google-gemini",
    }
    options: ClassVar[tuple[str, ...]] = ("temperature",)
    supported_parameters: ClassVar[frozenset[str]] = frozenset({"temperature"})

    api_key: str = field(default="", repr=False)
    device_id: str
    greeting: str = ""
    default_system: str = ""

    def chat(self, chat_request: ChatRequest, context: CallContext) -> Plan:
        """One answer."""
        return plan(chat_request, context, self)


def plan(chat_request: ChatRequest, context: CallContext, service: FlowGPT) -> Plan:
    """One answer.

    Raises:
        ConfigurationError: The temperature is not a number.
        UnsupportedMediaError: A message has an image or file.
    """
    if any(message.media for message in chat_request.messages):
        raise UnsupportedMediaError("FlowGPT takes text only: no image or file can be sent")
    body = json.dumps(_body(chat_request, service), ensure_ascii=False).encode()
    limit = context.limits.sizes.line
    skipped: Counter[str] = Counter()
    try:
        end = yield from stream(
            lambda: _request(body, context, service),
            lambda head: FlowGPTDecoder(head, limit, service.api_key, skipped),
        )
    except (AuthenticationError, PermissionDeniedError) as error:
        raise _explained(error, service) from None
    finally:
        if skipped:
            _log.debug("%s: skipped %s", context.provider, dict(skipped))
    if end.error is not None:
        raise end.error


def sign(timestamp: str, nonce: str, authorization: str) -> str:
    """The signature of a request (section 4); the service requires MD5."""
    text = f"{timestamp}-{nonce}-{authorization}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _request(body: bytes, context: CallContext, service: FlowGPT) -> Request:
    """The request of one attempt, with its own nonce: the service accepts a nonce once."""
    authorization = f"Bearer {service.api_key or 'null'}"
    timestamp = str(int(context.wall_clock()))
    # `context.random` repeats its numbers in each child of a fork
    nonce = context.new_id().replace("-", "")
    headers = {
        "accept": "*/*",
        "authorization": authorization,
        "content-type": "application/json",
        "origin": SITE,
        "referer": f"{SITE}/",
        "x-flow-device-id": service.device_id,
        "x-nonce": nonce,
        "x-signature": sign(timestamp, nonce, authorization),
        "x-timestamp": timestamp,
    }
    path = "chat" if service.api_key else "chat-anonymous"
    return Request(
        "POST",
        f"{service.base_url}/v3/{path}",
        headers,
        body,
        RetryWhen.NOT_SENT,
        "send the message",
    )


def _body(chat_request: ChatRequest, service: FlowGPT) -> dict[str, JSON]:
    """The fields of section 5; the question is the messages after the last answer."""
    asked = len(chat_request.messages)
    while asked and chat_request.messages[asked - 1].role != "assistant":
        asked -= 1
    said = [m.text for m in chat_request.messages[asked:] if m.text] or [GO_ON]
    history: list[JSON] = []
    if service.greeting:
        history.append({"role": "assistant", "content": escape(service.greeting)})
    for message in chat_request.messages[:asked]:
        role = "assistant" if message.role == "assistant" else "user"
        history.append({"role": role, "content": message.text})
    system = "\n".join(chat_request.system_messages) or escape(service.default_system)
    return {
        "model": chat_request.model,
        "nsfw": False,
        "question": "\n".join(filter(None, (*said, chat_request.messages[-1].note))),
        "history": history,
        "system": "\n\n".join(filter(None, (system, chat_request.tools))),
        "temperature": _temperature(chat_request.options.get("temperature")),
        "promptId": f"model-{chat_request.model}",
        "documentIds": [],
        "chatFileDocumentIds": [],
        "generateImage": False,
        "generateAudio": False,
    }


def _temperature(given: object) -> float:
    if given is None:
        return TEMPERATURE
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return given
    raise ConfigurationError(f"temperature: expected a number, not {given!r}")


class FlowGPTDecoder:
    """The lines of an answer (section 6). It ends when the body does.

    Args:
        head: Head of the response.
        limit: Largest line in bytes.
        secret: A credential to mask, should the service repeat it.
        skipped: Receives the number of ignored events by kind.
    """

    complete = False

    def __init__(
        self,
        head: ResponseHead,
        limit: int,
        secret: str = "",
        skipped: Counter[str] | None = None,
    ) -> None:
        if head.headers.get("x-amzn-waf-action"):  # on a 202, perhaps without any page
            raise ChallengeError(
                "AWS WAF asks for a challenge in a browser", status_code=head.status
            )
        if head.headers.content_type == "text/html":
            raise MalformedStreamError("expected JSON lines, got text/html")
        self.finished = False
        self._lines = JSONLines(limit)
        self._secret = secret
        self._skipped = Counter() if skipped is None else skipped
        self._held = ""
        self._visible = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that ``data`` completes."""
        return self._events(self._lines.feed(data))

    def close(self) -> Iterator[Event]:
        """The end of the body; there is no other end marker."""
        yield from self._events(self._lines.close())
        self.finished = True
        if self._held == NO_CREDIT:
            raise QuotaExceededError(f"FlowGPT: {NO_CREDIT.lower()}", body=NO_CREDIT)
        yield from self._release()
        if not self._visible:
            raise EmptyResponseError("FlowGPT ended the answer without a word")
        yield Finish("unknown")

    def _events(self, lines: Iterable[dict[str, JSON]]) -> Iterator[Event]:
        try:
            for line in lines:
                yield from self._event(line)
        except APIError:
            yield from self._release()  # the text before the failure
            raise

    def _event(self, line: dict[str, JSON]) -> Iterator[Event]:
        kind = line.get("event")
        if kind == "text":
            yield from self._text(need(line, "data", str))
        elif kind == "error":
            raise _error(line, self._secret)
        elif isinstance(kind, str):
            # no `Event`: these do not keep an idle call alive
            count_kind(self._skipped, kind, self._secret)

    def _text(self, text: str) -> Iterator[Event]:
        """Hold text back as long as the whole answer may be `NO_CREDIT`."""
        if self._visible:
            if text:
                yield Text(text)
            return
        self._held += text
        if not NO_CREDIT.startswith(self._held):
            yield from self._release()

    def _release(self) -> Iterator[Event]:
        """Emit the text that was held back."""
        text, self._held = self._held, ""
        if text:
            self._visible = True
            yield Text(text)


def _error(event: dict[str, JSON], secret: str) -> APIError:
    """The error of an error event, whose shape is unknown (section 6)."""
    data = event.get("data")
    details = data if isinstance(data, dict) else event
    found = (details.get(key) for key in ("data", "message", "error"))
    said = redact_text(next((v for v in found if isinstance(v, str)), ""), secret, limit=500)
    message = f"FlowGPT reported an error: {said or 'without a word'}"
    status = details.get("statusCode")
    if isinstance(status, int) and not isinstance(status, bool):
        return error_class(status)(message, status_code=status, body=said)
    return ServerStreamError(message)


def _explained(error: APIError, service: FlowGPT) -> APIError:
    """Add the possible causes of a refusal (section 7)."""
    if isinstance(error, ChallengeError):
        return error
    who = "the token may have expired" if service.api_key else "anonymous use may be closed"
    said = f"{error}; {who}, or this machine's clock is wrong: requests are signed with it"
    if isinstance(error, AuthenticationError):
        error.login_url = SITE
        said += (
            f". Run `langchain-g4f login flowgpt --token` with a member's token. Login page: {SITE}"
        )
    error.args = (said,)
    return error


__all__ = ["FlowGPT", "FlowGPTDecoder", "plan", "sign"]
