"""What an exception of a provider came from: whether the network, and what may be shown of it.

Exceptions are known by the names of their classes, for the libraries they come from are not
imported.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from enum import Enum

from langchain_g4f.core.redact import redact_text

_LONGEST = 10_000  # characters of an exception that are shown
_UNREACHABLE = (errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH)
"""What the system says in an `OSError` of no class of its own."""
_CURL_STREAM = (16, 92, 95)
"""How libcurl numbers failures of HTTP/2 and HTTP/3, which have no class of their own."""
_SENT = ("request", "request_info", "response")
"""Attributes by which HTTP libraries hang what was sent on an exception."""


class Failure(Enum):
    """What the network did."""

    TIMEOUT = "it took too long"
    CONNECTION = "there is no connection, or none any more"
    CUT = "the body of an answer ended too early"


_FAILURES = {
    **dict.fromkeys(
        (
            "ChunkedEncodingError",
            "ClientPayloadError",
            "IncompleteRead",
            "IncompleteReadError",
        ),
        Failure.CUT,
    ),
    **dict.fromkeys(
        (
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
        ),
        Failure.CONNECTION,
    ),
}
"""By the names of classes of the standard library, aiohttp, anyio, curl_cffi, httpx, requests,
urllib3, websockets and websocket-client; most others of theirs derive from these."""
_TIMEOUTS = ("Timeout", "TimeoutError", "TimeoutException")
"""How the names of all classes end that mean a timeout."""


class ProviderExitError(Exception):
    """A provider raised what would end a whole task or program.

    Args:
        raised: What it was; also the cause.
    """

    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self.__cause__ = raised


class RedactedError(Exception):
    """Stands for a provider's exception that had a credential in it: its class and its words."""


def links(error: BaseException, until: BaseException | None = None) -> Iterator[BaseException]:
    """An exception and what it came from.

    Args:
        error: The exception.
        until: One that was being handled around the call, which is no part of it.
    """
    seen = {id(until)}
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


def network_failure(error: BaseException, until: BaseException | None = None) -> Failure | None:
    """What the network did to make a provider fail; None if it was something else."""
    return next(filter(None, map(_failure, links(error, until))), None)


def _failure(link: BaseException) -> Failure | None:
    for kind in type(link).__mro__:
        if kind.__name__.endswith(_TIMEOUTS):
            return Failure.TIMEOUT
        if found := _FAILURES.get(kind.__name__):
            return found
        if kind.__name__ == "CurlError" and getattr(link, "code", 0) in _CURL_STREAM:
            return Failure.CONNECTION
    if isinstance(link, OSError) and link.errno in _UNREACHABLE:
        return Failure.CONNECTION
    return None


def words_of(error: BaseException) -> str:
    """What an exception says; nothing, if it fails to say it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 -- it is other people's
        return ""


def without_secrets(
    error: BaseException, secrets: Sequence[str], until: BaseException | None = None
) -> BaseException:
    """The exception, if nothing it came from has a credential in it; otherwise a stand-in.

    A stand-in has the tracebacks of what it stands for, and the names of the classes.

    Args:
        error: The exception.
        secrets: What must not be shown, besides what looks like a credential.
        until: See `links`.
    """
    chain = list(links(error, until))
    if not any(_has_secret(link, secrets) for link in chain):
        return error
    first: RedactedError | None = None
    for link in reversed(chain):
        said = redact_text(words_of(link), *secrets, limit=_LONGEST)
        shown = RedactedError(f"{type(link).__name__}: {said}")
        shown.__cause__, first = first, shown.with_traceback(link.__traceback__)
    return first or error


def _has_secret(link: BaseException, secrets: Sequence[str]) -> bool:
    said = "\n".join([words_of(link), *getattr(link, "__notes__", ())])
    if redact_text(said, *secrets, limit=_LONGEST) != said:
        return True
    if not secrets:
        return False
    try:
        held = repr(vars(link))
        sent = any(getattr(link, name, None) is not None for name in _SENT)
    except Exception:  # noqa: BLE001 -- it is other people's
        return True
    return sent or any(secret in held for secret in secrets)


__all__ = [
    "Failure",
    "ProviderExitError",
    "RedactedError",
    "links",
    "network_failure",
    "without_secrets",
    "words_of",
]
