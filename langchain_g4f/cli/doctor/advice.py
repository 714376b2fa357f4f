"""What went wrong in a line, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from langchain_g4f.auth.given_cookies import revealed
from langchain_g4f.cli.doctor.targets import home_of
from langchain_g4f.cli.failure import message_of
from langchain_g4f.cli.terminal import one_line
from langchain_g4f.core.redact import redact_text
from langchain_g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AppError,
    BadRequestError,
    ChallengeError,
    ConfigurationError,
    EmptyResponseError,
    G4FError,
    MalformedStreamError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    SpaceNotRunningError,
    StreamInterruptedError,
)

if TYPE_CHECKING:
    from langchain_g4f.chat_models.base import BaseChatG4F

_LONGEST = 300
_LOGIN = {
    "phi4": "gradio --token{place}",
    "gradio": "gradio --token{place}",
    "flowgpt": "flowgpt --token{place}, and check this machine's clock",
}
_OF_NOTE: tuple[tuple[type[G4FError], str], ...] = (
    # the first that fits, so the narrower kinds come first
    (ChallengeError, "try it with --impersonate chrome, or from another network"),
    (QuotaExceededError, "wait until there is credit again, or use another account"),
    (RateLimitError, "wait a minute, and ask less often"),
    (ModelNotFoundError, "choose one of its models with --model"),
    (NotFoundError, "check the address: --base-url takes it with its path, --space owner/name"),
    (PermissionDeniedError, "check the account, and this machine's clock"),
    (BadRequestError, "choose another model with --model; the service may have changed"),
    (MalformedStreamError, "check the address; the service may have changed its protocol"),
    (EmptyResponseError, "ask again, or choose another model with --model"),
    (StreamInterruptedError, "ask again; if it stays, a proxy or the service cuts answers"),
    (APITimeoutError, "ask again later, or with a longer --timeout"),
    (APIConnectionError, "check the address, the network and the proxy"),
    (AppError, "ask again later, or tell the owner of the Space"),
    (ConfigurationError, "change the settings"),
)
_OTHERWISE = "ask again later: the service itself has failed"


def in_a_line(error: Exception, *secrets: str) -> str:
    """What an error says, in one line without credentials and the name of the provider.

    Args:
        error: Any error that a user can meet.
        secrets: What must not be shown, wherever it stands.
    """
    provider = error.provider if isinstance(error, APIError) else ""
    return clean(message_of(error).removeprefix(f"{provider}: "), *secrets)


def clean(text: str, *secrets: str) -> str:
    """``text`` as one line that can be shown."""
    return one_line(redact_text(text, *secrets, limit=_LONGEST))


def secrets_of(model: BaseChatG4F) -> tuple[str, ...]:
    """The credentials that a chat model uses."""
    found: list[str] = []
    for name in model.lc_secrets:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif value:
            found += revealed(value).values()
    return tuple(found)


def how_to_log_in(name: str, model: BaseChatG4F) -> str:
    """The command that logs in to the server of a chat model."""
    home = home_of(type(model))
    at_home = model.account_url in (home, getattr(model, "hub_url", home))
    place = "" if at_home else f" --base-url {model.account_url}"
    return "langchain-g4f login " + _LOGIN.get(name, name + "{place}").format(place=place)


def what_to_do(error: G4FError) -> str:
    """Advice; where a login is wanted, `how_to_log_in` says more."""
    if isinstance(error, SpaceNotRunningError):
        waking = error.stage in ("SLEEPING", "STOPPED", "BUILDING", "APP_STARTING")
        return (
            "ask again in a minute or with a longer --timeout: it is waking up"
            if waking
            else "only the owner of the Space can start it"
        )
    return next((advice for kind, advice in _OF_NOTE if isinstance(error, kind)), _OTHERWISE)


__all__ = ["clean", "how_to_log_in", "in_a_line", "secrets_of", "what_to_do"]
