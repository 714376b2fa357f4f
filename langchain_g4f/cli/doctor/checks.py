"""The checks that `doctor` makes of one provider, and what they find.

A check that fails turns its own cell red, and those after it still run, unless nothing answers at
the address. Reachability needs no request of its own: the first answer of any kind shows it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import SecretStr

from langchain_g4f.auth.given_cookies import revealed
from langchain_g4f.chat_models.gradio_space import ChatGradioSpace
from langchain_g4f.cli.failure import message_of
from langchain_g4f.cli.providers import login_command
from langchain_g4f.cli.terminal import one_line
from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AppError,
    AuthenticationError,
    BadRequestError,
    ChallengeError,
    ConfigurationError,
    EmptyResponseError,
    G4FError,
    MalformedStreamError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    SpaceNotRunningError,
    StreamInterruptedError,
)

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F
    from langchain_g4f.providers.gradio_space.identity import GPUQuota

Name = Literal["reachable", "server", "signed_in", "models", "streaming"]
"""The checks, in their order."""
Status = Literal["ok", "FAIL", "skipped", "not asked"]
"""`skipped`: another check stands in the way. `not asked`: the service offers nothing to check."""

QUESTION = "Answer with one word: is the sky blue?"
GRACE_S = 1.0
"""Seconds added to a check's time limit, so that the model's own, more precise timeout is first."""

_LONGEST = 300
_ADVICE: tuple[tuple[type[G4FError], str], ...] = (
    # The first match counts, so subclasses come before their bases.
    (ChallengeError, "try --impersonate chrome, or another network"),
    (QuotaExceededError, "wait until there is credit again, or use another account"),
    (RateLimitError, "wait a minute, and send fewer requests"),
    (ModelNotFoundError, "choose one of its models with --model"),
    (NotFoundError, "check the address: --base-url needs its path, --space is owner/name"),
    (PermissionDeniedError, "check the account, and the clock of this machine"),
    (BadRequestError, "choose another model with --model; the service may have changed"),
    (MalformedStreamError, "check the address; the service may have changed its protocol"),
    (EmptyResponseError, "ask again, or choose another model with --model"),
    (StreamInterruptedError, "ask again; if it persists, a proxy or the service cuts answers off"),
    (APITimeoutError, "ask again later, or with a longer --timeout"),
    (APIConnectionError, "check the address, the network and the proxy"),
    (AppError, "ask again later, or tell the owner of the Space"),
    (ConfigurationError, "change the settings"),
)
_OTHERWISE = "ask again later: the service itself has failed"
_WAKING = ("SLEEPING", "STOPPED", "BUILDING", "APP_STARTING")


def in_a_line(error: Exception, *secrets: str) -> str:
    """The message of an error in one line, without credentials and the name of the provider.

    Args:
        error: Any error that a user can meet.
        secrets: Values that must not be shown.
    """
    provider = error.provider if isinstance(error, APIError) else ""
    return _shortened(message_of(error).removeprefix(f"{provider}: "), *secrets)


def _shortened(text: str, *secrets: str) -> str:
    return one_line(redact_text(text, *secrets, limit=_LONGEST))


def _secrets_of(model: BaseChatG4F) -> tuple[str, ...]:
    """The credentials that a chat model uses."""
    found: list[str] = []
    for name in model.lc_secrets:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif value:
            several = revealed(value)
            found += several.values() if isinstance(several, dict) else several
    return tuple(found)


def _advice_for(error: G4FError) -> str:
    if isinstance(error, SpaceNotRunningError):
        if error.stage in _WAKING:
            return "ask again in a minute or with a longer --timeout: it is waking up"
        return "only the owner of the Space can start it"
    return next((advice for kind, advice in _ADVICE if isinstance(error, kind)), _OTHERWISE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what to do about it; a line each."""

    check: Name
    what: str
    advice: str


@dataclass(slots=True)
class Finding:
    """The results for one provider.

    Attributes:
        provider: Key of `PROVIDERS`.
        address: URL of the server; empty if the settings name none.
        model: Name of the model to ask; None for the server's default.
        checks: Status of each check.
        login: Whether a login is used, whether it was passed in or saved.
        server: Kind and version of the server; empty if it does not say.
        user: Name of the user; None if not signed in, or if the service does not say.
        gpu_quota: The ZeroGPU time of the account; None if it is not known.
        models: Number of models; of known ones if the service has no list.
        default_model: The first of them.
        chunks: Number of pieces of the answer.
        first_token_ms: Milliseconds from the question to the first piece, all requests included.
        problems: What is wrong, the first cause first.
    """

    provider: str
    address: str = ""
    model: str | None = None
    checks: dict[Name, Status] = field(
        default_factory=lambda: dict.fromkeys(get_args(Name), "skipped")
    )
    login: bool = False
    server: str = ""
    user: str | None = None
    gpu_quota: GPUQuota | None = None
    models: int | None = None
    default_model: str | None = None
    chunks: int = 0
    first_token_ms: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def answers(self) -> bool:
        """Whether the provider can be used now."""
        return self.checks["streaming"] == "ok"

    def fail(self, check: Name, what: str, advice: str) -> None:
        """Mark a check as failed; the same advice is given only once."""
        self.checks[check] = "FAIL"
        if all(problem.advice != advice for problem in self.problems):
            self.problems.append(Problem(check, what, advice))

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints; its keys are always the same."""
        return {
            "provider": self.provider,
            "address": self.address,
            "answers": self.answers,
            "checks": self.checks,
            "server": self.server or None,
            "login": self.login,
            "user": self.user,
            "gpu_seconds_left": self.gpu_quota.current if self.gpu_quota else None,
            "models": self.models,
            "default_model": self.default_model,
            "model": self.model,
            "chunks": self.chunks,
            "first_token_ms": self.first_token_ms,
            "problems": [asdict(problem) for problem in self.problems],
        }


class Examination:
    """Checks one provider.

    Args:
        model: Its chat model.
        finding: Receives the results.
        timeout_s: Seconds for each check.
    """

    def __init__(self, model: BaseChatG4F, finding: Finding, timeout_s: float) -> None:
        self.finding = finding
        self._model = model
        self._timeout_s = timeout_s
        self._secrets = _secrets_of(model)
        self._log_in = f"log in: {login_command(finding.provider, model)}"
        finding.login = model.has_login

    async def run(self) -> None:
        """Make all checks that the earlier ones leave sensible."""
        await self._check("server", self._server)
        await self._check("signed_in", self._signed_in)
        await self._look_up_gpu_quota()
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
            late = f"it was not finished within {self._timeout_s:g} s"
            self._blame(name, APITimeoutError(late, kind="total"))
        else:
            checks[name] = status
            if status == "ok":
                checks["reachable"] = "ok"

    def _blame(self, name: Name, error: G4FError) -> None:
        """Mark the check that explains the error, which may be another than the one that failed."""
        what, advice = in_a_line(error, *self._secrets), _advice_for(error)
        if self._is_unreachable(name, error):
            self.finding.fail("reachable", what, advice)
            return
        if isinstance(error, APIError):
            self.finding.checks["reachable"] = "ok"
        if isinstance(error, AuthenticationError) and (error.login_url or error.login_command):
            self._fail_login(f"{self.finding.address} requires a login", error.login_command)
            return
        # During an answer, it may be the service that cannot log in to its own backend.
        if isinstance(error, AuthenticationError) and name != "streaming":
            advice = f"check the address; if only members can use it, {self._log_in}"
        self.finding.fail(name, what, advice)

    def _is_unreachable(self, name: Name, error: G4FError) -> bool:
        if isinstance(error, SpaceNotRunningError):
            return True
        if self.finding.checks["reachable"] == "ok":
            return False
        if isinstance(error, APITimeoutError):
            return name == "server" or error.kind in ("connect", "pool")
        return isinstance(error, APIConnectionError)

    def _fail_login(self, what: str, command: str = "") -> None:
        if self.finding.login:
            what += ", and does not accept the login that is used"
        self.finding.fail("signed_in", what, f"log in: {command}" if command else self._log_in)

    async def _look_up_gpu_quota(self) -> None:
        """Find out how much GPU time is left; it is no failure if the Hub does not say."""
        model = self._model
        if not (isinstance(model, ChatGradioSpace) and model.api_key):
            return
        if self.finding.checks["reachable"] == "FAIL":
            return
        with suppress(G4FError, TimeoutError):
            async with asyncio.timeout(self._timeout_s + GRACE_S):
                self.finding.gpu_quota = await model.aquota()

    # -- the checks --------------------------------------------------------------

    async def _server(self) -> Status:
        described, _, _ = (await self._model.adescribe()).partition("\n")
        self.finding.server = _shortened(described, *self._secrets)
        return "ok" if self.finding.server else "not asked"

    async def _signed_in(self) -> Status:
        if not self.finding.login:
            return "not asked"
        try:
            user = await self._model.awhoami()
        except ConfigurationError:
            return "not asked"
        if user is None:
            self._fail_login(f"{self._model.account_url} says that no user is signed in")
            return "FAIL"
        self.finding.user = _shortened(user, *self._secrets)
        return "ok"

    async def _models(self) -> Status:
        found = await self._model.aget_models()
        if not found:
            raise MalformedStreamError("the list of models is empty")
        self.finding.models = len(found)
        self.finding.default_model = _shortened(found[0], *self._secrets)
        return "ok" if self._model.has_model_list else "not asked"

    async def _streaming(self) -> Status:
        began, answered = time.monotonic(), False
        async for chunk in self._model.astream(QUESTION):
            answers = bool(chunk.text) or "files" in chunk.additional_kwargs
            answered = answered or answers
            if not (answers or chunk.additional_kwargs.get("reasoning_content")):
                continue
            self.finding.chunks += 1
            if self.finding.first_token_ms is None:
                self.finding.first_token_ms = round(1000 * (time.monotonic() - began))
        if not answered:
            raise EmptyResponseError("the answer is empty")
        return "ok"
