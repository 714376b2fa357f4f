"""Who is calling: session cookies, logins and the checks before any handler.

Follows docs/protocols/huggingchat.md, section 2. An unknown cookie value is not an error but a new
anonymous session under that value; only a login makes a session known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from langchain_g4f.testing.chat_ui.calls import RefusedError, UnexpectedError

if TYPE_CHECKING:
    from langchain_g4f.testing.chat_ui.store import Ids
    from langchain_g4f.testing.recording import RecordedRequest

SESSION_COOKIE = "hf-chat"
SITE_COOKIE = "token"
VERIFIER_COOKIE = "hfChat-codeVerifier"
PROVIDER_COOKIE = "sandbox-provider"

_FORM_TYPES = {"multipart/form-data", "application/x-www-form-urlencoded", "text/plain"}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has logged in."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller: a session, and a user if the session is logged in."""

    session: str
    user: User | None = None

    @property
    def owner(self) -> str:
        """What conversations are filed under."""
        return f"user:{self.user.id}" if self.user else f"session:{self.session}"


@dataclass(frozen=True, slots=True)
class _Login:
    user: User
    site_token: str


class Sessions:
    """The logged-in sessions of one server.

    Args:
        ids: Maker of ids.
        coupled: Whether a session needs the site's `token` cookie beside it (section 2.3).
    """

    def __init__(self, ids: Ids, *, coupled: bool) -> None:
        self._ids = ids
        self._coupled = coupled
        self._users: dict[str, User] = {}
        self._logins: dict[str, _Login] = {}
        self._at_provider: dict[str, str] = {}

    def login(self, name: str) -> dict[str, str]:
        """Open a session for `name` and return its cookies."""
        user = self._users.get(name) or User(self._ids.object_id(), name)
        self._users[name] = user
        session = self._ids.uuid()
        login = _Login(user, f"sandbox-site-token-{len(self._logins) + 1}")
        self._logins[session] = login
        cookies = {SESSION_COOKIE: session}
        return {**cookies, SITE_COOKIE: login.site_token} if self._coupled else cookies

    def logout(self, session: str) -> None:
        """End one session."""
        self._logins.pop(session, None)

    def expire(self) -> None:
        """Turn every session anonymous, as when their tokens can no longer be refreshed."""
        self._logins.clear()

    def identify(self, record: RecordedRequest, path: str) -> Identity:
        """Return the caller; `path` is below the base path.

        Raises:
            UnexpectedError: A bearer token belongs to nobody (section 2.3, item 3).
        """
        cookies = record.cookies
        session = cookies.get(SESSION_COOKIE)
        if session is None:
            bearer = record.headers.get("authorization", "").removeprefix("Bearer ")
            if bearer and path.startswith("/api/"):
                return self._bearer(bearer)
            return Identity(self._ids.uuid())
        login = self._logins.get(session)
        if login is None:
            return Identity(session)
        if self._coupled and cookies.get(SITE_COOKIE) != login.site_token:
            return Identity(self._ids.uuid())
        return Identity(session, login.user)

    def remember_at_provider(self, name: str) -> str:
        """Open a session of the identity provider's own; return the value of its cookie."""
        value = self._ids.uuid()
        self._at_provider[value] = name
        return value

    def known_to_provider(self, record: RecordedRequest) -> str | None:
        """Return who signed in at the identity provider with this browser before."""
        return self._at_provider.get(record.cookies.get(PROVIDER_COOKIE, ""))

    def _bearer(self, token: str) -> Identity:
        user = self._users.get(token.removeprefix("hf_sandbox_"))
        if user is None or not token.startswith("hf_sandbox_"):
            raise UnexpectedError
        return Identity(self._ids.uuid(), user)


def check_origin(record: RecordedRequest) -> None:
    """Refuse a form post from elsewhere (section 2.4).

    Raises:
        RefusedError: 403 without an `Origin` or with one of another host; 500 if it is no URL.
    """
    if record.method != "POST" or record.content_type not in _FORM_TYPES:
        return
    origin = record.headers.get("origin")
    if origin is None:
        raise RefusedError(403, "Non-JSON form requests need to have an origin")
    host = urlsplit(origin).netloc
    if not host:
        raise UnexpectedError
    if host != record.headers.get("host"):
        raise RefusedError(403, "Invalid referer for POST request")


def session_cookie(value: str) -> str:
    """Return the `Set-Cookie` line of a session: two weeks, refreshed on every POST."""
    return _cookie(SESSION_COOKIE, value, timedelta(weeks=2))


def verifier_cookie(value: str) -> str:
    """Return the `Set-Cookie` line of a login in progress: one hour."""
    return _cookie(VERIFIER_COOKIE, value, timedelta(hours=1))


def site_cookie(value: str) -> str:
    """Return the `Set-Cookie` line of the site's own login: two weeks."""
    return _cookie(SITE_COOKIE, value, timedelta(weeks=2))


def provider_cookie(value: str) -> str:
    """Return the `Set-Cookie` line of the identity provider's own session: two weeks."""
    return _cookie(PROVIDER_COOKIE, value, timedelta(weeks=2), "/authorize")


def deleted_cookie(name: str) -> str:
    """Return the `Set-Cookie` line that removes a cookie."""
    return f"{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


def _cookie(name: str, value: str, age: timedelta, path: str = "/") -> str:
    expires = format_datetime(datetime.now(UTC) + age, usegmt=True)
    return f"{name}={value}; Path={path}; Expires={expires}; HttpOnly; SameSite=Lax"
