"""The caller's identity on the Hub, and the token that pays for a GPU.

Follows docs/protocols/gradio-space.md, section 9. The request that joins the queue carries a
ZeroGPU token: one the caller gave, or one from the Hub. The Hub's token is cached until
shortly before it expires, and concurrent calls fetch it once. Without a token no header is
sent, because the Hub would count a placeholder as a user.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from langchain_g4f.codecs.fields import need
from langchain_g4f.core.cache import Kind
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Lock, PlanOf, Unlock, send
from langchain_g4f.errors import APIError, AuthenticationError, QuotaExceededError
from langchain_g4f.providers.gradio_space.config import SpaceConfig

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
    return isinstance(error, AuthenticationError)


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
