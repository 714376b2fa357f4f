"""HTTP status -> error class, and what may be told of an error response.

Handlers answer errors as ``{"message": ...}``, ``{"error": ...}``, ``{"detail": ...}`` or
``{"data": ...}``, gatekeepers as bare text, protections as an HTML page. HTML is never quoted: it
says nothing to a caller and is never an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from langchain_g4f.core.http import Response
from langchain_g4f.core.redact import MASK, redact_text, redact_url
from langchain_g4f.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ChallengeError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

_CLASSES: dict[int, type[APIStatusError]] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitError,
}
_CHALLENGES = {
    b"cf-chl": "Cloudflare",
    b"challenge-platform": "Cloudflare",
    b"just a moment": "Cloudflare",
    b"captcha": "a captcha",
    b"awswaf": "AWS WAF",
    b"ddos-guard": "DDoS-Guard",
}
_TOLD = ("message", "error", "detail", "data")
_LOGIN_PATHS = ("login", "signin", "sign-in", "authorize", "oauth", "auth")


def error_class(status: int) -> type[APIStatusError]:
    """The class for an error status, reported in HTTP or inside a stream."""
    if status in _CLASSES:
        return _CLASSES[status]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return BadRequestError if status >= HTTPStatus.BAD_REQUEST else APIStatusError


def status_error(
    response: Response, *, provider: str, phase: str, secrets: Sequence[str] = ()
) -> APIStatusError:
    """The error that a response with a status other than 2xx stands for.

    Args:
        response: The response.
        provider: See `APIError`.
        phase: See `APIError`.
        secrets: What must not be quoted, should the service repeat it.
    """
    status = response.status
    kind, detail = error_class(status), _detail(response, secrets)
    protection = _challenge(response)
    if protection:
        kind, detail = ChallengeError, f"{protection} asks for a challenge in a browser"
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        kind, detail = _redirect(response)
    label = f"{provider}: " if provider else ""
    doing = f" to {phase}" if phase else ""
    return kind(
        f"{label}the request{doing} was answered with {status}" + (f": {detail}" if detail else ""),
        status_code=status,
        body=detail,
        provider=provider,
        phase=phase,
        content_type=response.headers.content_type,
        request_id=response.headers.get("x-request-id") or None,
    )


def _detail(response: Response, secrets: Sequence[str]) -> str:
    text = response.body.decode("utf-8", "replace").strip()
    coded = response.headers.get("content-encoding").lower() not in ("", "identity")
    if coded or response.headers.content_type == "text/html" or text[:1] == "<":
        return ""
    for secret in filter(None, secrets):  # before quotes that belong to it are read as JSON's
        text = text.replace(secret, MASK)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        told = [value[key] for key in _TOLD if key in value] or [""]
        value = next((each for each in told if isinstance(each, str)), told[0])
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return redact_text(value, *secrets, limit=500)


def _challenge(response: Response) -> str:
    if response.headers.get("cf-mitigated") == "challenge":
        return "Cloudflare"
    if response.headers.content_type != "text/html":
        return ""
    page = response.body[:8192].lower()
    return next((name for mark, name in _CHALLENGES.items() if mark in page), "")


def _redirect(response: Response) -> tuple[type[APIStatusError], str]:
    target = redact_url(response.headers.get("location"))
    if any(segment in _LOGIN_PATHS for segment in target.lower().split("/")):
        return AuthenticationError, "a redirect to a login page"
    # the path may be a secret of its own: some links log in who follows them
    found = re.match(r"https?://[^/]+", target)
    where = found.group() if found else "another address"
    return APIStatusError, f"a redirect to {where}, not followed"


__all__ = ["error_class", "status_error"]
