"""Errors of an app, told apart by their text (docs/protocols/gradio-space.md, sections 5 and 9)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import (
    APIError,
    AppError,
    AuthenticationError,
    QuotaExceededError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_g4f.core.http import JSON

LOGIN_URL = "https://huggingface.co/login"

_HIDDEN = (
    "the app failed and does not say why; an app does that for every error its author did not"
    " foresee, and for an input of a shape it does not take"
)
_QUOTA = re.compile(
    r"exceeded your .*quota|ZeroGPU runs limit|reached its GPU limit", re.IGNORECASE
)
_IDENTITY = re.compile(r"Expired ZeroGPU proxy token|token.*(?:expired|invalid)", re.IGNORECASE)
_BUSY = re.compile(r"No GPU (?:was|is) (?:currently )?available|GPU queue timeout", re.IGNORECASE)
_AGAIN = re.compile(
    r"(?:Try again|retry) in (?:(?P<days>\d{1,6}) days?, )?(?P<h>\d{1,6}):(?P<m>\d\d):(?P<s>\d\d)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LONGEST = 64 * 1024
_HUGE = re.compile(r"&(?=#[0-9]{8})")
"""What begins a character reference with a number that no character has."""


def app_failure(output: JSON, title: JSON = None, secrets: Sequence[str] = ()) -> APIError:
    """The error that an app has reported.

    Args:
        output: ``{"error": text or null, "title": ...}``.
        title: What the event itself is titled with.
        secrets: What must not be quoted, should the app repeat it.
    """
    if not isinstance(output, dict) or not isinstance(output.get("error"), str):
        return AppError(_HIDDEN)
    titles = (each for each in (output.get("title"), title) if isinstance(each, str) and each)
    heading = redact_text(plain(next(titles, "")), *secrets)
    text = redact_text(plain(str(output["error"])), *secrets)
    said = f"{heading}: {text}" if heading and heading != "Error" else text
    if heading == "ZeroGPU quota exceeded" or "credits exceeded" in heading or _QUOTA.search(text):
        return QuotaExceededError(
            f"the GPU quota is used up: {said}", body=text, retry_after=try_again_in(text)
        )
    if heading.startswith("ZeroGPU client error") and _IDENTITY.search(text):
        error = AuthenticationError(f"the GPU identity was not accepted: {said}", body=text)
        error.login_url = LOGIN_URL
        return error
    if heading.startswith("ZeroGPU") and _BUSY.search(said):
        return RateLimitError(f"no GPU was free in time: {said}", body=text)
    failure = AppError(f"the app raised an error: {said or 'without a word'}")
    failure.title = heading
    return failure


def try_again_in(text: str) -> float | None:
    """Seconds until the quota is there again, as the text says; None if it does not."""
    found = _AGAIN.search(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(found[name] or 0) for name in ("days", "h", "m", "s"))
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def plain(text: str) -> str:
    """``text`` without HTML; a ``<`` that opens no tag stays."""
    text = text[:_LONGEST]  # of which much less is shown
    bare = _HUGE.sub("&amp;", _TAG.sub("", _BREAK.sub(" ", text)))
    return " ".join(html.unescape(bare).split())


__all__ = ["LOGIN_URL", "app_failure", "plain", "try_again_in"]
