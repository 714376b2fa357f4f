"""Every error this package raises, as one tree.

Each leaf is also the LangChain class with the same meaning, so ``is_retryable``,
retry middleware and ``with_fallbacks`` work as they do for other chat models::

    G4FError
      ConfigurationError (ValueError)         before any byte is sent
      MissingDependencyError (ImportError)    names the extra and the pip command
      APIError                                provider, phase, request_id, partial_text
        APIConnectionError                    request_sent
        APITimeoutError                       kind
        APIStatusError                        status_code, body, retry_after
          BadRequestError  AuthenticationError  PermissionDeniedError  ChallengeError
          NotFoundError  ModelNotFoundError  ConflictError  RateLimitError
          QuotaExceededError  QueueFullError  SpaceNotRunningError  ServerError
        StreamError
          StreamInterruptedError  MalformedStreamError  ServerStreamError  AppError
          SessionLostError  EmptyResponseError  TooLargeError
      MediaError
        UnsupportedMediaError  MediaTooLargeError  BlockedURLError
      ToolCallError (OutputParserException)   llm_output

No error has a ``.response``: langchain-core would copy its headers, ``Set-Cookie``
among them, into trace metadata. Every argument but the message is optional and
keyword-only, which is what makes every class pickle.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from langchain_core import exceptions as lc

TimeoutKind = Literal[
    "connect", "pool", "write", "first_event", "silence", "idle", "queue", "total"
]


class G4FError(Exception):
    """Root of all errors of this package."""


class ConfigurationError(G4FError, ValueError):
    """The call cannot be made as asked; nothing was sent."""


class MissingDependencyError(G4FError, ImportError):
    """An optional dependency is not installed; the message has the pip command."""


class ToolCallError(G4FError, lc.OutputParserException):
    """``with_structured_output`` got no tool call, or one that cannot be read.

    Attributes:
        llm_output: What the model said.
    """

    def __init__(self, message: str = "", *, llm_output: str | None = None) -> None:
        Exception.__init__(self, message)  # not theirs, which adds an address to the message
        self.observation, self.llm_output, self.send_to_llm = None, llm_output, False


class MediaError(G4FError):
    """An image or file of a message cannot be sent."""


class UnsupportedMediaError(MediaError, ValueError):
    """The model or service takes no content of this kind."""


class MediaTooLargeError(MediaError, ValueError):
    """The content is larger than the service accepts."""


class BlockedURLError(MediaError, ValueError):
    """The URL points to an address that may not be fetched."""


class APIError(G4FError, lc.ModelError):
    """The service, or the way to it, failed.

    Args:
        message: What happened, without credentials.
        provider: Name of the provider, ``"huggingchat"`` for example.
        phase: What the call was doing, ``"create conversation"`` for example.
        request_id: The service's own name for the request, if it sent one.
        partial_text: The part of the answer that had arrived.
    """

    def __init__(
        self,
        message: str = "",
        *,
        provider: str = "",
        phase: str = "",
        request_id: str | None = None,
        partial_text: str = "",
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.phase = phase
        self.request_id = request_id
        self.partial_text = partial_text


class APIConnectionError(APIError, lc.ModelConnectionError):
    """The service could not be reached, or the connection broke before an answer.

    ``request_sent`` tells whether the request may have reached the service.
    """

    def __init__(
        self,
        message: str = "",
        *,
        request_sent: bool = False,
        is_retryable: bool = True,
        provider: str = "",
        phase: str = "",
    ) -> None:
        super().__init__(message, provider=provider, phase=phase)
        self.request_sent = request_sent
        self.is_retryable = is_retryable


class APITimeoutError(APIError, lc.ModelTimeoutError):
    """One of the clocks ran out; ``kind`` names it."""

    def __init__(
        self,
        message: str = "",
        *,
        kind: TimeoutKind = "total",
        request_sent: bool = False,
        provider: str = "",
        phase: str = "",
    ) -> None:
        super().__init__(message, provider=provider, phase=phase)
        self.kind = kind
        self.request_sent = request_sent


class APIStatusError(APIError):
    """The service answered with an error status, in HTTP or inside the stream.

    Args:
        message: What happened, without credentials.
        status_code: The HTTP status, or the one the stream reported; 0 if none.
        body: The start of the error body, redacted.
        content_type: What the body is; a web page is not quoted.
        retry_after: Seconds the service asked to wait, if it did.
        provider: See `APIError`.
        phase: See `APIError`.
        request_id: See `APIError`.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        body: str = "",
        content_type: str = "",
        retry_after: float | None = None,
        provider: str = "",
        phase: str = "",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, provider=provider, phase=phase, request_id=request_id)
        self.status_code = status_code
        self.body = body
        self.content_type = content_type
        self.retry_after = retry_after


class BadRequestError(APIStatusError, lc.ModelInvalidRequestError):
    """The service refused the request as invalid."""


class AuthenticationError(APIStatusError, lc.ModelAuthenticationError):
    """The caller is not logged in.

    ``login_url`` is where a browser can log in. ``refused`` says where the login that was not
    accepted is from, ``"given as cookies="`` for example; it is empty where there was none.
    ``login_command`` logs in to an app that has a login of its own; empty elsewhere.
    """

    login_url: str = ""
    login_command: str = ""
    refused: str = ""


class PermissionDeniedError(APIStatusError, lc.ModelPermissionDeniedError):
    """The caller may not do this."""


class ChallengeError(PermissionDeniedError):
    """A bot protection answered instead of the service; it is not solved here."""


class NotFoundError(APIStatusError, lc.ModelInvalidRequestError):
    """What the request names does not exist, or not for this caller."""


class ModelNotFoundError(APIStatusError, lc.ModelNotFoundError):
    """The service has no such model; ``closest`` are its most similar names."""

    closest: tuple[str, ...] = ()


class ConflictError(APIStatusError, lc.ModelInvalidRequestError):
    """The request does not fit the state of the conversation."""


class RateLimitError(APIStatusError, lc.ModelRateLimitError):
    """Too many requests; ``retry_after`` in seconds where the service says so."""


class QuotaExceededError(APIStatusError, lc.ModelRateLimitError):
    """The account's credit or quota is used up; waiting seconds will not help.

    ``resets_at`` is when there is more, if the service was asked for it.
    """

    resets_at: datetime | None = None
    is_retryable: ClassVar[bool] = False  # type: ignore[misc]


class QueueFullError(APIStatusError, lc.ModelRateLimitError):
    """The service's queue takes no more jobs at the moment."""


class SpaceNotRunningError(APIStatusError, lc.ModelAPIError):
    """The Space is asleep, building, paused or broken; ``stage`` says which."""

    stage: str = ""


class ServerError(APIStatusError, lc.ModelAPIError):
    """The service failed (5xx)."""


class StreamError(APIError):
    """The answer started and did not come to its regular end."""


class StreamInterruptedError(StreamError, lc.ModelConnectionError):
    """The answer ended before its terminal event; ``partial_text`` has what came."""


class MalformedStreamError(StreamError, lc.ModelAPIError):
    """The answer is not in the service's format."""

    is_retryable: ClassVar[bool] = False  # type: ignore[misc]


class ServerStreamError(StreamError, lc.ModelAPIError):
    """The service reported a failure inside the answer."""


class AppError(ServerStreamError):
    """The app behind a Space raised an error; ``title`` is the one it gave it."""

    title: str = ""


class SessionLostError(StreamError, lc.ModelConnectionError):
    """The service no longer knows the session of this call."""


class EmptyResponseError(StreamError, lc.ModelAPIError):
    """The answer ended regularly but has no content."""


class TooLargeError(StreamError, lc.ModelAPIError):
    """A line, event or response is larger than the limits allow."""

    is_retryable: ClassVar[bool] = False  # type: ignore[misc]


__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AppError",
    "AuthenticationError",
    "BadRequestError",
    "BlockedURLError",
    "ChallengeError",
    "ConfigurationError",
    "ConflictError",
    "EmptyResponseError",
    "G4FError",
    "MalformedStreamError",
    "MediaError",
    "MediaTooLargeError",
    "MissingDependencyError",
    "ModelNotFoundError",
    "NotFoundError",
    "PermissionDeniedError",
    "QueueFullError",
    "QuotaExceededError",
    "RateLimitError",
    "ServerError",
    "ServerStreamError",
    "SessionLostError",
    "SpaceNotRunningError",
    "StreamError",
    "StreamInterruptedError",
    "TooLargeError",
    "ToolCallError",
    "UnsupportedMediaError",
]
