"""Other people's exceptions as ours (docs/protocols/g4f-provider-interface.md, section 4).

They are known by the names of their classes, for the package they come from is not imported.
The original is the cause of ours. What its frames held is forgotten: that is requests, with
credentials, and some tracebacks show it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from traceback import clear_frames
from typing import TYPE_CHECKING

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
)
from langchain_g4f.redact import redact_text
from langchain_g4f.status import error_class

if TYPE_CHECKING:
    from langchain_g4f.wire import JSON

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
    error: Exception, provider: str, *, login: str = "", secrets: Sequence[str] = ()
) -> G4FError:
    """Our error for a provider's; its cause is the original.

    Args:
        error: What the provider raised or yielded.
        provider: Name of the provider, for the message.
        login: What a caller can do about an error that wants a login.
        secrets: What must not be quoted, should the provider repeat it.
    """
    if isinstance(error, G4FError):
        return error
    name = type(error).__name__
    ours = _ours(error, provider, redact_text(str(error), *secrets, limit=500) or name, login)
    ours.__cause__ = error
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    return ours


def _ours(error: Exception, provider: str, text: str, login: str) -> G4FError:
    name = type(error).__name__
    said = f"{provider}: {text}"
    if isinstance(error, TimeoutError) or name.endswith("TimeoutError"):
        return APITimeoutError(said, kind="total", request_sent=True, provider=provider)
    if isinstance(error, ConnectionError):
        return APIConnectionError(said, request_sent=True, provider=provider)
    if isinstance(error, ImportError):
        return MissingDependencyError(said)
    kind = next((_KINDS[c.__name__] for c in type(error).__mro__ if c.__name__ in _KINDS), None)
    found = _STATUS.search(str(error)) if kind is ServerError else _SAID.match(str(error))
    if kind is ServerError or (kind is ServerStreamError and found):
        status = int(found[1]) if found else 0
        status_kind = error_class(status) if status else ServerError
        return status_kind(said, status_code=status, provider=provider)
    if kind is None or kind is ServerStreamError:
        return ServerStreamError(said if kind else f"{provider}: {name}: {text}", provider=provider)
    if kind is AuthenticationError and login:
        said = f"{said}; {login}"
    if issubclass(kind, APIStatusError):
        return kind(said, status_code=_STATUSES.get(kind, 0), provider=provider)
    return kind(said)


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
