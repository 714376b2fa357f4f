"""The FlowGPT stand-in as one ASGI app: paths, members, error bodies.

Follows docs/protocols/flowgpt.md, sections 2, 7 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from langchain_g4f.testing.flowgpt.answer import Answer
from langchain_g4f.testing.flowgpt.gate import Gate, RefusedError
from langchain_g4f.testing.flowgpt.question import read_question
from langchain_g4f.testing.script import ask, inline_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from langchain_g4f.testing.recording import RecordedRequest
    from langchain_g4f.testing.script import ChatMessage, Prompt, Reply, Script, Splitter

ANONYMOUS, MEMBERS = "/v3/chat-anonymous", "/v3/chat"


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's settings; `FlowGptSandbox` documents each of them."""

    script: Script
    login_required: bool
    models: Collection[str]
    pace_s: float
    split: Splitter
    retry_after_s: float | None
    clock: Callable[[], float]


class FlowGpt:
    """One server. Expects `recorder.Recorder` around it.

    Attributes:
        prompts: What the model received.
        tokens: Those of the members who are signed in.
        running: Number of answers that are being generated.
    """

    def __init__(self, options: Options) -> None:
        self.prompts: list[list[ChatMessage]] = []
        self.tokens: set[str] = set()
        self.running = 0
        self._options = options
        self._gate = Gate(options.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = self._answer(scope["extensions"]["sandbox.request"])
        except RefusedError as refusal:
            response = self._refused(refusal)
        self.running += 1
        try:
            await response(scope, receive, send)
        finally:
            self.running -= 1

    async def close(self) -> None:
        """Nothing is left to do: answers end with their connections."""

    def _answer(self, record: RecordedRequest) -> ASGIApp:
        if record.path not in (ANONYMOUS, MEMBERS):
            raise RefusedError(404, "not_found", f"there is nothing at {record.path}")
        if record.method != "POST":
            raise RefusedError(405, "method_not_allowed", f"{record.method} is not allowed")
        self._gate.check(record.headers)
        self._check_member(record)
        prompt = read_question(record.json, self._options.models)
        self.prompts.append(list(prompt.messages))
        reply = self._ask(prompt)
        if reply.error and reply.error_after is None and reply.error[0] is not None:
            raise RefusedError(reply.error[0], "model_error", reply.error[1])
        pace_s = self._options.pace_s if reply.pace_s is None else reply.pace_s
        return Answer(reply, inline_tokens(reply, self._options.split), pace_s)

    def _check_member(self, record: RecordedRequest) -> None:
        if record.path == ANONYMOUS and not self._options.login_required:
            return
        if record.headers["authorization"].removeprefix("Bearer ") not in self.tokens:
            message = "this endpoint needs a signed-in bearer token"
            raise RefusedError(401, "login_required", message)

    def _ask(self, prompt: Prompt) -> Reply:
        try:
            return ask(self._options.script, prompt)
        except Exception as error:
            message = f"the script failed: {error!r}"
            raise RefusedError(500, "model_error", message) from error

    def _refused(self, refusal: RefusedError) -> ASGIApp:
        headers = {}
        if refusal.status == 429 and self._options.retry_after_s is not None:
            headers["retry-after"] = f"{self._options.retry_after_s:g}"
        body = {
            "statusCode": refusal.status,
            "error": refusal.error,
            "message": refusal.message,
        }
        return JSONResponse(body, refusal.status, headers)
