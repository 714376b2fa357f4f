"""What a request that was refused means: no chat-ui server, a limit of the account, no login.

Follows docs/protocols/huggingchat.md, sections 2.2, 5.1 and 5.4.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MalformedStreamError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
)
from langchain_g4f.providers.huggingchat.login import explained
from langchain_g4f.providers.huggingchat.reader import NAME

if TYPE_CHECKING:
    from langchain_g4f.errors import APIError, G4FError

CONVERSATIONS_FULL = "Delete some to continue"
CONVERSATION_FULL = "Start a new one to continue"
"""Words of a 429 that waiting does not help against."""

_REMEDIES = {
    CONVERSATIONS_FULL: (
        "every call leaves a conversation in the account: delete some, on the site or with"
        " delete_conversation(), and give delete_after=True where no later call continues one"
    ),
    CONVERSATION_FULL: "this conversation is full: begin another with conversation='new'",
}


def refused(error: APIStatusError, base_url: str) -> APIStatusError:
    """The error with its remedy, if the status stands for something that has one."""
    if not isinstance(error, RateLimitError):
        return explained(error, base_url)
    remedy = next((told for words, told in _REMEDIES.items() if words in error.body), "")
    if not remedy:
        return error
    return QuotaExceededError(
        f"{error}. {remedy[0].upper()}{remedy[1:]}.",
        status_code=error.status_code,
        body=error.body,
        provider=NAME,
        phase=error.phase,
    )


def no_server(error: APIError, base_url: str) -> APIError:
    """The error for an address at which something else than a chat-ui server answers."""
    where = f"{NAME}: no chat-ui server at {base_url}: {str(error).removeprefix(f'{NAME}: ')}"
    if not urlsplit(base_url).path:
        where += ". Perhaps the path /chat is missing"
    if isinstance(error, APIStatusError):
        return NotFoundError(
            where,
            status_code=error.status_code,
            body=error.body,
            provider=NAME,
            phase=error.phase,
        )
    return MalformedStreamError(where, provider=NAME, phase=error.phase)


def was_not_taken(error: G4FError) -> bool:
    """Whether an error of sending a message shows that the server has not kept it."""
    if isinstance(error, APIStatusError):  # a gateway's 408 and 5xx do not tell
        status = error.status_code
        return 300 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT
    return isinstance(error, (APIConnectionError, APITimeoutError)) and not error.request_sent


__all__ = ["CONVERSATIONS_FULL", "CONVERSATION_FULL", "no_server", "refused", "was_not_taken"]
