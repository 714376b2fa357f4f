"""Who pays for a GPU (docs/protocols/gradio-space.md, section 9).

The request that joins the queue carries the caller's token, and a ZeroGPU token where
one is given or the Hub gives one. A token of the Hub is kept until shortly before it
expires; however many calls want a new one, it is fetched once. Where there is none, no
header is sent: a place holder would be counted as somebody.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from langchain_g4f.codecs.fields import need
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, RetryWhen
from langchain_g4f.core.plan import Lock, Unlock, send
from langchain_g4f.errors import APIError, AuthenticationError, QuotaExceededError
from langchain_g4f.providers.gradio_space.where import space_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_g4f.core.context import CallContext
    from langchain_g4f.core.plan import PlanOf
    from langchain_g4f.providers.gradio_space.where import Where

LIFETIME_S = 600
"""How long a token is asked for; an hour is known to be given, too."""
_EARLY_S = 60
_RETRY_S = 60


@dataclass(frozen=True, slots=True)
class GPUToken:
    """A ZeroGPU token; the empty one means that there is none to be had.

    Attributes:
        value: The token.
        until: Seconds since the epoch when it is too old to be used.
    """

    value: str = field(default="", repr=False)
    until: float = 0.0


NO_TOKEN = GPUToken()


def gpu_token(where: Where, context: CallContext, refused: GPUToken = NO_TOKEN) -> PlanOf[GPUToken]:
    """The token to join the queue with.

    Args:
        where: The Space and the caller.
        session: The session, which keeps it.
        refused: A token that was not accepted, and is not used again.
    """
    if where.gpu_token:
        return GPUToken(where.gpu_token)
    identity = where.token or context.cookies.header_for(f"{where.hub_url}/")
    if not (where.space and identity):
        return NO_TOKEN
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    key = f"GPU token for {where.space} of {name} at {where.hub_url}"
    yield Lock(key)
    found = context.memory.get(key)
    fresh = isinstance(found, GPUToken) and context.wall_clock() < found.until
    if not fresh or found == refused:
        found = yield from _fetch(where, context)
        context.memory[key] = found
    yield Unlock(key)
    return found if isinstance(found, GPUToken) else NO_TOKEN


def whoami(where: Where) -> PlanOf[str | None]:
    """The name that the Hub has for the caller; None if it knows nobody."""
    request = Request(
        "GET",
        f"{where.hub_url}/api/whoami-v2",
        {"authorization": f"Bearer {where.token}"} if where.token else {},
        retry=RetryWhen.ALWAYS,
        phase="ask the Hub who is logged in",
    )
    try:
        return need((yield from send(lambda: request)).json(), "name", str)
    except AuthenticationError:
        return None


def gpu_headers(where: Where, token: GPUToken) -> Mapping[str, str]:
    """What says who pays; nothing where nobody is known."""
    headers = {"x-zerogpu-token": token.value} if token.value else {}
    return headers | ({"x-zerogpu-uuid": where.gpu_uuid} if where.gpu_uuid else {})


def may_renew(where: Where, error: APIError) -> bool:
    """Whether another token may help: what was refused is who we are, not what we want."""
    if where.gpu_token or not where.space:
        return False
    if isinstance(error, QuotaExceededError):
        return "reached its GPU limit" in error.body  # no token arrived at all
    return isinstance(error, AuthenticationError)


def explained(error: APIError, where: Where) -> APIError:
    """A refused identity becomes "log in", with the way to do it."""
    if not isinstance(error, AuthenticationError) or error.login_url:
        return error
    url = f"{where.hub_url}/login"
    login = AuthenticationError(
        f"{error}. {where.base_url} wants to know who asks: run `langchain-g4f login gradio`, or"
        " give a token of the Hub as api_key=. A Space on hf.space gets the one in HF_TOKEN with"
        " use_environment_token=True."
        f" Login page: {url}",
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


def _fetch(where: Where, context: CallContext) -> PlanOf[GPUToken]:
    now = context.wall_clock()
    until = datetime.fromtimestamp(now + LIFETIME_S, UTC).isoformat(timespec="milliseconds")
    query = {"expiration": until.replace("+00:00", "Z"), "include_pro_status": "true"}
    request = Request(
        "GET",
        f"{where.hub_url}/api/spaces/{space_path(where.space)}/jwt?{urlencode(query)}",
        {"authorization": f"Bearer {where.token}"} if where.token else {},
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
    """When a JWT says that it expires, in seconds since the epoch."""
    with suppress(ValueError, IndexError, OverflowError, RecursionError):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expiry = claims.get("exp") if isinstance(claims, dict) else None
        return float(expiry) if isinstance(expiry, int | float) else None
    return None


__all__ = ["NO_TOKEN", "GPUToken", "explained", "gpu_headers", "gpu_token", "may_renew", "whoami"]
