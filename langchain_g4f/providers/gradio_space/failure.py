"""The errors that apps report, told apart by their text.

Follows docs/protocols/gradio-space.md, sections 5, 9 and 10.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from langchain_g4f.core.http import JSON
from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import (
    APIError,
    APIStatusError,
    AppError,
    AuthenticationError,
    QueueFullError,
    QuotaExceededError,
    RateLimitError,
)
from langchain_g4f.providers.gradio_space.config import HUB, SpaceConfig

_HIDDEN = (
    "the app failed and does not say why; an app does that for every error its author did not"
    " foresee, and for an input of a shape it does not take"
)
_QUOTA = re.compile(
    r"exceeded your .*quota|ZeroGPU runs limit|reached its GPU limit", re.IGNORECASE
)
_IDENTITY = re.compile(r"Expired ZeroGPU proxy token|token.*(?:expired|invalid)", re.IGNORECASE)
_SIGN_IN = re.compile(r"requires a logged[ -]in user", re.IGNORECASE)
_BUSY = re.compile(r"No GPU (?:was|is) (?:currently )?available|GPU queue timeout", re.IGNORECASE)
_AGAIN = re.compile(
    r"(?:Try again|retry) in (?:(?P<days>\d{1,6}) days?, )?(?P<h>\d{1,6}):(?P<m>\d\d):(?P<s>\d\d)",
    re.IGNORECASE,
)
_GIVE_ONE = (
    "It is for users who have signed in on its page (gr.LoginButton). Newer versions of Gradio"
    " take a token of the Hub for such a function: give it as api_key=. The app can act with it."
)
_TAKES_NONE = (
    "It is for users who have signed in on its page (gr.LoginButton). Newer versions of Gradio"
    " announce which functions take a token in place of that; this one does not."
)
_BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LONGEST = 64 * 1024
_HUGE = re.compile(r"&(?=#[0-9]{8})")
"""Start of a character reference whose number is too large for a character."""


def app_failure(output: JSON, title: JSON = None, secrets: Sequence[str] = ()) -> APIError:
    """The error that an app has reported.

    Args:
        output: ``{"error": text or null, "title": ...}``.
        title: Title of the event, used if ``output`` has none.
        secrets: Credentials to mask, should the app repeat them.
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
        error.login_url = f"{HUB}/login"
        return error
    if _SIGN_IN.search(text):
        return AuthenticationError(f"the app wants a user of Hugging Face: {said}", body=text)
    if heading.startswith("ZeroGPU") and _BUSY.search(said):
        return RateLimitError(f"no GPU was free in time: {said}", body=text)
    failure = AppError(f"the app raised an error: {said or 'without a word'}")
    failure.title = heading
    return failure


def direct_failure(error: APIStatusError) -> APIError:
    """The error of a call without the queue: a 500 with JSON comes from the app (section 5)."""
    if error.status_code != 500 or error.content_type != "application/json":
        return error
    failure = app_failure({"error": None if error.body == "null" else error.body})
    failure.phase = error.phase
    return failure


def join_failure(error: APIStatusError) -> APIError:
    """The error of joining the queue: a 503 with JSON comes from the app (section 10)."""
    if error.content_type != "application/json" or "Queue is full" not in error.body:
        return error
    return QueueFullError(
        str(error),
        status_code=error.status_code,
        body=error.body,
        retry_after=error.retry_after,
    )


def with_login_hint(error: APIError, config: SpaceConfig) -> APIError:
    """``error``; if the app refused the caller's identity, it says how to log in."""
    if not isinstance(error, AuthenticationError) or error.login_url:
        return error
    url = f"{config.hub_url}/login"
    advice = (
        f"{config.base_url} wants to know who asks: run `langchain-g4f login gradio`, or"
        " give a token of the Hub as api_key=. A Space on hf.space gets the one in HF_TOKEN with"
        " use_environment_token=True."
        f" Login page: {url}"
    )
    if wants_sign_in(error):
        url, advice = "", (_TAKES_NONE if config.oauth_token else _GIVE_ONE)
    login = AuthenticationError(
        f"{str(error).removesuffix('.')}. {advice}",
        status_code=error.status_code,
        body=error.body,
        content_type=error.content_type,
        provider=error.provider,
        phase=error.phase,
        request_id=error.request_id,
    )
    login.login_url = url
    login.partial_text = error.partial_text
    return login


def wants_sign_in(error: APIError) -> bool:
    """Whether the app's function is for users who have signed in with Hugging Face on its page."""
    return isinstance(error, AuthenticationError) and bool(_SIGN_IN.search(error.body))


def try_again_in(text: str) -> float | None:
    """Seconds until the quota is available again, if ``text`` says so."""
    found = _AGAIN.search(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(found[name] or 0) for name in ("days", "h", "m", "s"))
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def plain(text: str) -> str:
    """``text`` without HTML tags; a ``<`` that opens no tag stays."""
    text = text[:_LONGEST]  # messages show far less of it
    bare = _HUGE.sub("&amp;", _TAG.sub("", _BREAK.sub(" ", text)))
    return " ".join(html.unescape(bare).split())
