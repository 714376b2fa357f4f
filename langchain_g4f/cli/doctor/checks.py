"""The checks of one provider, one after the other.

A check that fails turns its own cell red, and those after it still run, unless nothing
answers at the address. Whether something does is no request of its own: the first
answer of any kind shows it, and so a service without anything but a chat is asked once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from langchain_g4f.cli.doctor.advice import (
    clean,
    how_to_log_in,
    in_a_line,
    secrets_of,
    what_to_do,
)
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    EmptyResponseError,
    G4FError,
    MalformedStreamError,
    SpaceNotRunningError,
)

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.cli.doctor.findings import Finding, Name, Status

QUESTION = "Answer with one word: is the sky blue?"

GRACE_S = 1.0
"""Seconds that the model's own clocks are given to speak first: they know what they waited for."""


class Examination:
    """Checks one provider.

    Args:
        model: Its chat model.
        finding: Where the results go.
        timeout_s: Seconds for each check.
    """

    def __init__(self, model: BaseChatG4F, finding: Finding, timeout_s: float) -> None:
        self.finding = finding
        self._model = model
        self._timeout_s = timeout_s
        self._secrets = secrets_of(model)
        finding.login = any(getattr(model, name, None) for name in ("cookies", "api_key"))

    async def run(self) -> None:
        """Do all checks that make sense."""
        await self._check("server", self._server)
        await self._check("signed_in", self._signed_in)
        await self._check("models", self._models)
        await self._check("streaming", self._streaming)

    async def _check(self, name: Name, check: Callable[[], Awaitable[Status]]) -> None:
        checks = self.finding.checks
        if "FAIL" in (checks["reachable"], checks[name]):
            return
        try:
            async with asyncio.timeout(self._timeout_s + GRACE_S):
                status = await check()
        except G4FError as error:
            self._blame(name, error)
        except TimeoutError:
            late = f"it was not over within {self._timeout_s:g} s"
            self._blame(name, APITimeoutError(late, kind="total"))
        else:
            checks[name] = status
            if status == "ok":
                checks["reachable"] = "ok"

    def _blame(self, name: Name, error: G4FError) -> None:
        """Mark the check that is the reason, which may be another than the one that failed."""
        what, advice = in_a_line(error, *self._secrets), what_to_do(error)
        if self._is_away(name, error):
            self.finding.fail("reachable", what, advice)
            return
        if isinstance(error, APIError):
            self.finding.checks["reachable"] = "ok"
        if isinstance(error, AuthenticationError) and error.login_url:
            self._fail_login(f"{self.finding.address} wants a login")
            return
        # in an answer it may be the service that is unknown to its own backend
        if isinstance(error, AuthenticationError) and name != "streaming":
            advice = f"check the address; if it is for members alone, {self._log_in}"
        self.finding.fail(name, what, advice)

    def _is_away(self, name: Name, error: G4FError) -> bool:
        """Whether there is nothing that answers."""
        if isinstance(error, SpaceNotRunningError):
            return True
        if self.finding.checks["reachable"] == "ok":
            return False
        if isinstance(error, APITimeoutError):
            return name == "server" or error.kind in ("connect", "pool")
        return isinstance(error, APIConnectionError)

    def _fail_login(self, what: str) -> None:
        if self.finding.login:
            what += ", and does not know the one that is used"
        self.finding.fail("signed_in", what, self._log_in)

    @property
    def _log_in(self) -> str:
        return f"log in: {how_to_log_in(self.finding.provider, self._model)}"

    def _clean(self, text: str) -> str:
        return clean(text, *self._secrets)

    # -- the checks --------------------------------------------------------------

    async def _server(self) -> Status:
        self.finding.server = self._clean(await self._model.adescribe())
        return "ok" if self.finding.server else "not asked"

    async def _signed_in(self) -> Status:
        if not self.finding.login:
            return "not asked"
        try:
            user = await self._model.awhoami()
        except ConfigurationError:
            return "not asked"
        if user is None:
            self._fail_login(f"nobody is signed in at {self._model.account_url}")
            return "FAIL"
        self.finding.user = self._clean(user)
        return "ok"

    async def _models(self) -> Status:
        model = self._model
        found = await model.aget_models()
        if not found:
            raise MalformedStreamError("the list of models is empty")
        self.finding.models = len(found)
        self.finding.default_model = self._clean(found[0])
        return "ok" if model.has_model_list else "not asked"

    async def _streaming(self) -> Status:
        began, answered = time.monotonic(), False
        async for chunk in self._model.astream(QUESTION):
            says = _says_something(chunk)
            answered = answered or says
            if not (says or chunk.additional_kwargs.get("reasoning_content")):
                continue
            self.finding.chunks += 1
            if self.finding.first_token_ms is None:
                self.finding.first_token_ms = round(1000 * (time.monotonic() - began))
        if not answered:
            raise EmptyResponseError("the answer is empty")
        return "ok"


def _says_something(chunk: AIMessageChunk) -> bool:
    return bool(chunk.text) or "files" in chunk.additional_kwargs


__all__ = ["QUESTION", "Examination"]
