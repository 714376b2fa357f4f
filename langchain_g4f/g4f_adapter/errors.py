"""A provider's exceptions as ours (docs/protocols/g4f-provider-interface.md, section 4).

Exceptions are known by the names of their classes, because the libraries they come from are not
imported. The original becomes the cause of ours, or a stand-in does if it holds a credential. The
local variables of its frames are cleared: they hold requests with credentials, and some
tracebacks print them.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from traceback import clear_frames

from langchain_g4f.core.error_mapping import error_class
from langchain_g4f.core.http import JSON
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

_LONGEST = 10_000
"""Characters of an exception's text that a stand-in shows."""

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
"""Our class for each of theirs; the first match along the exception's own classes counts."""
_STATUSES = {
    BadRequestError: 400,
    AuthenticationError: 401,
    QuotaExceededError: 402,
    ChallengeError: 403,
    RateLimitError: 429,
}
_STATUS = re.compile(r"\b(?:Response|Error) (\d{3})\b")
"""Where a `ResponseStatusError` has its status."""
_STATUS_AT_START = re.compile(r"Error ([45]\d\d): ")
"""Where a `ResponseError` has it, if it has one."""

_CUT = ("ChunkedEncodingError", "ClientPayloadError", "IncompleteRead", "IncompleteReadError")
_DISCONNECTED = (
    "APIConnectionError",
    "BrokenResourceError",
    "ClientConnectionError",
    "ClientHttpProxyError",
    "ConnectionClosed",
    "ConnectionError",
    "DNSError",
    "NameResolutionError",
    "NetworkError",
    "NewConnectionError",
    "ProtocolError",
    "ProxyError",
    "RemoteProtocolError",
    "SSLError",
    "WebSocketConnectionClosedException",
    "gaierror",
)
_NETWORK: dict[str, type[APIError]] = {
    **dict.fromkeys(_CUT, StreamInterruptedError),
    **dict.fromkeys(_DISCONNECTED, APIConnectionError),
}
"""By names of classes of the standard library, aiohttp, anyio, curl_cffi, httpx, requests,
urllib3, websockets and websocket-client; most of their other classes derive from these."""
_TIMEOUTS = ("Timeout", "TimeoutError", "TimeoutException")
"""How the names of classes end that mean a timeout."""
_UNREACHABLE = (errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH)
"""Numbers of an `OSError` that has no class of its own."""
_CURL_STREAM = (16, 92, 95)
"""libcurl's numbers for failures of HTTP/2 and HTTP/3, which have no class of their own."""


class ProviderExitError(Exception):
    """A provider raised what would end a whole task or program; that is the cause."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self.__cause__ = raised


class RedactedError(Exception):
    """Stands for a provider's exception that held a credential: its class and its masked text."""


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
        error: Exception that the provider raised or yielded.
        provider: Name of the provider, for the message.
        login: Advice for an error that wants a login.
        secrets: Texts that must not be quoted, should the provider repeat them.
        begun: Whether a part of the answer was given.
        around: Exception that the caller was handling when the provider was asked.
    """
    if isinstance(error, G4FError):
        ours, theirs = error, error.__cause__ or error.__context__
    else:
        theirs = (isinstance(error, ProviderExitError) and error.__cause__) or error
        text = redact_text(_message(theirs), *secrets, limit=500) or type(theirs).__name__
        ours = _ours(theirs, provider, text, login, begun=begun, around=around)
    if theirs is None or theirs is around:
        return ours
    for link in _chain(theirs, around):
        clear_frames(link.__traceback__)
    shown = _without_secrets(theirs, secrets, around)
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
    message = f"{provider}: {text}"
    if not isinstance(error, Exception):  # CancelledError, SystemExit and the like
        return StreamInterruptedError(f"{provider}: ended by {name}: {text}", provider=provider)
    if isinstance(error, ImportError):
        return MissingDependencyError(message)
    kind = next((_KINDS[c.__name__] for c in type(error).__mro__ if c.__name__ in _KINDS), None)
    status = 0
    if kind is None:
        status = _status_of(error)
    elif kind in (ServerError, ServerStreamError):
        where = _STATUS.search if kind is ServerError else _STATUS_AT_START.match
        if found := where(_message(error)):
            status = int(found[1])
    if status:
        return error_class(status)(message, status_code=status, provider=provider)
    if kind is None or kind is ServerStreamError:
        if kind is None and network_error(error, around) is None:
            message = f"{provider}: {name}: {text}"
        return _of_stream(error, message, provider, begun=begun, around=around)
    if kind is AuthenticationError and login:
        message = f"{message}; {login}"
    if issubclass(kind, APIStatusError):
        return kind(message, status_code=_STATUSES.get(kind, 0), provider=provider)
    return kind(message)


def _of_stream(
    error: Exception, message: str, provider: str, *, begun: bool, around: BaseException | None
) -> APIError:
    network = network_error(error, around)
    if network is APITimeoutError:
        return APITimeoutError(message, kind="total", request_sent=True, provider=provider)
    if network is APIConnectionError and not begun:
        return APIConnectionError(message, request_sent=True, provider=provider)
    kind = ServerStreamError if network is None else StreamInterruptedError
    return kind(message, provider=provider)


def _status_of(error: BaseException) -> int:
    """The status that an HTTP library's error or its response has; 0 for none."""
    with suppress(Exception):  # properties are the provider's code
        for holder in (error, getattr(error, "response", None)):
            for name in ("status_code", "status"):
                found = getattr(holder, name, None)
                if isinstance(found, int) and 400 <= found < 600:
                    return found
    return 0


def network_error(error: BaseException, around: BaseException | None) -> type[APIError] | None:
    """Our class for a failure of the network, in an exception or behind it; None for no such."""
    return next(filter(None, map(_network_error, _chain(error, around))), None)


def _network_error(link: BaseException) -> type[APIError] | None:
    for kind in type(link).__mro__:
        if kind.__name__.endswith(_TIMEOUTS):
            return APITimeoutError
        if found := _NETWORK.get(kind.__name__):
            return found
        if kind.__name__ == "CurlError" and getattr(link, "code", 0) in _CURL_STREAM:
            return APIConnectionError
    if isinstance(link, OSError) and link.errno in _UNREACHABLE:
        return APIConnectionError
    return None


def _chain(error: BaseException, around: BaseException | None) -> Iterator[BaseException]:
    """An exception and those it came from, except the one that the caller was handling."""
    seen = {id(around)}
    found: list[BaseException | None] = [error]
    while found:
        link = found.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            found += link.exceptions
        found += (link.__context__, link.__cause__)


def _message(error: BaseException) -> str:
    """The text of an exception; empty if it fails to give one."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 -- it is the provider's code
        return ""


def _without_secrets(
    error: BaseException, secrets: Sequence[str], around: BaseException | None
) -> BaseException:
    """The exception, if neither it nor what it came from holds a credential; else a stand-in.

    A stand-in has the tracebacks of what it stands for, and the names of the classes.
    """
    chain = list(_chain(error, around))
    if not any(_has_secret(link, secrets) for link in chain):
        return error
    first: RedactedError | None = None
    for link in reversed(chain):
        text = redact_text(_message(link), *secrets, limit=_LONGEST)
        shown = RedactedError(f"{type(link).__name__}: {text}")
        shown.__cause__, first = first, shown.with_traceback(link.__traceback__)
    return first or error


def _has_secret(link: BaseException, secrets: Sequence[str]) -> bool:
    text = "\n".join([_message(link), *getattr(link, "__notes__", ())])
    if redact_text(text, *secrets, limit=_LONGEST) != text:
        return True
    if not secrets:
        return False
    try:  # HTTP libraries attach the request to an exception
        names = ("request", "request_info", "response")
        sent = any(getattr(link, name, None) is not None for name in names)
        held = repr(vars(link))
    except Exception:  # noqa: BLE001 -- it is the provider's code
        return True
    return sent or any(secret in held for secret in secrets)


def error_in(
    data: Mapping[str, JSON], provider: str, secrets: Sequence[str] = ()
) -> ServerStreamError | None:
    """The error that an object reports; None if it reports none.

    Args:
        data: Object that was received in place of an answer.
        provider: Name of the provider, for the message.
        secrets: Texts that must not be quoted.
    """
    message = _reported(data)
    if message is None:
        return None
    text = redact_text(f"{provider}: {message}", *secrets, limit=500)
    return ServerStreamError(text, provider=provider)


def _reported(data: Mapping[str, JSON]) -> str | None:
    if data.get("error_message"):
        return str(data["error_message"])
    error = data.get("error")
    if not error:
        return None
    match error:
        case {"code": code, **more} if code:
            failed = more.get("failed_generation")
            message = f"Error {code}: {more.get('message') or '(no message)'}"
            return f"{message}\n{failed}" if failed else message
        case {"message": message} if message:
            return str(message)
        case True:
            return str(dict(data))
    return str(error)


__all__ = ["ProviderExitError", "RedactedError", "error_in", "network_error", "translated"]
