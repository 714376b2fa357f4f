"""Requests to a chat-ui server, and what it means when the server refuses one.

Follows docs/protocols/huggingchat.md, sections 2.2, 2.4, 5.1 and 5.4.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import send
from langchain_g4f.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    MalformedStreamError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
)
from langchain_g4f.providers.huggingchat.reader import IN_ANSWER, NAME

if TYPE_CHECKING:
    from langchain_g4f.core.http import Response
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.errors import APIError, G4FError

E = TypeVar("E", bound=APIStatusError)

HOME = "https://huggingface.co/chat"
CONVERSATIONS_FULL = "Delete some to continue"
CONVERSATION_FULL = "Start a new one to continue"
"""Words of a 429 that waiting does not help against."""

_ADVICE = {
    CONVERSATIONS_FULL: (
        "Every call leaves a conversation in the account: delete some, on the site or with"
        " delete_conversation(), and give delete_after=True where no later call continues one."
    ),
    CONVERSATION_FULL: "This conversation is full: begin another with conversation='new'.",
}


def get(
    url: str, phase: str, *, accept: str = "application/json", limit: int | None = None
) -> PlanOf[Response]:
    """Read ``url``, as often as the call may retry."""
    request = Request("GET", url, {"accept": accept}, retry=RetryWhen.ALWAYS, phase=phase)
    return (yield from send(lambda: request, limit=limit))


def origin(base_url: str) -> str:
    """Scheme, host and port, for the ``Origin`` header (2.4)."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def wants_login(error: APIStatusError) -> bool:
    """Whether the server asks for a login: by a redirect or a 401 (2.2)."""
    return 300 <= error.status_code < 400 or isinstance(error, AuthenticationError)


def explain(error: APIStatusError, base_url: str) -> APIStatusError:
    """The error with what the user can do about it, where there is something.

    A 401 inside an answer comes from the backend: a login of the user does not help there.
    """
    if isinstance(error, RateLimitError):
        advice = next((text for words, text in _ADVICE.items() if words in error.body), "")
        return with_status(QuotaExceededError, f"{error}. {advice}", error) if advice else error
    if error.phase == IN_ANSWER or not wants_login(error):
        return error
    server = "" if base_url == HOME else f" --base-url {base_url}"
    login = AuthenticationError(
        f"{NAME}: {base_url} wants a login to {error.phase}. Run `langchain-g4f login"
        f" huggingchat{server}`; or log in with a browser and pass its cookies, hf-chat and token,"
        " as ChatHuggingChat(cookies='hf-chat=...; token=...')."
        f" Login page: {base_url}/login",
        status_code=error.status_code,
        provider=NAME,
        phase=error.phase,
    )
    login.login_url = f"{base_url}/login"
    return login


def no_server(error: APIError, base_url: str) -> APIError:
    """The error for an address where no chat-ui server answers."""
    text = f"{NAME}: no chat-ui server at {base_url}: {str(error).removeprefix(f'{NAME}: ')}"
    if not urlsplit(base_url).path:
        text += ". Perhaps the path /chat is missing"
    if isinstance(error, APIStatusError):
        return with_status(NotFoundError, text, error)
    return MalformedStreamError(text, provider=NAME, phase=error.phase)


def was_not_stored(error: G4FError) -> bool:
    """Whether an error of sending a message shows that the server has not stored it."""
    if isinstance(error, APIStatusError):  # a gateway's 408 and 5xx do not tell
        status = error.status_code
        return 300 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT
    return isinstance(error, (APIConnectionError, APITimeoutError)) and not error.request_sent


def with_status(kind: type[E], text: str, error: APIStatusError) -> E:
    """An error of another class and text, for the same response."""
    return kind(
        text,
        status_code=error.status_code,
        body=error.body,
        provider=NAME,
        phase=error.phase,
    )


__all__ = [
    "CONVERSATIONS_FULL",
    "CONVERSATION_FULL",
    "HOME",
    "explain",
    "get",
    "no_server",
    "origin",
    "wants_login",
    "was_not_stored",
    "with_status",
]
