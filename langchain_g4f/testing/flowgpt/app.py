"""The FlowGPT server as one ASGI app: signatures, members, the body, the answer.

Follows docs/protocols/flowgpt.md, sections 2, 4 to 7 and 10. The signature is computed here a
second time, and not by the client's own function: the two have to agree.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from langchain_g4f.testing.script import Prompt, ask, inline_tokens, is_due
from langchain_g4f.testing.streaming import StreamedResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from langchain_g4f.testing.recording import RecordedRequest
    from langchain_g4f.testing.script import ChatMessage, Reply, Script, Splitter
    from langchain_g4f.testing.streaming import Body

ANONYMOUS, MEMBERS = "/v3/chat-anonymous", "/v3/chat"

FRESH_S = 300.0
"""Largest difference between a timestamp and the server's clock, in seconds."""

REMEMBERED_S = 2 * FRESH_S
"""Seconds for which a nonce is remembered: as long as a timestamp can pass, early or late."""

_SIGNED = ("authorization", "x-flow-device-id", "x-timestamp", "x-nonce", "x-signature")
_SECONDS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class FlowGptOptions:
    """The operator's settings; `FlowGptSandbox` documents each of them."""

    script: Script
    login_required: bool
    models: Collection[str]
    pace_s: float
    split: Splitter
    retry_after_s: float | None
    clock: Callable[[], float]


class FlowGptError(Exception):
    """Ends a request with an error body (section 10)."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(status, error, message)
        self.status = status
        self.error = error
        self.message = message


class FlowGpt:
    """One server. Expects `recording.Recorder` around it.

    Attributes:
        prompts: What the model received.
        tokens: Tokens of the members who are signed in.
        running: Number of answers that are being generated.
    """

    def __init__(self, options: FlowGptOptions) -> None:
        self.prompts: list[list[ChatMessage]] = []
        self.tokens: set[str] = set()
        self.running = 0
        self._options = options
        self._nonces: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response: ASGIApp
        try:
            response = self._answer(scope["extensions"]["sandbox.request"])
        except FlowGptError as refusal:
            response = self._refused(refusal)
        self.running += 1
        try:
            await response(scope, receive, send)
        finally:
            self.running -= 1

    async def close(self) -> None:
        """Do nothing: answers end with their connections."""

    def _answer(self, record: RecordedRequest) -> ASGIApp:
        if record.path not in (ANONYMOUS, MEMBERS):
            raise FlowGptError(404, "not_found", f"there is nothing at {record.path}")
        if record.method != "POST":
            raise FlowGptError(405, "method_not_allowed", f"{record.method} is not allowed")
        self._check_signature(record.headers)
        token = record.headers["authorization"].removeprefix("Bearer ")
        members_only = record.path == MEMBERS or self._options.login_required
        if members_only and token not in self.tokens:
            message = "this endpoint needs a signed-in bearer token"
            raise FlowGptError(401, "login_required", message)
        prompt = _read_body(record.json, self._options.models)
        self.prompts.append(list(prompt.messages))
        try:
            reply = ask(self._options.script, prompt)
        except Exception as error:
            message = f"the script failed: {error!r}"
            raise FlowGptError(500, "model_error", message) from error
        if reply.error and reply.error_after is None and reply.error[0] is not None:
            raise FlowGptError(reply.error[0], "model_error", reply.error[1])
        pace_s = self._options.pace_s if reply.pace_s is None else reply.pace_s
        left = asyncio.Event()
        tokens = inline_tokens(reply, self._options.split)
        return StreamedResponse(_events(reply, tokens, pace_s, left), "text/plain", left.set)

    def _check_signature(self, headers: Mapping[str, str]) -> None:
        """Let each signed request pass once (section 4).

        Raises:
            FlowGptError: 401 for missing or stale fields, 403 for a wrong signature or a nonce
                that was used.
        """
        for name in _SIGNED:
            if not headers.get(name):
                raise FlowGptError(401, "missing_header", f"{name} is missing")
        timestamp, nonce = headers["x-timestamp"], headers["x-nonce"]
        now = self._options.clock()
        if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > FRESH_S:
            message = "x-timestamp is outside the accepted window"
            raise FlowGptError(401, "stale_timestamp", message)
        if not _NONCE.fullmatch(nonce):
            message = "x-nonce is not 32 hexadecimal digits in lower case"
            raise FlowGptError(401, "bad_nonce", message)
        text = "-".join([timestamp, nonce, headers["authorization"]])
        signature = hashlib.md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()
        if headers["x-signature"] != signature:
            raise FlowGptError(403, "bad_signature", "signature mismatch")
        self._nonces = {n: at for n, at in self._nonces.items() if now - at <= REMEMBERED_S}
        if nonce in self._nonces:
            raise FlowGptError(403, "nonce_reused", "x-nonce was already used")
        self._nonces[nonce] = now

    def _refused(self, refusal: FlowGptError) -> ASGIApp:
        headers = {}
        if refusal.status == 429 and self._options.retry_after_s is not None:
            headers["retry-after"] = f"{self._options.retry_after_s:g}"
        body = {
            "statusCode": refusal.status,
            "error": refusal.error,
            "message": refusal.message,
        }
        return JSONResponse(body, refusal.status, headers)


def _is(*types: type) -> Callable[[Any], bool]:
    # A boolean is an integer in Python, but no number in JSON.
    return lambda value: type(value) in types


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(message, dict)
        and message.get("role") in ("assistant", "user")
        and isinstance(message.get("content"), str)
        for message in value
    )


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "model": _is(str),
    "nsfw": _is(bool),
    "question": _is(str),
    "history": _is_history,
    "system": _is(str),
    "temperature": _is(int, float),
    "promptId": _is(str),
    "documentIds": _is(list),
    "generateImage": _is(bool),
    "generateAudio": _is(bool),
}


def _read_body(body: Any, models: Collection[str]) -> Prompt:
    """Return what the model is asked (section 5).

    Args:
        body: The parsed body.
        models: Names of the models there are.

    Raises:
        FlowGptError: 400 for a field that is missing or of another type, or an unknown model.
    """
    if not isinstance(body, dict):
        raise FlowGptError(400, "bad_request", "the body is no JSON object")
    for name, fits in _FIELDS.items():
        if not fits(body.get(name)):
            raise FlowGptError(400, "bad_request", f"{name} is missing or of the wrong type")
    if body["model"] not in models:
        raise FlowGptError(400, "bad_request", f"unknown model {body['model']}")
    messages: list[ChatMessage] = []
    if body["system"]:
        messages.append({"role": "system", "content": body["system"]})
    messages += [{"role": said["role"], "content": said["content"]} for said in body["history"]]
    messages.append({"role": "user", "content": body["question"]})
    return Prompt(body["model"], messages)


async def _events(reply: Reply, tokens: Iterator[str], pace_s: float, left: asyncio.Event) -> Body:
    """Yield the answer: JSON objects, each followed by an empty line, and no end marker.

    An answer cannot be stopped; it ends when its reader leaves (section 6).

    Args:
        reply: What goes wrong meanwhile, and when.
        tokens: What is said.
        pace_s: Seconds before each token.
        left: Set when the reader has left.
    """
    leaving = asyncio.ensure_future(left.wait())
    count = 0
    try:
        while True:
            problem = None
            try:
                token = next(tokens, None)
            except Exception as error:  # noqa: BLE001 -- whatever a script raises
                token, problem = "", f"the script failed: {error!r}"
            if is_due(reply.drop_after, count, token):
                yield None
                return
            if is_due(reply.hang_after, count, token):
                await leaving
            if reply.error and is_due(reply.error_after or 0, count, token):
                yield _event("error", reply.error[1])
                return
            await asyncio.wait({leaving}, timeout=pace_s)
            if token is None or left.is_set():
                return
            if problem is not None:
                yield _event("error", problem)
                return
            yield _event("text", token)
            count += 1
    finally:
        leaving.cancel()


def _event(kind: str, data: str) -> bytes:
    event = {"event": kind, "data": data}
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate becomes its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n\n"
