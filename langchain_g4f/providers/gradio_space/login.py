"""The login of an app that has users of its own (``gr.launch(auth=...)``).

Follows docs/protocols/gradio-space.md, section 9. An app with a login answers 401 until it gets
the session cookie that ``POST /login`` sets. Name and password go only to an app that has asked
for them. The cookie stands in the caller's jar, for the app's host and port, and in the cache, so
that all models of a process share one session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from langchain_g4f.core.cache import Kind
from langchain_g4f.core.context import CallContext
from langchain_g4f.core.events import Progress
from langchain_g4f.core.http import Request, Response, RetryWhen
from langchain_g4f.core.plan import Lock, PlanOf, Unlock, send
from langchain_g4f.errors import (
    APIStatusError,
    AuthenticationError,
    ChallengeError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from langchain_g4f.providers.gradio_space.client import LISTEN
from langchain_g4f.providers.gradio_space.config import SpaceConfig
from langchain_g4f.providers.gradio_space.space import DESCRIBE

T = TypeVar("T")

_COOKIE = "access-token-"
"""Begin of the names of session cookies; the rest is an id of the app."""
_REFUSED_S = 60.0
"""Seconds for which a name and password that were refused are not sent again."""
_SESSIONS = Kind[tuple[str, ...]]()
"""What ``/login`` set; empty if it refused the name and password."""


def logged_in(
    make_plan: Callable[[], PlanOf[T]], config: SpaceConfig, context: CallContext
) -> PlanOf[T]:
    """The plan; if the app asks for its own login, the plan once more with a new session.

    Raises:
        AuthenticationError: There is no name and password, or the app refuses them.
    """
    try:
        return (yield from make_plan())
    except AuthenticationError as error:
        if not _wants_login(error, config, context):
            raise
        if not config.auth or error.phase == LISTEN:  # the app has the message already
            raise _refusal(error, config, context) from None
    yield from log_in(config, context)
    yield Progress("login_renewed")
    try:
        return (yield from make_plan())
    except AuthenticationError as error:
        if not _wants_login(error, config, context):
            raise
        raise _refusal(error, config, context) from None


def log_in(config: SpaceConfig, context: CallContext) -> PlanOf[None]:
    """Get a new session for `SpaceConfig.auth`; calls that wait for the same one share it.

    Raises:
        AuthenticationError: The app refuses name and password, or has no such login.
        APIStatusError: It failed. What it said is not quoted: it knows the password.
    """
    user = hashlib.sha256("\0".join(config.auth or ()).encode(errors="replace")).hexdigest()
    key = f"session at {config.base_url} of {user[:16]}"
    yield Lock(key)
    known = context.cache.get(_SESSIONS, key)
    if known == ():
        raise _wrong_password(config, 0)
    before = context.cookies.header_for(f"{config.base_url}/")
    context.cookies.store(f"{config.base_url}/login", list(known or ()))
    if context.cookies.header_for(f"{config.base_url}/") == before:  # it is the one that ended
        try:
            answer: Response | APIStatusError = yield from send(lambda: _login_request(config))
        except APIStatusError as error:
            answer = _failure(error, config)
        if isinstance(answer, APIStatusError):  # raised apart from what may quote the password
            if isinstance(answer, AuthenticationError) and answer.login_command:
                context.cache.put(_SESSIONS, key, (), _REFUSED_S)
            raise answer
        if session := tuple(answer.headers.get_all("set-cookie")):
            context.cache.put(_SESSIONS, key, session)
    yield Unlock(key)


def has_session(config: SpaceConfig, context: CallContext) -> bool:
    """Whether requests to the app carry a session of its own login."""
    return _COOKIE in context.cookies.header_for(f"{config.base_url}/")


def user_of(config: SpaceConfig, context: CallContext) -> PlanOf[str | None]:
    """The caller's name at the app; None without a session that the app knows."""
    user = yield from _user(config)
    if user is None and config.auth:
        url = f"{config.base_url}/config"  # it is refused if the app has a login
        ask = Request("GET", url, config.headers, retry=RetryWhen.ALWAYS, phase=DESCRIBE)
        yield from logged_in(lambda: send(lambda: ask), config, context)
        if has_session(config, context):
            user = (yield from _user(config)) or config.auth[0]
    return user


def _user(config: SpaceConfig) -> PlanOf[str | None]:
    """What the app says; Gradio 4 has no prefix before its paths."""
    for path in ("gradio_api/user", "user"):
        request = Request(
            "GET",
            f"{config.base_url}/{path}",
            config.headers,
            retry=RetryWhen.ALWAYS,
            phase="ask the app who is logged in",
        )
        try:
            found = (yield from send(lambda request=request: request)).json()  # type: ignore[misc]
        except NotFoundError:
            continue
        return found if isinstance(found, str) else None
    return None


def _login_request(config: SpaceConfig) -> Request:
    fields = dict(zip(("username", "password"), config.auth or (), strict=False))
    return Request(
        "POST",
        f"{config.base_url}/login",
        {**config.headers, "content-type": "application/x-www-form-urlencoded"},
        urlencode(fields).encode(),
        RetryWhen.NOT_SENT,
        "log in to the app",
    )


def _wants_login(error: AuthenticationError, config: SpaceConfig, context: CallContext) -> bool:
    """Whether the app itself refused the caller, and not its platform or the Hub."""
    if error.status_code != 401 or error.content_type != "application/json":
        return False
    if "Not authenticated" not in error.body:
        return False
    if error.phase == DESCRIBE or config.auth or has_session(config, context):
        return True
    return not (config.token or config.gpu_token)  # it refused nothing that was sent


def _refusal(
    error: AuthenticationError, config: SpaceConfig, context: CallContext
) -> AuthenticationError:
    """``error`` with the way to log in to the app."""
    command = _command(config)
    if error.phase == LISTEN:
        said = "ended the session before the answer came; the message was not sent again"
    elif config.auth:
        said = "took the name and password of auth=, and still wants a login"
    elif has_session(config, context):
        said = "does not know the session that is saved for it any more"
    else:
        said = "has a login of its own"
    refused = AuthenticationError(
        f'{config.base_url} {said}. To log in, give auth=("user", password), or run `{command}`.',
        status_code=error.status_code,
        body=error.body,
        content_type=error.content_type,
        provider=error.provider,
        phase=error.phase,
        request_id=error.request_id,
    )
    refused.partial_text = error.partial_text
    refused.login_command = command
    refused.login_url = "" if config.auth else f"{config.base_url}/"
    return refused


def _failure(error: APIStatusError, config: SpaceConfig) -> APIStatusError:
    """The error of the login; the body may quote the password."""
    if isinstance(error, ChallengeError):
        return error
    if isinstance(error, ServerError | RateLimitError):
        error.args = (f"{config.base_url} answered the login with {error.status_code}",)
        error.body = ""
        return error
    if error.status_code in (400, 401, 403):
        return _wrong_password(config, error.status_code)
    # a page of another framework, or a redirect of an app that knows no names
    return AuthenticationError(
        f"{config.base_url} has a login that takes no name and password (it answered"
        f" {error.status_code}): auth= is for apps with Gradio's own login",
        status_code=error.status_code,
        phase=error.phase,
    )


def _wrong_password(config: SpaceConfig, status: int) -> AuthenticationError:
    error = AuthenticationError(
        f"{config.base_url} refused the name or the password of auth=."
        + ("" if status else " They were refused a moment ago, and were not sent again."),
        status_code=status or 401,
        phase="log in to the app",
    )
    error.login_command = _command(config)
    return error


def _command(config: SpaceConfig) -> str:
    return f"langchain-g4f login gradio --base-url {config.base_url} --user NAME"
