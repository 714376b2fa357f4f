"""Other people's exceptions as ours (docs/protocols/g4f-provider-interface.md, section 4).

They are known by the names of their classes, for the package they come from is not imported.
The original is the cause of ours, or a stand-in for it if there is a credential in its words.
What its frames held is forgotten: that is requests, with credentials, and some tracebacks show
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from traceback import clear_frames
from typing import TYPE_CHECKING

from langchain_g4f.chat_models.g4f.causes import (
    Failure,
    ProviderExitError,
    links,
    network_failure,
    without_secrets,
    words_of,
)
from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ChallengeError,
    ConfigurationError,
    G4FError,
    MissingDependencyError,
    ModelNotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServerStreamError,
    StreamInterruptedError,
)

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

_KINDS: dict[str, type[G4FError]] = {
    "MissingAuthError": AuthenticationError,
    "NoValidHarFileError": AuthenticationError,
    "PaymentRequiredError": QuotaExceededError,
    "RateLimitError": RateLimitError,
    "CloudflareError": ChallengeError,
    "BadRequestError": BadRequestError,
    "ModelNotFoundError": ModelNotFoundError,
    "ModelNotAllowedError": ModelNotFoundError,
    "ModelNotSupportedError": ModelNotFoundError,
    "ProviderNotFoundError": ConfigurationError,
    "ProviderNotWorkingError": ConfigurationError,
    "StreamNotSupportedError": ConfigurationError,
    "MissingRequirementsError": MissingDependencyError,
    "RetryProviderError": ServerStreamError,
    "RetryNoProviderError": ServerStreamError,
    "ResponseStatusError": ServerError,
    "ResponseError": ServerStreamError,
    "G4FError": ServerStreamError,
}
"""What each class means; the first that is found along the exception's own classes counts."""

_STATUSES = {
    BadRequestError: 400,
    AuthenticationError: 401,
    QuotaExceededError: 402,
    ChallengeError: 403,
    RateLimitError: 429,
}
_STATUS = re.compile(r"\b(?:Response|Error) (\d{3})\b")
_SAID = re.compile(r"Error ([45]\d\d): ")
"""How a response that reports an error begins where its status is known."""


def translated(
    error: BaseException,
    provider: str,
    *,
    login: str = "",
    secrets: Sequence[str] = (),
    begun: bool = False,
    around: BaseException | None = None,
) -> G4FError:
    """Our error for a provider's; its cause is the original, without credentials.

    Args:
        error: What the provider raised or yielded.
        provider: Name of the provider, for the message.
        login: What a caller can do about an error that wants a login.
        secrets: What must not be quoted, should the provider repeat it.
        begun: Whether something of an answer was given.
        around: What the caller was handling when the provider was asked.
    """
    if isinstance(error, G4FError):
        ours, theirs = error, error.__cause__ or error.__context__
    else:
        theirs = (isinstance(error, ProviderExitError) and error.__cause__) or error
        text = redact_text(words_of(theirs), *secrets, limit=500) or type(theirs).__name__
        ours = _ours(theirs, provider, text, login, begun=begun, around=around)
    if theirs is None or theirs is around:
        return ours
    for link in links(theirs, around):
        clear_frames(link.__traceback__)
    shown = without_secrets(theirs, secrets, around)
    if ours is not error or shown is not theirs:
        ours.__cause__, ours.__context__ = shown, None
    return ours


def _ours(
    error: BaseException,
    provider: str,
    text: str,
    login: str,
    *,
    begun: bool,
    around: BaseException | None,
) -> G4FError:
    name = type(error).__name__
    said = f"{provider}: {text}"
    if not isinstance(error, Exception):  # CancelledError, SystemExit and their like
        return StreamInterruptedError(f"{provider}: ended by {name}: {text}", provider=provider)
    if isinstance(error, ImportError):
        return MissingDependencyError(said)
    kind = next((_KINDS[c.__name__] for c in type(error).__mro__ if c.__name__ in _KINDS), None)
    found = _STATUS.search(words_of(error)) if kind is ServerError else _SAID.match(words_of(error))
    if kind is ServerError or (kind is ServerStreamError and found):
        status = int(found[1]) if found else 0
        status_kind = error_class(status) if status else ServerError
        return status_kind(said, status_code=status, provider=provider)
    if kind is None and (status := _status_of(error)):
        return error_class(status)(said, status_code=status, provider=provider)
    if kind is None or kind is ServerStreamError:
        failure = network_failure(error, around)
        if failure is Failure.TIMEOUT:
            return APITimeoutError(said, kind="total", request_sent=True, provider=provider)
        if failure is Failure.CUT or (failure and begun):
            return StreamInterruptedError(said, provider=provider)
        if failure is Failure.CONNECTION:
            return APIConnectionError(said, request_sent=True, provider=provider)
        return ServerStreamError(said if kind else f"{provider}: {name}: {text}", provider=provider)
    if kind is AuthenticationError and login:
        said = f"{said}; {login}"
    if issubclass(kind, APIStatusError):
        return kind(said, status_code=_STATUSES.get(kind, 0), provider=provider)
    return kind(said)


def _status_of(error: BaseException) -> int:
    """The status that an HTTP library's error has, or its response; 0 for none."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            found = getattr(holder, name, None)
            if isinstance(found, int) and 400 <= found < 600:
                return found
    return 0


def error_in(
    data: Mapping[str, JSON],
    provider: str,
    status: int | None = None,
    *,
    secrets: Sequence[str] = (),
) -> APIError | None:
    """The error that an object reports; None if it reports none.

    Args:
        data: What was received in place of an answer.
        provider: Name of the provider, for the message.
        status: HTTP status it came with, if any.
        secrets: What must not be quoted.
    """
    message = _message_in(data)
    if message is None:
        return None
    text = redact_text(f"{provider}: {message}", *secrets, limit=500)
    if status is None:
        return ServerStreamError(text, provider=provider)
    kind = QuotaExceededError if status == 402 else error_class(status)
    return kind(text, status_code=status, provider=provider)


def _message_in(data: Mapping[str, JSON]) -> str | None:
    if data.get("error_message"):
        return str(data["error_message"])
    error = data.get("error")
    if not error:
        return None
    match error:
        case str():
            return error
        case {"code": code, **more} if code:
            said = str(more.get("message") or "(no message)")
            failed = more.get("failed_generation")
            return f"Error {code}: {said}" + (f"\n{failed}" if failed else "")
        case {"message": message} if message:
            return str(message)
        case True:
            return str(dict(data))
        case _:
            return str(error)


__all__ = ["error_in", "translated"]
