"""The caller's identity on the Hub, the token that pays for a GPU, and how much of it is left.

Follows docs/protocols/gradio-space.md, section 9. The request that joins the queue carries a
ZeroGPU token: one the caller gave, or one from the Hub. The Hub's token is cached until
shortly before it expires, and concurrent calls fetch it once. Without a token no header is
sent, because the Hub would count a placeholder as a user. The code of an app gets the caller's
token only if the caller has allowed it and the function announces that it takes one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from langchain_g4f.codecs.fields import need, want
from langchain_g4f.core.cache import Kind
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import JSON, Request, RetryWhen
from langchain_g4f.core.plan import Lock, Plan, PlanOf, Unlock, send
from langchain_g4f.errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    MalformedStreamError,
    QuotaExceededError,
)
from langchain_g4f.providers.gradio_space.app import App
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.failure import wants_sign_in
from langchain_g4f.providers.gradio_space.space import with_parameter_names

LIFETIME_S = 600
"""Seconds for which a token is requested; the Hub is known to grant an hour, too."""
_EARLY_S = 60
_RETRY_S = 60


@dataclass(frozen=True, slots=True)
class GPUToken:
    """A ZeroGPU token; the empty value means that the Hub issues none.

    Attributes:
        value: The token.
        until: Seconds since the epoch after which it is not used.
    """

    value: str = field(default="", repr=False)
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class GPUQuota:
    """The ZeroGPU time of an account.

    Attributes:
        base: Seconds that the account has in each period.
        current: Seconds that are left.
        resets_at: When there is all of it again; None if the Hub does not say.
    """

    base: int
    current: int
    resets_at: datetime | None = None


NO_TOKEN = GPUToken()
_TOKENS = Kind[GPUToken]()


def gpu_token(
    config: SpaceConfig, context: CallContext, refused: GPUToken = NO_TOKEN
) -> PlanOf[GPUToken]:
    """The token to join the queue with.

    Args:
        config: The Space and its caller.
        context: Its cache keeps the token.
        refused: A token that the app did not accept and that is not used again.
    """
    if config.gpu_token:
        return GPUToken(config.gpu_token)
    identity = config.token or context.cookies.header_for(f"{config.hub_url}/")
    if not (config.space and identity):
        return NO_TOKEN
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    key = f"GPU token for {config.space} of {name} at {config.hub_url}"
    yield Lock(key)
    token = context.cache.get(_TOKENS, key)
    # the wall clock goes on while the machine sleeps, the clock of the cache may not
    if token is None or token == refused or context.wall_clock() >= token.until:
        token = yield from _fetch(config, context)
        context.cache.put(_TOKENS, key, token, token.until - context.wall_clock())
    yield Unlock(key)
    return token


def gpu_headers(config: SpaceConfig, token: GPUToken) -> Mapping[str, str]:
    """The headers that name who pays; none for an anonymous caller."""
    headers = {"x-zerogpu-token": token.value, "x-zerogpu-uuid": config.gpu_uuid}
    return {name: value for name, value in headers.items() if value}


def can_renew(config: SpaceConfig, error: APIError) -> bool:
    """Whether another token may help: the app refused the caller, not the request."""
    if config.gpu_token or not config.space:
        return False
    if isinstance(error, QuotaExceededError):
        return "reached its GPU limit" in error.body  # the app got no token at all
    return isinstance(error, AuthenticationError) and not wants_sign_in(error)


def whoami(config: SpaceConfig) -> PlanOf[str | None]:
    """The caller's user name on the Hub; None if the Hub does not accept the credentials."""
    request = Request(
        "GET",
        f"{config.hub_url}/api/whoami-v2",
        config.authorization,
        retry=RetryWhen.ALWAYS,
        phase="ask the Hub who is logged in",
    )
    try:
        return need((yield from send(lambda: request)).json(), "name", str)
    except AuthenticationError:
        return None


def quota(config: SpaceConfig, retry: RetryWhen = RetryWhen.ALWAYS) -> PlanOf[GPUQuota]:
    """The GPU time that is left to the owner of the token.

    Raises:
        ConfigurationError: There is no token.
        AuthenticationError: The Hub refuses it.
    """
    if not config.token:
        raise ConfigurationError(
            "quota: it is that of an account; give a token of the Hub, api_key="
        )
    request = Request(
        "GET",
        f"{config.hub_url}/api/spaces/zero-gpu/quota",
        config.authorization,
        retry=retry,
        phase="ask the Hub for the GPU quota",
    )
    found = (yield from send(lambda: request)).json()
    resets_at = want(found, "resetsAt", str, default="")
    try:
        when = datetime.fromisoformat(resets_at) if resets_at else None
    except ValueError:
        raise MalformedStreamError("'resetsAt' is no time") from None
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return GPUQuota(_seconds(found, "base"), _seconds(found, "current"), when)


def with_reset_time(
    make_plan: Callable[[], Plan], config: SpaceConfig, now: Callable[[], float]
) -> Plan:
    """The plan; if the GPU quota is used up, and the app does not say until when, the Hub does."""
    try:
        yield from make_plan()
    except QuotaExceededError as error:
        if config.token and error.retry_after is None:
            with suppress(APIError):
                resets_at = (yield from quota(config, RetryWhen.NOT_SENT)).resets_at
                if resets_at is not None:
                    error.resets_at = resets_at
                    error.retry_after = max(0.0, resets_at.timestamp() - now())
                    told = str(error).removesuffix(".")
                    error.args = (f"{told}. There is more at {resets_at:%Y-%m-%d %H:%M:%S %Z}",)
        raise


def oauth_tokens(app: App, config: SpaceConfig, context: CallContext) -> PlanOf[Mapping[str, str]]:
    """The caller's token, by the names of the functions that announce that they take it.

    Without a token that the app may have, and before Gradio 6, nothing is asked.
    """
    if not config.oauth_token or app.numbers < (6, 0):
        return {}
    app = yield from with_parameter_names(app, config, context)
    return dict.fromkeys(app.token_functions, config.oauth_token)


def _seconds(found: JSON, name: str) -> int:
    value = found.get(name) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MalformedStreamError(f"{name!r} is no number of seconds")
    return round(value)


def _fetch(config: SpaceConfig, context: CallContext) -> PlanOf[GPUToken]:
    now = context.wall_clock()
    until = datetime.fromtimestamp(now + LIFETIME_S, UTC).isoformat(timespec="milliseconds")
    query = {"expiration": until.replace("+00:00", "Z"), "include_pro_status": "true"}
    request = Request(
        "GET",
        f"{config.hub_api(config.space)}/jwt?{urlencode(query)}",
        config.authorization,
        retry=RetryWhen.ALWAYS,
        phase="get a GPU token",
    )
    try:
        value = need((yield from send(lambda: request)).json(), "token", str)
    except APIError as error:
        yield Progress("identity_unavailable", f"going on without a GPU token: {error}")
        return GPUToken("", now + _RETRY_S)
    return GPUToken(value, (_expiry(value) or now + LIFETIME_S) - _EARLY_S)


def _expiry(token: str) -> float | None:
    """When a JWT expires, in seconds since the epoch; None if it does not say."""
    with suppress(ValueError, IndexError, OverflowError, RecursionError):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expiry = claims.get("exp") if isinstance(claims, dict) else None
        return float(expiry) if isinstance(expiry, int | float) else None
    return None
