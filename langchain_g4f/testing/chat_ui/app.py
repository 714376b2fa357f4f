"""The chat-ui server as one ASGI app: checks, routes, error bodies.

Follows docs/protocols/huggingchat.md, sections 1 to 3. The checks have the order of the real
server: origin, caller, login, then the route; refusals before the route set no cookie. The routes
are those that a chat model of this package calls, and the pages of a login.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from starlette.datastructures import MutableHeaders
from starlette.routing import Match, Route

from langchain_g4f.testing.chat_ui import conversations, sending, streams
from langchain_g4f.testing.chat_ui.sessions import (
    SESSION_COOKIE,
    ServerRequest,
    check_origin,
    set_cookie,
)
from langchain_g4f.testing.chat_ui.state import State
from langchain_g4f.testing.chat_ui.wire import (
    RefusedError,
    empty_response,
    json_response,
    text_response,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from langchain_g4f.testing.chat_ui.options import ChatUiOptions
    from langchain_g4f.testing.chat_ui.sessions import Identity
    from langchain_g4f.testing.recording import RecordedRequest

BASE_PATH = "/chat"
MAX_BODY_BYTES = 15 * 1024 * 1024
"""The server's own limit on a whole body (section 5.4)."""

_PAGE = "<!doctype html><html><body>This page is for humans.</body></html>"

Handler: TypeAlias = Callable[[State, ServerRequest], Awaitable["ASGIApp"]]


async def _healthcheck(_state: State, _request: ServerRequest) -> ASGIApp:
    return text_response("OK", 200, "text/plain;charset=UTF-8")


async def _to_home(_state: State, _request: ServerRequest) -> ASGIApp:
    return empty_response(308, f"{BASE_PATH}/")


_SHARED: list[tuple[str, str, Handler]] = [
    ("GET", "", _to_home),
    ("GET", "/healthcheck", _healthcheck),
    ("POST", "/conversation", conversations.create),
    ("POST", "/conversation/{id}", sending.send),
    ("PATCH", "/conversation/{id}", conversations.change),
    ("DELETE", "/conversation/{id}", conversations.delete),
    ("POST", "/conversation/{id}/stop-generating", streams.stop),
    ("GET", "/conversation/{id}/output/{sha}", conversations.output),
    ("GET", "/api/models", conversations.models),
    ("GET", "/api/user", conversations.user),
]
_CURRENT: list[tuple[str, str, Handler]] = [
    ("GET", "/api/v2/feature-flags", conversations.feature_flags),
    ("GET", "/api/v2/user", conversations.user_v2),
    ("GET", "/api/v2/models", conversations.models_v2),
    ("GET", "/api/v2/conversations/{id}", conversations.conversation_v2),
    ("GET", "/api/mcp/servers", conversations.tool_servers),
    ("GET", "/conversation/{id}/stream", streams.reattach),
]
_LEGACY: list[tuple[str, str, Handler]] = [
    ("GET", "/conversation/{id}/__data.json", conversations.conversation_page),
]


class ChatUi:
    """One server, current or legacy. Expects `recording.Recorder` around it."""

    def __init__(self, options: ChatUiOptions, seed: int) -> None:
        self.state = State(options, seed)
        rows = [*_SHARED, *(_LEGACY if options.legacy else _CURRENT)]
        table: list[tuple[str, str, Callable[[ServerRequest], Awaitable[ASGIApp]]]] = [
            (method, BASE_PATH + path, partial(handler, self.state))
            for method, path, handler in rows
        ]
        sessions = self.state.sessions
        table += [
            ("GET", f"{BASE_PATH}/", sessions.home),
            ("POST" if options.legacy else "GET", f"{BASE_PATH}/login", sessions.login),
            ("GET", f"{BASE_PATH}/login/callback", sessions.callback),
            ("POST", f"{BASE_PATH}/logout", sessions.logout),
            # The identity provider lives beside the chat, not below it.
            ("GET", "/authorize", sessions.authorize),
        ]
        if options.login_form:
            table.append(("POST", "/authorize", sessions.submit))
        self._routes = [
            (Route(path, _unused, methods=[method]), handler) for method, path, handler in table
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        record: RecordedRequest = scope["extensions"]["sandbox.request"]
        path = record.path.removeprefix(BASE_PATH)
        sessions = self.state.sessions
        response: ASGIApp | None
        try:
            check_origin(record)
            identity = sessions.identify(record, path)
            response = sessions.gate(record, identity, path)
        except RefusedError as refusal:
            response = self._refused(refusal, early=True)
        else:
            if response is None:
                send = _with_headers(send, record, identity, path)
                response = await self._answer(scope, record, identity)
        await response(scope, receive, send)

    async def close(self) -> None:
        """End everything that is still being generated."""
        await self.state.close()

    async def _answer(self, scope: Scope, record: RecordedRequest, identity: Identity) -> ASGIApp:
        if len(record.body) > MAX_BODY_BYTES:
            return self._refused(RefusedError(413))
        allowed = False
        for route, handler in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                try:
                    return await handler(ServerRequest(record, identity, child["path_params"]))
                except RefusedError as refusal:
                    return self._refused(refusal)
            allowed = allowed or match is Match.PARTIAL
        if self.state.options.legacy:
            # A legacy server has a page for every address (section 9.2).
            return text_response(_PAGE, 200, "text/html")
        if allowed:
            return text_response(f"{record.method} method not allowed", 405)
        if record.path.startswith(f"{BASE_PATH}/api"):
            return json_response({"message": "Not Found"}, 404)
        return text_response(_PAGE, 404, "text/html")

    def _refused(self, refusal: RefusedError, *, early: bool = False) -> ASGIApp:
        """Return the error body; before the route it is a plain text."""
        if refusal.message is None:
            body = {"message": "An error occurred", "errorId": self.state.ids.uuid()}
            return json_response(body, refusal.status)
        if early:
            return text_response(refusal.message, refusal.status)
        return json_response({"message": refusal.message}, refusal.status)


def _with_headers(send: Send, record: RecordedRequest, identity: Identity, path: str) -> Send:
    """Refresh the session cookie on every POST; the API is open to all origins."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if record.method == "POST" and "set-cookie" not in headers:
                headers.append("set-cookie", set_cookie(SESSION_COOKIE, identity.session))
            if path.startswith("/api/") and message["status"] < 500:
                headers["access-control-allow-origin"] = "*"
        await send(message)

    return wrapped


async def _unused() -> None:
    """Stand in for an endpoint: the app calls handlers itself."""
