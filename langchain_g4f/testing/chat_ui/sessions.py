"""Who is calling: session cookies, the check of the origin, and login with its pages.

Follows docs/protocols/huggingchat.md, section 2. An unknown cookie value is not an error but a new
anonymous session under that value; only a login makes a session known. The identity provider is
part of the sandbox: its authorize page asks nothing and signs in the user named by `login_hint`, or
"user". With `login_form` it asks each browser once for a name.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from langchain_g4f.testing.chat_ui.wire import (
    RefusedError,
    empty_response,
    json_response,
    text_response,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from langchain_g4f.testing.chat_ui.options import ChatUiOptions
    from langchain_g4f.testing.chat_ui.store import Ids
    from langchain_g4f.testing.recording import RecordedRequest

SESSION_COOKIE = "hf-chat"
SITE_COOKIE = "token"
VERIFIER_COOKIE = "hfChat-codeVerifier"
PROVIDER_COOKIE = "sandbox-provider"

LOGGED_OUT = "You have to be logged in."

_FORM_TYPES = {"multipart/form-data", "application/x-www-form-urlencoded", "text/plain"}
_OPEN_PREFIXES = ("/api/", "/login", "/healthcheck", "/logout")

# Without the icon a browser would ask for /favicon.ico, and be sent to sign in for it.
_PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,"></head>
<body><h1>{title}</h1>{body}</body>
</html>
"""
_LOGIN = '<form action="/chat/login" method="POST"><button type="submit">Login</button></form>'
_LOGOUT = (
    '<form action="/chat/logout" method="post"><span>{name}</span>'
    '<button type="submit">Sign Out</button></form>'
)
_PROVIDER = (
    '<form method="post"><label>User name '
    '<input name="username" value="{name}" required autofocus></label>'
    '<button type="submit">Sign in</button></form>'
)


@dataclass(frozen=True, slots=True)
class User:
    """A user who has logged in."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller: a session, and a user if the session is logged in."""

    session: str
    user: User | None = None

    @property
    def owner(self) -> str:
        """The owner of this caller's conversations."""
        return f"user:{self.user.id}" if self.user else f"session:{self.session}"


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """A request, its sender, and the variable parts of its path."""

    record: RecordedRequest
    identity: Identity
    params: dict[str, str]


class LoginSessions:
    """The logged-in sessions of one server, and the handlers that open and end them."""

    def __init__(self, options: ChatUiOptions, ids: Ids) -> None:
        self._options = options
        self._ids = ids
        self._users: dict[str, User] = {}
        self._logins: dict[str, tuple[User, str]] = {}
        self._at_provider: dict[str, str] = {}

    def log_in(self, name: str) -> dict[str, str]:
        """Open a session for `name` and return its cookies."""
        user = self._users.get(name) or User(self._ids.object_id(), name)
        self._users[name] = user
        session, token = self._ids.uuid(), f"sandbox-site-token-{len(self._logins) + 1}"
        self._logins[session] = user, token
        cookies = {SESSION_COOKIE: session}
        return {**cookies, SITE_COOKIE: token} if self._options.require_site_token else cookies

    def expire(self) -> None:
        """Turn every session anonymous, as when their tokens can no longer be refreshed."""
        self._logins.clear()

    def identify(self, record: RecordedRequest, path: str) -> Identity:
        """Return the caller; `path` is below the base path.

        Raises:
            RefusedError: 500 for a bearer token that is not a user's (section 2.3, item 3).
        """
        cookies = record.cookies
        session = cookies.get(SESSION_COOKIE)
        if session is None:
            bearer = record.headers.get("authorization", "").removeprefix("Bearer ")
            if not bearer or not path.startswith("/api/"):
                return Identity(self._ids.uuid())
            user = self._users.get(bearer.removeprefix("hf_sandbox_"))
            if user is None or not bearer.startswith("hf_sandbox_"):
                raise RefusedError(500)
            return Identity(self._ids.uuid(), user)
        if session not in self._logins:
            return Identity(session)
        user, token = self._logins[session]
        if self._options.require_site_token and cookies.get(SITE_COOKIE) != token:
            return Identity(self._ids.uuid())
        return Identity(session, user)

    def gate(self, record: RecordedRequest, identity: Identity, path: str) -> Response | None:
        """Return what turns this caller away (section 2.2), or None to let the call through."""
        if not self._options.login_required or identity.user or record.path == "/authorize":
            return None
        reading = record.method in {"GET", "HEAD"}
        below = path.startswith(("/conversation/", "/api/"))
        if not reading and (below or (self._options.legacy and not path.startswith("/log"))):
            return _unauthorized(record)
        if self._options.legacy or path.startswith(_OPEN_PREFIXES):
            return None
        return self._to_provider(record, identity, record.path)

    def _to_provider(self, record: RecordedRequest, identity: Identity, target: str) -> Response:
        response = empty_response(302, _authorize_url(record, target))
        verifier = set_cookie(VERIFIER_COOKIE, self._ids.uuid(), timedelta(hours=1))
        response.headers.append("set-cookie", set_cookie(SESSION_COOKIE, identity.session))
        response.headers.append("set-cookie", verifier)
        return response

    async def home(self, request: ServerRequest) -> Response:
        """Handle `GET /`: the page that a login ends on; legacy ones can log in and out."""
        user = request.identity.user
        name = escape(user.name) if user else ""
        if self._options.legacy:
            body = _LOGOUT.format(name=name) if user else _LOGIN
        else:
            body = f"<p>Signed in as {name}.</p>" if user else "<p>Not signed in.</p>"
        return _page("Chat sandbox", body)

    async def login(self, request: ServerRequest) -> Response:
        """Handle `GET /login` (current) and `POST /login` (legacy)."""
        record = request.record
        target = record.query.get("next", "/chat/")
        if not self._options.legacy:
            return self._to_provider(record, request.identity, target)
        location = _authorize_url(record, target)
        if "text/html" in record.headers.get("accept", ""):
            return empty_response(303, location)
        return json_response({"type": "redirect", "status": 303, "location": location})

    async def authorize(self, request: ServerRequest) -> Response:
        """Handle the provider's page: send a known user back with a code, ask for others' name."""
        record = request.record
        name = hint = record.query.get("login_hint", "user")
        if self._options.login_form:
            name = self._at_provider.get(record.cookies.get(PROVIDER_COOKIE, ""), "")
        if name:
            return _back_with_code(record, name)
        return _page("Sandbox sign-in", _PROVIDER.format(name=escape(hint)))

    async def submit(self, request: ServerRequest) -> Response:
        """Handle the provider's form: remember the browser, and send the user back with a code."""
        name = request.record.form.get("username", "")
        if not name:
            raise RefusedError(400, "The user name is missing")
        response = _back_with_code(request.record, name)
        remembered = self._ids.uuid()
        self._at_provider[remembered] = name
        line = set_cookie(PROVIDER_COOKIE, remembered, path="/authorize")
        response.headers.append("set-cookie", line)
        return response

    async def callback(self, request: ServerRequest) -> Response:
        """Handle `GET /login/callback`: open a session, and return to where the login began."""
        query = request.record.query
        try:
            state = json.loads(base64.urlsafe_b64decode(query.get("state", "")))
            target = str(state["next"])
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise RefusedError(403, "Invalid or expired CSRF token") from None
        code = query.get("code", "")
        if not code.startswith("code-of-"):
            raise RefusedError(403, "Invalid or expired CSRF token")
        response = empty_response(302, urlsplit(target)._replace(scheme="", netloc="").geturl())
        for name, value in self.log_in(code.removeprefix("code-of-")).items():
            response.headers.append("set-cookie", set_cookie(name, value))
        if not self._options.legacy:
            response.headers.append("set-cookie", delete_cookie("hfChat-loginRetry"))
        return response

    async def logout(self, request: ServerRequest) -> Response:
        """Handle `POST /logout`: end the session and delete its cookie."""
        self._logins.pop(request.identity.session, None)
        response = empty_response(302, "/chat/")
        response.headers.append("set-cookie", delete_cookie(SESSION_COOKIE))
        return response


def check_origin(record: RecordedRequest) -> None:
    """Refuse a form post from another site (section 2.4).

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
        raise RefusedError(500)
    if host != record.headers.get("host"):
        raise RefusedError(403, "Invalid referer for POST request")


def set_cookie(name: str, value: str, age: timedelta = timedelta(weeks=2), path: str = "/") -> str:
    """Return the `Set-Cookie` line of a cookie."""
    expires = format_datetime(datetime.now(UTC) + age, usegmt=True)
    return f"{name}={value}; Path={path}; Expires={expires}; HttpOnly; SameSite=Lax"


def delete_cookie(name: str) -> str:
    """Return the `Set-Cookie` line that removes a cookie."""
    return f"{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


def _unauthorized(record: RecordedRequest) -> Response:
    if "json" in record.headers.get("accept", "") or "json" in record.content_type:
        return json_response({"error": LOGGED_OUT}, 401)
    return text_response(LOGGED_OUT, 401)


def _authorize_url(record: RecordedRequest, target: str) -> str:
    origin = f"http://{record.headers.get('host', '')}"
    query = {
        "client_id": "sandbox",
        "scope": "openid profile inference-api",
        "response_type": "code",
        "redirect_uri": f"{origin}/chat/login/callback",
        "state": base64.urlsafe_b64encode(json.dumps({"next": target}).encode()).decode(),
    }
    return f"{origin}/authorize?{urlencode(query)}"


def _back_with_code(record: RecordedRequest, name: str) -> Response:
    query = record.query
    back = urlencode({"code": f"code-of-{name}", "state": query.get("state", "")})
    # 302 after the form, too: a browser continues with GET.
    return empty_response(302, f"{query.get('redirect_uri', '/chat/login/callback')}?{back}")


def _page(title: str, body: str) -> Response:
    return text_response(_PAGE.format(title=title, body=body), 200, "text/html")
