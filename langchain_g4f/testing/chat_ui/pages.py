"""What a person sees in a browser: the home page, and the form of the identity provider.

Of the real pages only what a sign-in needs is here. The legacy home page has a form to log in and,
for who is logged in, a form to log out that shows the name.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from langchain_g4f.testing.chat_ui.calls import text_response

if TYPE_CHECKING:
    from starlette.responses import Response

    from langchain_g4f.testing.chat_ui.calls import Call
    from langchain_g4f.testing.chat_ui.sessions import User
    from langchain_g4f.testing.chat_ui.state import State

_HTML = "text/html"

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


async def home(state: State, call: Call) -> Response:
    """Handle `GET /`: the page that a login ends on."""
    user = call.identity.user
    body = _legacy_body(user) if state.options.legacy else _current_body(user)
    return text_response(_PAGE.format(title="Chat sandbox", body=body), 200, _HTML)


def _legacy_body(user: User | None) -> str:
    return _LOGOUT.format(name=escape(user.name)) if user else _LOGIN


def _current_body(user: User | None) -> str:
    return f"<p>Signed in as {escape(user.name)}.</p>" if user else "<p>Nobody is signed in.</p>"


def provider_form(name: str) -> Response:
    """Return the identity provider's page, which asks who it is.

    Args:
        name: The user name to propose.
    """
    body = _PROVIDER.format(name=escape(name))
    return text_response(_PAGE.format(title="Sandbox sign-in", body=body), 200, _HTML)
