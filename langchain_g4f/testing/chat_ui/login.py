"""Login: who is turned away where, and the redirects of a sign-in.

Follows docs/protocols/huggingchat.md, sections 2.2 and 2.3. The identity provider is part of the
sandbox: its authorize page asks nothing and signs in the user named by `login_hint`, or "user".
With `login_form` it asks for a name once, and knows the browser from then on.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from langchain_g4f.testing.chat_ui.calls import (
    RefusedError,
    empty_response,
    json_response,
    text_response,
)
from langchain_g4f.testing.chat_ui.pages import provider_form
from langchain_g4f.testing.chat_ui.sessions import (
    SESSION_COOKIE,
    SITE_COOKIE,
    deleted_cookie,
    provider_cookie,
    session_cookie,
    site_cookie,
    verifier_cookie,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.sessions import Identity
    from langchain_g4f.testing.chat_ui.state import State
    from langchain_g4f.testing.recording import RecordedRequest

LOGGED_OUT = "You have to be logged in."

_OPEN_PREFIXES = ("/api/", "/login", "/healthcheck", "/logout")


def gate(state: State, record: RecordedRequest, identity: Identity, path: str) -> Response | None:
    """Return what turns this caller away, or None to let the call through."""
    if not state.options.login_required or identity.user is not None:
        return None
    if record.path == "/authorize":
        return None
    reading = record.method in {"GET", "HEAD"}
    below = path.startswith(("/conversation/", "/api/"))
    if state.options.legacy:
        return _unauthorized(record) if not reading and not path.startswith("/log") else None
    if below and not reading:
        return _unauthorized(record)
    if path.startswith(_OPEN_PREFIXES):
        return None
    if path.endswith("/__data.json"):
        return None
    return _to_provider(state, record, identity, record.path)


def _unauthorized(record: RecordedRequest) -> Response:
    json_wanted = "json" in record.headers.get("accept", "") or "json" in record.content_type
    if json_wanted:
        return json_response({"error": LOGGED_OUT}, 401)
    return text_response(LOGGED_OUT, 401)


def _to_provider(
    state: State, record: RecordedRequest, identity: Identity, target: str
) -> Response:
    response = empty_response(302, _authorize_address(record, target))
    response.headers.append("set-cookie", session_cookie(identity.session))
    response.headers.append("set-cookie", verifier_cookie(state.ids.uuid()))
    return response


def _authorize_address(record: RecordedRequest, target: str) -> str:
    origin = f"http://{record.headers.get('host', '')}"
    state = base64.urlsafe_b64encode(json.dumps({"next": target}).encode()).decode()
    query = {
        "client_id": "sandbox",
        "scope": "openid profile inference-api",
        "response_type": "code",
        "redirect_uri": f"{origin}/chat/login/callback",
        "state": state,
    }
    return f"{origin}/authorize?{urlencode(query)}"


async def login(state: State, call: Call) -> Response:
    """Handle `GET /login` (current) and `POST /login` (legacy)."""
    target = call.record.query.get("next", "/chat/")
    if state.options.legacy:
        location = _authorize_address(call.record, target)
        if "text/html" in call.record.headers.get("accept", ""):
            return empty_response(303, location)
        return json_response({"type": "redirect", "status": 303, "location": location})
    return _to_provider(state, call.record, call.identity, target)


async def authorize(state: State, call: Call) -> Response:
    """Handle the provider's page: send the user back with a code, if it is known who it is."""
    hint = call.record.query.get("login_hint", "user")
    if not state.options.login_form:
        return _back_with_code(call.record, hint)
    name = state.sessions.known_to_provider(call.record)
    return _back_with_code(call.record, name) if name else provider_form(hint)


async def submit(state: State, call: Call) -> Response:
    """Handle the provider's form: remember the browser, and send the user back with a code."""
    name = call.record.form.get("username", "")
    if not name:
        raise RefusedError(400, "The user name is missing")
    response = _back_with_code(call.record, name)
    remembered = state.sessions.remember_at_provider(name)
    response.headers.append("set-cookie", provider_cookie(remembered))
    return response


def _back_with_code(record: RecordedRequest, name: str) -> Response:
    query = record.query
    back = urlencode({"code": f"code-of-{name}", "state": query.get("state", "")})
    # Found, for the form too: a browser goes on with GET.
    return empty_response(302, f"{query.get('redirect_uri', '/chat/login/callback')}?{back}")


async def callback(state: State, call: Call) -> Response:
    """Handle `GET /login/callback`: a new session, and on to where the login began."""
    code = call.record.query.get("code", "")
    try:
        stated = json.loads(base64.urlsafe_b64decode(call.record.query.get("state", "")))
        target = str(stated["next"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise RefusedError(403, "Invalid or expired CSRF token") from None
    if not code.startswith("code-of-"):
        raise RefusedError(403, "Invalid or expired CSRF token")
    cookies = state.sessions.login(code.removeprefix("code-of-"))
    response = empty_response(302, urlsplit(target)._replace(scheme="", netloc="").geturl())
    response.headers.append("set-cookie", session_cookie(cookies[SESSION_COOKIE]))
    if not state.options.legacy:
        response.headers.append("set-cookie", deleted_cookie("hfChat-loginRetry"))
    if SITE_COOKIE in cookies:
        response.headers.append("set-cookie", site_cookie(cookies[SITE_COOKIE]))
    return response


async def logout(state: State, call: Call) -> Response:
    """Handle `POST /logout`: end the session and delete its cookie."""
    state.sessions.logout(call.identity.session)
    response = empty_response(302, "/chat/")
    response.headers.append("set-cookie", deleted_cookie(SESSION_COOKIE))
    return response
